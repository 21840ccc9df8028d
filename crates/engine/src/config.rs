//! `middlebrick.yaml`: who the identities are, what is open by design, which values work.
//!
//! Unknown keys are errors with the nearest valid name. Error texts name keys and places, never
//! values: those may be secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::{Credential, Gate, Identity, KnownSecret, OperationKey, Place, RevokedKey, Secret, Signer, Suppression};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::effect::may_name_a_method;
use crate::scan::Ignored;
use crate::survey::clean::frames;
use crate::survey::{Configured, ConfiguredValues};
use crate::transport::allowed::is_token;

mod error;
mod found;
mod login;
mod lookup;
mod matching;

pub use error::ConfigError;
use error::plain;
pub use found::Typed;
pub use lookup::{Lookup, Noting, expand};
pub use matching::holds_something;

/// The file as written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// URL of the API or of its description, or a description file.
    pub target: Option<String>,
    /// URL or file of the description, where it is not the target.
    pub spec: Option<String>,
    /// URL that requests go to.
    pub base_url: Option<String>,
    /// Who may use the API, by name.
    pub identities: BTreeMap<String, IdentityConfig>,
    /// Sent with every request; never credentials.
    pub headers: BTreeMap<String, String>,
    /// Working values, by operation (`GET /reports/{id}`), then by parameter; `body` is the body.
    pub values: ConfiguredValues,
    /// Operations that are open by design.
    pub public: Vec<String>,
    /// Operations whose objects everyone may read.
    pub shared: Vec<String>,
    /// Operations that may be sent although their method writes.
    pub repeatable: Vec<String>,
    /// Findings to live with.
    pub suppress: Vec<SuppressConfig>,
    /// Conditions that a scan must meet.
    pub gate: Gate,
}

/// One identity: credentials as they are, or a sign-in request that gives them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdentityConfig {
    /// Credentials in headers.
    pub header: BTreeMap<String, String>,
    /// Credentials in the query.
    pub query: BTreeMap<String, String>,
    /// Credentials in cookies.
    pub cookie: BTreeMap<String, String>,
    /// A token for `Authorization: Bearer`.
    pub bearer: Option<String>,
    /// `user:password` for `Authorization: Basic`.
    pub basic: Option<String>,
    /// A request that gives credentials.
    pub login: Option<LoginConfig>,
    /// How its requests are signed.
    pub signing: Option<signing::Settings>,
    /// An earlier key, which the API must refuse by now.
    pub revoked_key: Option<String>,
    /// When that was revoked, such as `2026-05-01T12:00:00Z`.
    pub revoked_at: Option<String>,
    /// A file with one captured signed request (HTTP text, a curl command line, HAR), where the secret is
    /// not known. `signing:` then only says where things stand.
    pub sample: Option<String>,
    /// Such as `admin`, or `read-only` for one that must not write.
    pub role: Option<String>,
    /// Whose data it sees.
    pub tenant: Option<String>,
}

/// A sign-in request, and where the credential stands in its answer.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LoginConfig {
    /// Method and path, such as `POST /login`.
    pub request: String,
    /// Body as JSON.
    pub json: Option<Value>,
    /// Body as a form.
    pub form: BTreeMap<String, String>,
    /// Headers of the request.
    pub headers: BTreeMap<String, String>,
    /// Path of a token in the answer, such as `$.token`; sent as `Authorization: Bearer`.
    pub bearer: Option<String>,
    /// Paths of tokens in the answer, by the header that they go into.
    pub header: BTreeMap<String, String>,
    /// Cookies that the answer sets.
    pub cookie: Vec<String>,
}

/// A finding to live with.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuppressConfig {
    /// Id of the check.
    pub check: String,
    /// Operation, as `GET /path`; without it, all.
    pub operation: Option<String>,
    /// Why.
    pub reason: String,
    /// Last day on which it holds, `YYYY-MM-DD`.
    pub until: Option<String>,
}

/// Reads a configuration.
///
/// # Errors
/// It is not valid; the text names keys and places, never values.
pub fn parse(text: &str) -> Result<Config, ConfigError> {
    if text.trim().is_empty() {
        return Ok(Config::default());
    }
    let value: Value = serde_saphyr::from_str(text).map_err(|error| {
        let place =
            error.location().map(|l| format!(" at line {}, column {}", l.line(), l.column())).unwrap_or_default();
        ConfigError::Invalid { place, reason: "it is no YAML".into() }
    })?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { format!(" at `{path}`") };
        plain(&error.inner().to_string(), place)
    })
}

