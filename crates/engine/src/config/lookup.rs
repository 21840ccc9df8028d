//! Environment variables and files that a configuration refers to.

use model::Secret;
use serde_json::Value;

use super::{ConfigError, note_secret};

/// Looks up what a configuration refers to: environment variables and files.
pub trait Lookup {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// The text of a file.
    fn file(&self, path: &str) -> Option<String>;
}

/// Replaces `${NAME}` by an environment variable, and a whole value `@env:NAME` or `@file:PATH`.
///
/// # Errors
/// The variable or file is not there.
pub fn expand(value: &str, place: &str, lookup: &dyn Lookup) -> Result<String, ConfigError> {
    let missing = |what: String| ConfigError::Missing { place: place.into(), what };
    if let Some(name) = value.strip_prefix("@env:") {
        return lookup.variable(name).ok_or_else(|| missing(format!("the environment variable `{name}`")));
    }
    if let Some(path) = value.strip_prefix("@file:") {
        return lookup.file(path).map(|t| t.trim_end().to_owned()).ok_or_else(|| missing(format!("the file `{path}`")));
    }
    let mut expanded = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { break };
        expanded.push_str(before);
        expanded.push_str(&lookup.variable(name).ok_or_else(|| missing(format!("the environment variable `{name}`")))?);
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

pub(super) fn expand_json(
    value: &mut Value,
    place: &str,
    lookup: &dyn Lookup,
    secrets: &mut Vec<Secret>,
) -> Result<(), ConfigError> {
    match value {
        Value::String(text) => *text = expand(text, place, lookup)?,
        Value::Array(items) => {
            for item in items {
                expand_json(item, place, lookup, secrets)?;
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                expand_json(field, &format!("{place}.{name}"), lookup, secrets)?;
                if let Value::String(text) = field {
                    note_secret(name, text, secrets);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}
