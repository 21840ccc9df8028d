//! Queries, ids and bodies, read strictly: what the description does not declare is refused.

use axum::body::{Body, to_bytes};
use axum::extract::Query;
use axum::http::{HeaderMap, Uri, header};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::problem::Problem;

/// The largest body, in bytes. Chosen: many times the largest order.
const BODY_LIMIT: usize = 16 * 1024;

/// The query's parameters, each known to the operation and given at most once.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// # Errors
    /// 422 for an unknown, repeated or undecodable parameter.
    pub(super) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
            return Err(Problem::invalid("The query cannot be decoded."));
        };
        for (index, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Problem::invalid("The query has an unknown parameter."));
            }
            if pairs[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Problem::invalid("The query repeats a parameter."));
            }
        }
        Ok(Self(pairs))
    }

    /// The value as sent, decoded.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name)?;
        Some(&pair.1)
    }

    /// Rows per page: 1 to 50, 20 unless given.
    ///
    /// # Errors
    /// 422 for anything but one or two digits within the range.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let Some(value) = self.value("limit") else {
            return Ok(20);
        };
        let digits = matches!(value.len(), 1 | 2) && value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse() {
            Ok(limit @ 1..=50) if digits => Ok(limit),
            _ => Err(Problem::invalid("limit is a number from 1 to 50.")),
        }
    }
}

/// The UUID in its only accepted form: 36 characters with hyphens.
///
/// **Source**: RFC 9562, section 4.
///
/// # Errors
/// 422 for every other form.
pub(super) fn uuid(text: &str) -> Result<Uuid, Problem> {
    if text.len() != 36 {
        return Err(Problem::invalid("The id is a UUID."));
    }
    Uuid::try_parse(text).map_err(|_| Problem::invalid("The id is a UUID."))
}

/// The members of the body, which the operation then takes apart: derived deserializers would take a
/// list for an object.
///
/// # Errors
/// 415 for another content type, 413 for too many bytes, 400 for what is no JSON, 422 for JSON that is
/// no object.
pub(super) async fn json_body(headers: &HeaderMap, body: Body) -> Result<Map<String, Value>, Problem> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    if !content_type.trim().eq_ignore_ascii_case("application/json") {
        return Err(Problem::UNSUPPORTED_TYPE);
    }
    let Ok(bytes) = to_bytes(body, BODY_LIMIT).await else {
        return Err(Problem::TOO_LARGE);
    };
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Problem::UNDECLARED),
        Err(_) => Err(Problem::NOT_JSON),
    }
}