/// A configuration with everything looked up.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// Who may use the API.
    pub identities: Vec<Identity>,
    /// What was looked up in variables and files: secret wherever it turns up.
    pub known: Vec<KnownSecret>,
    /// Sent with every request.
    pub headers: Vec<(String, String)>,
    /// What the user says of the API.
    pub configured: Configured,
    /// Operations that may be sent whatever their method.
    pub repeatable: BTreeSet<OperationKey>,
    /// Findings to live with.
    pub ignored: Vec<Ignored>,
}

impl Config {
    /// Looks up variables and files, and turns names into what a scan takes.
    ///
    /// # Errors
    /// Something that is referred to is not there, or has another form.
    pub fn resolve(&self, lookup: &dyn Lookup) -> Result<Resolved, ConfigError> {
        let lookup = &Noting::new(lookup);
        let mut resolved = Resolved::default();
        for (name, identity) in &self.identities {
            resolved.identities.push(identity.resolve(name, lookup)?);
        }
        for (name, value) in &self.headers {
            if !is_token(name) || frames(name) || may_name_a_method(name) {
                let wanted = "a header that may go with every request: it names the method, or the transport sets it";
                return Err(ConfigError::Form { place: format!("headers.{name}"), wanted });
            }
            resolved.headers.push((name.clone(), expand(value, &format!("headers.{name}"), lookup)?));
        }
        resolved.known = lookup.known();
        resolved.configured = Configured {
            values: self.values.clone(),
            public: keys(&self.public, "public")?,
            shared: keys(&self.shared, "shared")?,
        };
        resolved.repeatable = keys(&self.repeatable, "repeatable")?;
        for suppressed in &self.suppress {
            let until = suppressed.until.as_deref().map(|until| matching::day(until, "suppress.until")).transpose()?;
            resolved.ignored.push(Ignored {
                check: suppressed.check.clone(),
                operation: suppressed.operation.clone(),
                suppression: Suppression { reason: suppressed.reason.clone(), until },
            });
        }
        Ok(resolved)
    }
}

impl IdentityConfig {
    fn resolve(&self, name: &str, lookup: &dyn Lookup) -> Result<Identity, ConfigError> {
        let at = |key: &str| format!("identities.{name}.{key}");
        let mut credentials = Vec::new();
        for (header, value) in &self.header {
            if !is_token(header) {
                return Err(ConfigError::Form { place: at("header"), wanted: "a map from names of headers to values" });
            }
            credentials.push(header_credential(header, &expand(value, &at("header"), lookup)?));
        }
        for (parameter, value) in &self.query {
            let value = Secret::new(expand(value, &at("query"), lookup)?);
            credentials.push(Credential { place: Place::Query { name: parameter.clone() }, value });
        }
        for (cookie, value) in &self.cookie {
            let value = Secret::new(expand(value, &at("cookie"), lookup)?);
            credentials.push(Credential { place: Place::Cookie { name: cookie.clone() }, value });
        }
        if let Some(token) = &self.bearer {
            let value = Secret::new(expand(token, &at("bearer"), lookup)?);
            credentials.push(Credential { place: Place::bearer(), value });
        }
        if let Some(pair) = &self.basic {
            let pair = expand(pair, &at("basic"), lookup)?;
            if !pair.contains(':') {
                return Err(ConfigError::Form { place: at("basic"), wanted: "`user:password`" });
            }
            credentials.push(Credential { place: Place::basic(), value: Secret::new(BASE64_STANDARD.encode(pair)) });
        }
        let login = self.login.as_ref().map(|login| login.resolve(&at("login"), lookup)).transpose()?;
        let signer: Option<Arc<dyn Signer>> = match (&self.sample, &self.signing) {
            (Some(path), settings) => {
                let text = lookup
                    .file(path)
                    .ok_or_else(|| ConfigError::Missing { place: at("sample"), what: format!("the file `{path}`") })?;
                let unusable = |reason: String| ConfigError::Sample { place: at("sample"), reason };
                let scheme = settings.as_ref().map(signing::Settings::scheme).transpose();
                let scheme = scheme.map_err(|reason| ConfigError::Signing { place: at("signing"), reason })?;
                let (signer, others) = replayed(&text, scheme.as_ref()).map_err(unusable)?;
                credentials.extend(others);
                Some(signer)
            }
            (None, Some(settings)) => Some(signer(settings, &at("signing"), lookup)?),
            (None, None) => None,
        };
        let revoked_key = match (&self.revoked_key, &self.revoked_at) {
            (Some(key), revoked_at) => {
                let key = expand(key, &at("revoked_key"), lookup)?;
                Some(self::revoked_key(&key, revoked_at.as_deref(), &at("revoked_at"))?)
            }
            (None, Some(_)) => {
                return Err(ConfigError::Form { place: at("revoked_at"), wanted: "of use without `revoked_key`" });
            }
            (None, None) => None,
        };
        for credential in &credentials {
            holds_something(credential, &at(&credential.place.label()))?;
        }
        Ok(Identity {
            name: name.into(),
            role: self.role.clone(),
            tenant: self.tenant.clone(),
            credentials,
            login,
            signer,
            revoked_key,
        })
    }
}

