//! Comparing refusals, and quoting them.

use std::collections::BTreeSet;

use engine::controls::{Sameness, content};
use model::Response;
use serde_json::Value;

/// Longest quotation of a refusal, in characters.
///
/// **Source**: chosen; a line of a report.
const LONGEST: usize = 60;

/// Members under which refusals put their words.
///
/// **Source**: RFC 9457 (`detail`, `title`), RFC 6749 (`error_description`), FastAPI, Express, Flask.
const WORDS: [&str; 8] = ["message", "detail", "error_description", "error", "title", "reason", "msg", "description"];

/// True if two refusals are the same, leaving out what differs at every request.
pub(crate) fn alike(a: &Response, b: &Response, volatile: &BTreeSet<String>) -> bool {
    if a.status != b.status || a.headers.first("www-authenticate") != b.headers.first("www-authenticate") {
        return false;
    }
    a.body == b.body || content(a, b, volatile) == Sameness::Same
}

/// What two refusals say, quoted; with their status where the words alone are the same.
pub(crate) fn said_apart(a: &Response, b: &Response) -> (String, String) {
    let (x, y) = (said(a), said(b));
    match (x, y) {
        (Some(x), Some(y)) if x != y => (format!("\"{x}\""), format!("\"{y}\"")),
        (x, y) => (with_status(a, x), with_status(b, y)),
    }
}

fn with_status(response: &Response, words: Option<String>) -> String {
    words.map_or_else(|| response.status.to_string(), |words| format!("{} \"{words}\"", response.status))
}

fn said(response: &Response) -> Option<String> {
    let words = match response.json() {
        Some(body) => words(&body)?,
        None if response.media_type().contains("html") => return None,
        None => response.body.text().into_owned(),
    };
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then(|| line.chars().take(LONGEST).collect())
}

fn words(body: &Value) -> Option<String> {
    match body {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => items.first().and_then(words),
        Value::Object(fields) => WORDS.iter().find_map(|name| fields.get(*name)).and_then(words),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
