//! Whether what a configuration names is there: operations and parameters of the description, checks, days;
//! and whether a credential holds anything.

use std::collections::BTreeSet;

use inventory::{Inventory, Operation};
use model::{Credential, OperationKey, Place};
use strsim::damerau_levenshtein;

use super::{ConfigError, Resolved};

impl Resolved {
    /// Checks that every operation, parameter and check that is named is one of the target's description or
    /// of these.
    ///
    /// # Errors
    /// The first that is not, with the nearest that is.
    pub fn matches(&self, inventory: &Inventory, checks: &BTreeSet<&str>) -> Result<(), ConfigError> {
        for (place, keys) in
            [("public", &self.configured.public), ("shared", &self.configured.shared), ("repeatable", &self.repeatable)]
        {
            for key in keys {
                operation(inventory, key, place)?;
            }
        }
        for (name, values) in &self.configured.values {
            let operation = operation(inventory, &key(name, "values")?, "values")?;
            for parameter in values.keys().filter(|name| *name != "body") {
                let known = operation.parameters.iter().map(|p| p.name.as_str());
                if !known.clone().any(|known| known == parameter) {
                    let nearest = nearest(parameter, known);
                    let place = format!("values.{name}");
                    return Err(ConfigError::NoSuch { place, kind: "parameter", name: parameter.clone(), nearest });
                }
            }
        }
        for ignored in &self.ignored {
            if !checks.contains(ignored.check.as_str()) {
                let nearest = nearest(&ignored.check, checks.iter().copied());
                let (place, name) = ("suppress".into(), ignored.check.clone());
                return Err(ConfigError::NoSuch { place, kind: "check", name, nearest });
            }
            if let Some(name) = &ignored.operation {
                operation(inventory, &key(name, "suppress")?, "suppress")?;
            }
        }
        Ok(())
    }
}

/// A text such as `GET /orders/{id}` as an operation's name.
///
/// # Errors
/// It has another form.
pub(super) fn key(text: &str, place: &'static str) -> Result<OperationKey, ConfigError> {
    let form = || ConfigError::Form { place: place.into(), wanted: "a list of operations such as `GET /health`" };
    let (method, path) = text.trim().split_once(' ').filter(|(_, p)| p.trim().starts_with('/')).ok_or_else(form)?;
    Ok(OperationKey { method: method.to_ascii_uppercase(), path: path.trim().into() })
}

/// The operation of this name.
fn operation<'i>(inventory: &'i Inventory, key: &OperationKey, place: &str) -> Result<&'i Operation, ConfigError> {
    let named = |o: &&std::sync::Arc<Operation>| (&o.method, &o.path) == (&key.method, &key.path);
    if let Some(operation) = inventory.operations.iter().find(named) {
        return Ok(operation);
    }
    let known: Vec<String> = inventory.operations.iter().map(|o| format!("{} {}", o.method, o.path)).collect();
    let name = key.to_string();
    // The path below another base path, or the same path of another method, is nearer than a like spelling.
    let below = known.iter().find(|k| {
        let (method, path) = k.split_once(' ').unwrap_or_default();
        method == key.method && (path.ends_with(&key.path) || key.path.ends_with(path))
    });
    let nearest = below.cloned().or_else(|| nearest(&name, known.iter().map(String::as_str)));
    Err(ConfigError::NoSuch { place: place.into(), kind: "operation", name, nearest })
}

/// The name that is spelled most alike, if any is.
fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    let distance = |k: &&str| damerau_levenshtein(&name.to_lowercase(), &k.to_lowercase());
    known.min_by_key(distance).filter(|k| distance(k) <= 2 + name.chars().count() / 3).map(Into::into)
}

/// A day as `YYYY-MM-DD`.
///
/// # Errors
/// It is none.
pub(super) fn day(text: &str, place: &str) -> Result<String, ConfigError> {
    // The parser also takes signs, spaces and short numbers.
    let is_day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok_and(|day| day.to_string() == text);
    let form = || ConfigError::Form { place: place.into(), wanted: "a day such as `2027-01-31`" };
    is_day.then(|| text.to_owned()).ok_or_else(form)
}

/// Checks that a credential holds something that can be one.
///
/// # Errors
/// It is empty, or a variable that nobody expanded. The value is not repeated.
pub fn holds_something(credential: &Credential, place: &str) -> Result<(), ConfigError> {
    let value = credential.value.expose().trim();
    let is_scheme_alone = ["bearer", "basic", "token", "digest", "apikey", "jwt"]
        .contains(&value.to_ascii_lowercase().as_str())
        && matches!(&credential.place, Place::Header { name, .. } if name.eq_ignore_ascii_case("authorization"));
    let why = match () {
        () if value.is_empty() || is_scheme_alone => "is empty",
        () if is_variable(value) => "is the name of a variable that was not expanded",
        () => return Ok(()),
    };
    Err(ConfigError::NoCredential { place: place.into(), why })
}

/// True for `$NAME`, `${NAME}`, `%NAME%`, `{{ name }}` and `@env:` in another spelling, as a whole.
///
/// **Source**: shells, cmd.exe, and the templates of Postman, GitHub Actions and Helm.
fn is_variable(value: &str) -> bool {
    let is_name = |name: &str| {
        let name = name.trim();
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        !name.is_empty() && name.chars().all(is_word) && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    };
    let inside = |before: &str, after: &str| {
        value.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).is_some_and(is_name)
    };
    // `$word` in small letters may be a password.
    let is_capital = value.chars().all(|c| !c.is_ascii_lowercase());
    (inside("$", "") && is_capital)
        || [("${", "}"), ("{{", "}}"), ("$(", ")"), ("env:", ""), ("$env:", "")]
            .iter()
            .any(|(before, after)| inside(before, after))
        || (inside("%", "%") && is_capital)
}
