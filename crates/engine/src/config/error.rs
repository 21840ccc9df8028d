//! What is wrong with a configuration, in words that repeat no value of it.

use model::redact::legible;
use strsim::damerau_levenshtein;
use thiserror::Error;

/// What is wrong with a configuration.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is no YAML, or of another form than expected.
    #[error("the configuration is not valid{place}: {reason}")]
    Invalid {
        /// Line and column, where known.
        place: String,
        /// What is wrong, without values.
        reason: String,
    },
    /// A key that there is not.
    #[error("the configuration has no key `{}`{}", legible(.name), legible(.place))]
    UnknownKey {
        /// The key.
        name: String,
        /// Line and column, where known.
        place: String,
        /// The nearest key that there is.
        nearest: Option<String>,
    },
    /// An environment variable or a file that is not there.
    #[error("`{}` refers to {}, which is not there", legible(.place), legible(.what))]
    Missing {
        /// Path of keys.
        place: String,
        /// The variable or file.
        what: String,
    },
    /// A signing scheme that cannot be used.
    #[error("`{place}`: {reason}")]
    Signing {
        /// Path of keys.
        place: String,
        /// What is wrong with it.
        reason: signing::settings::SettingsError,
    },
    /// A captured request that cannot be used.
    #[error("`{place}`: {reason}")]
    Sample {
        /// Path of keys.
        place: String,
        /// What is wrong with it, without its values.
        reason: String,
    },
    /// An operation, parameter or check that there is not.
    #[error("`{}`: there is no {kind} `{}`", legible(.place), legible(.name))]
    NoSuch {
        /// Path of keys.
        place: String,
        /// What it should be.
        kind: &'static str,
        /// The name as written.
        name: String,
        /// The nearest that there is.
        nearest: Option<String>,
    },
    /// A credential that holds none.
    #[error("the value of `{}` {why}", legible(.place))]
    NoCredential {
        /// Path of keys, or the option.
        place: String,
        /// What is wrong with it, without its value.
        why: &'static str,
    },
    /// A value of another form than expected.
    #[error("`{}` is not {wanted}", legible(.place))]
    Form {
        /// Path of keys.
        place: String,
        /// What is expected.
        wanted: &'static str,
    },
}

impl ConfigError {
    /// What to try.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKey { nearest, .. } => nearest.as_ref().map(|n| format!("did you mean `{n}`?")),
            Self::NoSuch { nearest: Some(nearest), .. } => Some(format!("did you mean `{nearest}`?")),
            Self::NoSuch { kind: "check", .. } => Some("middlebrick checks lists them".into()),
            Self::NoSuch { .. } => Some("middlebrick survey lists the operations of the description".into()),
            Self::NoCredential { .. } => Some("set the variable, and write @env:NAME".into()),
            Self::Missing { .. } => Some("set the variable, or write the value itself".into()),
            Self::Signing { .. } => Some("the presets and the formula are in docs/config.schema.json".into()),
            Self::Sample { .. } => Some("HTTP text, a curl command line and HAR are read".into()),
            Self::Invalid { .. } | Self::Form { .. } => Some("the schema is in docs/config.schema.json".into()),
        }
    }
}

/// A deserializer's message without the values that it may repeat.
pub(super) fn plain(message: &str, place: String) -> ConfigError {
    if let Some(rest) = message.strip_prefix("unknown field `") {
        let name = rest.split('`').next().unwrap_or_default().to_owned();
        let known = rest.split("expected").nth(1).unwrap_or_default();
        let known = known.split('`').skip(1).step_by(2);
        let nearest = known
            .min_by_key(|k| damerau_levenshtein(&name, k))
            .filter(|k| damerau_levenshtein(&name, k) <= 1 + name.len() / 3);
        return ConfigError::UnknownKey { nearest: nearest.map(Into::into), name, place };
    }
    if let Some((_, expected)) = message.strip_prefix("unknown variant `").and_then(|m| m.split_once("`, expected ")) {
        return ConfigError::Invalid { place, reason: format!("it should be {expected}") };
    }
    let reason = match message.strip_prefix("invalid type: ") {
        // "string "secret", expected a map": the kind is told, the value is not.
        Some(rest) => {
            let kind = rest.split([' ', ',']).next().unwrap_or_default();
            let wanted = rest.split("expected ").nth(1).unwrap_or_default();
            format!("a {kind} stands where {wanted} is expected")
        }
        None => message
            .split('`')
            .enumerate()
            .filter(|(i, _)| i % 2 == 0 || message.starts_with("missing field"))
            .map(|(_, p)| p)
            .collect::<Vec<_>>()
            .join("`"),
    };
    ConfigError::Invalid { place, reason }
}
