//! Environment variables and files that a configuration refers to.

use std::sync::Mutex;

use model::{KnownSecret, Secret};
use serde_json::Value;

use super::ConfigError;
use super::login::note_secret;

/// Looks up what a configuration refers to: environment variables and files.
pub trait Lookup {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// The text of a file.
    fn file(&self, path: &str) -> Option<String>;
}

/// Longest file whose text is a secret; a longer one is a capture or a document.
///
/// **Source**: chosen; four times the private key of a 16,384-bit RSA pair in PEM.
const LONGEST_SECRET_FILE: usize = 48 * 1024;

/// Looks up as another does, and remembers what it gave: whatever stands in a variable or file that a
/// configuration refers to is a secret of the user.
pub struct Noting<'l> {
    lookup: &'l dyn Lookup,
    known: Mutex<Vec<KnownSecret>>,
}

impl<'l> Noting<'l> {
    /// Remembers what this lookup gives.
    pub fn new(lookup: &'l dyn Lookup) -> Self {
        Self { lookup, known: Mutex::default() }
    }

    /// What was looked up, named after its variable or file.
    pub fn known(&self) -> Vec<KnownSecret> {
        self.known.lock().expect("no holder panics").clone()
    }

    fn note(&self, label: String, variable: Option<&str>, value: &str) {
        let secret = KnownSecret { label, variable: variable.map(Into::into), value: Secret::new(value.trim()) };
        self.known.lock().expect("no holder panics").push(secret);
    }
}

impl Lookup for Noting<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        let value = self.lookup.variable(name)?;
        self.note(name.to_owned(), Some(name), &value);
        Some(value)
    }

    fn file(&self, path: &str) -> Option<String> {
        let text = self.lookup.file(path)?;
        if text.len() <= LONGEST_SECRET_FILE {
            let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
            self.note(format!("file.{name}"), None, &text);
        }
        Some(text)
    }
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

/// Expands the texts of a sign-in body, and notes what of it is secret; `name` is that of the member.
pub(super) fn expand_json(
    value: &mut Value,
    (place, name): (&str, &str),
    lookup: &dyn Lookup,
    secrets: &mut Vec<Secret>,
) -> Result<(), ConfigError> {
    match value {
        Value::String(text) => {
            *text = expand(text, place, lookup)?;
            note_secret(name, text, secrets);
        }
        // A PIN may be written as a number.
        Value::Number(number) => note_secret(name, &number.to_string(), secrets),
        Value::Array(items) => {
            for item in items {
                expand_json(item, (place, name), lookup, secrets)?;
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                expand_json(field, (&format!("{place}.{name}"), name), lookup, secrets)?;
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
    Ok(())
}
