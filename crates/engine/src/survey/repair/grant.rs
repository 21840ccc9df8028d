//! Makes a value that an API should accept, as near to the rejected one as the wish allows.

use serde_json::{Value, json};

use super::Wish;
use super::matching;

/// Longest value that is made to please a minimum length, in characters or items.
const LONGEST: usize = 10_000;

/// The contract stands at [`super::value_for`].
pub(super) fn value_for(wish: &Wish, current: Option<&Value>) -> Option<Value> {
    Some(match wish {
        Wish::Present | Wish::Absent => return None,
        Wish::OneOf(values) => one_of(values, current)?,
        Wish::Integer => whole(number(current).map_or(1.0, f64::trunc)),
        Wish::Number => number(current).map_or(json!(1), whole),
        Wish::Boolean => json!(truth(current)),
        Wish::Text => json!(text(current).unwrap_or_else(|| "sample".into())),
        Wish::Date => json!(day(current).unwrap_or_else(|| "2024-01-15".into())),
        Wish::DateTime => json!(format!("{}T12:00:00Z", day(current).unwrap_or_else(|| "2024-01-15".into()))),
        // The example of Swagger UI, a well-formed version 4 UUID.
        Wish::Uuid => json!("3fa85f64-5717-4562-b3fc-2c963f66afa6"),
        Wish::Email => json!(email(current)),
        Wish::Url => json!("https://example.com/"),
        // A whole number pleases integers and decimals alike.
        Wish::AtLeast(bound) => whole(number(current).filter(|n| n >= bound).unwrap_or_else(|| bound.ceil())),
        Wish::AtMost(bound) => whole(number(current).filter(|n| n <= bound).unwrap_or_else(|| bound.floor())),
        Wish::AtLeastLong(length) => lengthened(*length, current)?,
        Wish::AtMostLong(length) => shortened(*length, current),
        Wish::List => match current {
            Some(Value::Array(_)) => current?.clone(),
            None | Some(Value::Null) => json!([]),
            Some(other) => json!([other]),
        },
        Wish::Object => current.filter(|c| c.is_object()).cloned().unwrap_or_else(|| json!({})),
        Wish::Matching(source) => json!(matching::text_matching(source, text(current).as_deref())?),
    })
}

fn one_of(values: &[String], current: Option<&Value>) -> Option<Value> {
    let said = text(current).unwrap_or_default();
    let chosen = values.iter().find(|v| v.eq_ignore_ascii_case(&said)).or(values.first())?;
    let numeric = matches!(current, Some(Value::Number(_))).then(|| chosen.parse().ok()).flatten();
    Some(numeric.map_or_else(|| json!(chosen), whole))
}

/// The number that a value is or spells; a finite one.
fn number(current: Option<&Value>) -> Option<f64> {
    let found = match current? {
        Value::Number(n) => n.as_f64(),
        Value::String(s) => s.trim().parse().ok(),
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        _ => None,
    };
    found.filter(|n| n.is_finite())
}

/// A JSON number without a fraction where the number has none.
fn whole(number: f64) -> Value {
    // Integers beyond 2^53 have no exact double.
    if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 { json!(number as i64) } else { json!(number) }
}

fn truth(current: Option<&Value>) -> bool {
    match current {
        Some(Value::Bool(b)) => *b,
        Some(Value::Number(n)) => n.as_f64() != Some(0.0),
        Some(Value::String(s)) => !matches!(s.trim().to_ascii_lowercase().as_str(), "false" | "0" | "no" | "off"),
        _ => true,
    }
}

fn text(current: Option<&Value>) -> Option<String> {
    match current? {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// The leading `YYYY-MM-DD` of a value, if it is a plausible day.
fn day(current: Option<&Value>) -> Option<String> {
    let said = text(current)?;
    let day = said.get(..10)?;
    let mut parts = day.splitn(3, '-');
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    let is_day = year.len() == 4
        && year.parse::<u16>().is_ok()
        && month.parse::<u8>().is_ok_and(|m| (1..=12).contains(&m))
        && date.parse::<u8>().is_ok_and(|d| (1..=28).contains(&d));
    is_day.then(|| day.into())
}

fn email(current: Option<&Value>) -> String {
    let said = text(current).unwrap_or_default();
    let local: String =
        said.split('@').next().unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(32).collect();
    if local.is_empty() { "user@example.com".into() } else { format!("{local}@example.com") }
}

fn lengthened(length: usize, current: Option<&Value>) -> Option<Value> {
    if length > LONGEST {
        return None;
    }
    if let Some(Value::Array(items)) = current {
        let filler = items.last().cloned().unwrap_or_else(|| json!("sample"));
        let missing = length.saturating_sub(items.len());
        return Some(Value::Array(items.iter().cloned().chain(std::iter::repeat_n(filler, missing)).collect()));
    }
    let said = text(current).unwrap_or_default();
    let missing = length.saturating_sub(said.chars().count());
    let filler = said.chars().last().filter(char::is_ascii_alphanumeric).unwrap_or('a');
    Some(json!(said.chars().chain(std::iter::repeat_n(filler, missing)).collect::<String>()))
}

fn shortened(length: usize, current: Option<&Value>) -> Value {
    match current {
        Some(Value::Array(items)) => Value::Array(items.iter().take(length).cloned().collect()),
        _ => json!(text(current).unwrap_or_else(|| "a".into()).chars().take(length).collect::<String>()),
    }
}