/// The identity that has nothing but a captured signed request.
///
/// # Errors
/// The text cannot be read, or holds no signature.
pub fn sample_identity(name: &str, text: &str) -> Result<Identity, ConfigError> {
    let unusable = |reason| ConfigError::Sample { place: "--sample".into(), reason };
    let (signer, credentials) = replayed(text, None).map_err(unusable)?;
    Ok(Identity { name: name.into(), credentials, signer: Some(signer), ..Identity::default() })
}

/// A replayer of a captured request, and the other credentials in it.
fn replayed(text: &str, scheme: Option<&signing::Scheme>) -> Result<(Arc<dyn Signer>, Vec<Credential>), String> {
    let captured = signing::sample::read(text).map_err(|error| error.to_string())?;
    let mut replayed = signing::Replayed::new(captured, scheme).map_err(|error| error.to_string())?;
    let others = replayed.take_credentials();
    let credentials = others.iter().map(|(name, value)| header_credential(name, value)).collect();
    Ok((Arc::new(replayed), credentials))
}

/// The signer of a `signing:` block; its secret may refer to a variable or a file.
fn signer(settings: &signing::Settings, place: &str, lookup: &dyn Lookup) -> Result<Arc<dyn Signer>, ConfigError> {
    let mut settings = settings.clone();
    settings.secret = Secret::new(expand(settings.secret.expose(), &format!("{place}.secret"), lookup)?);
    if let Some(token) = &mut settings.token {
        *token = Secret::new(expand(token.expose(), &format!("{place}.token"), lookup)?);
    }
    settings.key_id = expand(&settings.key_id, &format!("{place}.key_id"), lookup)?;
    let keyed = settings.signer().map_err(|reason| ConfigError::Signing { place: place.into(), reason })?;
    Ok(Arc::new(keyed))
}

/// A header as a credential; a scheme such as `Bearer` stays outside the secret, any scheme in a header of
/// authorization.
pub fn header_credential(name: &str, value: &str) -> Credential {
    let schemes = ["bearer", "basic", "token", "apikey", "api-key", "key", "digest", "jwt"];
    let authorizes = name.to_ascii_lowercase().ends_with("authorization");
    let is_scheme = |scheme: &str, rest: &str| {
        let is_token = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        schemes.contains(&scheme.to_ascii_lowercase().as_str())
            || (authorizes && is_token && !rest.trim().contains([' ', ',']))
    };
    let (prefix, value) = match value.split_once(' ') {
        Some((scheme, rest)) if is_scheme(scheme, rest) => (format!("{scheme} "), rest.trim()),
        _ => (String::new(), value),
    };
    Credential { place: Place::Header { name: name.into(), prefix }, value: Secret::new(value) }
}

/// A key that was revoked, at a time of the form of RFC 3339 where one is stated; a scheme such as
/// `Bearer` stays outside the secret.
///
/// # Errors
/// The time has another form.
pub fn revoked_key(value: &str, revoked_at: Option<&str>, place: &str) -> Result<RevokedKey, ConfigError> {
    let form = || ConfigError::Form { place: place.into(), wanted: "a time such as `2026-05-01T12:00:00Z`" };
    let at_ms = match revoked_at {
        Some(time) => Some(chrono::DateTime::parse_from_rfc3339(time).map_err(|_| form())?.timestamp_millis()),
        None => None,
    };
    Ok(RevokedKey { value: header_credential("", value.trim()).value, at_ms })
}

fn keys(list: &[String], place: &'static str) -> Result<BTreeSet<OperationKey>, ConfigError> {
    list.iter().map(|text| matching::key(text, place)).collect()
}

#[cfg(test)]
mod tests;
