//! Conditions on rows, as DynamoDB's expressions and PartiQL write them; only what the records API needs.

use serde_json::{Map, Value};

/// A condition that cannot be read.
pub(super) struct Rejected;

/// A condition on a row.
pub(super) enum Condition {
    Equal(String, String),
    Exists(String),
    Missing(String),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

impl Condition {
    pub(super) fn equal(attribute: &str, value: &str) -> Self {
        Self::Equal(attribute.into(), value.into())
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self::And(Box::new(self), Box::new(other))
    }

    fn or(self, other: Self) -> Self {
        Self::Or(Box::new(self), Box::new(other))
    }

    /// A condition expression, with the values of its placeholders.
    pub(super) fn expression(text: &str, values: &[(&str, &str)]) -> Result<Self, Rejected> {
        parse(text, "or", "and", &|comparison| {
            let inside = |function: &str| comparison.strip_prefix(function)?.strip_suffix(')').and_then(name);
            if let Some(attribute) = inside("attribute_exists(") {
                return Ok(Self::Exists(attribute));
            }
            if let Some(attribute) = inside("attribute_not_exists(") {
                return Ok(Self::Missing(attribute));
            }
            let (attribute, placeholder) = comparison.split_once(" = ").ok_or(Rejected)?;
            let value = values.iter().find(|(name, _)| *name == placeholder).ok_or(Rejected)?.1;
            Ok(Self::Equal(name(attribute).ok_or(Rejected)?, value.into()))
        })
    }

    /// The condition of a PartiQL statement.
    pub(super) fn statement(text: &str) -> Result<Self, Rejected> {
        parse(text, "OR", "AND", &|comparison| {
            if let Some(attribute) = comparison.strip_suffix(" IS NOT MISSING") {
                return Ok(Self::Exists(name(attribute).ok_or(Rejected)?));
            }
            if let Some(attribute) = comparison.strip_suffix(" IS MISSING") {
                return Ok(Self::Missing(name(attribute).ok_or(Rejected)?));
            }
            let (attribute, value) = comparison.split_once(" = ").ok_or(Rejected)?;
            let value = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')).ok_or(Rejected)?;
            if value.replace("''", "").contains('\'') {
                return Err(Rejected);
            }
            Ok(Self::Equal(name(attribute).ok_or(Rejected)?, value.replace("''", "'")))
        })
    }

    pub(super) fn holds(&self, row: &Map<String, Value>) -> bool {
        match self {
            Self::Equal(attribute, value) => row.get(attribute).is_some_and(|held| held == value),
            Self::Exists(attribute) => row.contains_key(attribute),
            Self::Missing(attribute) => !row.contains_key(attribute),
            Self::And(a, b) => a.holds(row) && b.holds(row),
            Self::Or(a, b) => a.holds(row) || b.holds(row),
        }
    }
}

/// The attributes of a row that a projection names.
pub(super) fn project(row: &Map<String, Value>, projection: &str) -> Map<String, Value> {
    let names: Vec<&str> = projection.split(',').map(str::trim).collect();
    row.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(n, v)| (n.clone(), v.clone())).collect()
}

fn parse(
    text: &str,
    or: &str,
    and: &str,
    comparison: &dyn Fn(&str) -> Result<Condition, Rejected>,
) -> Result<Condition, Rejected> {
    let mut whole: Option<Condition> = None;
    for alternative in text.split(&format!(" {or} ")) {
        let mut all: Option<Condition> = None;
        for part in alternative.split(&format!(" {and} ")) {
            let part = comparison(part.trim())?;
            all = Some(match all {
                Some(before) => before.and(part),
                None => part,
            });
        }
        let all = all.ok_or(Rejected)?;
        whole = Some(match whole {
            Some(before) => before.or(all),
            None => all,
        });
    }
    whole.ok_or(Rejected)
}

fn name(text: &str) -> Option<String> {
    let is_name = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| text.to_owned())
}
