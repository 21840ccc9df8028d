//! Notes whose every answer, refusals too, differs from the one before.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use engine::testing::Served;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::credentials::{caller, with_people};
use super::{answer, describe, notes};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A counter, a request id, the time and two tokens beside the data.
pub(super) fn another_body_each_time() -> Served {
    let counter = Arc::new(Mutex::new(0));
    let router = Router::new().fallback(move |request: Request| {
        let number = next(&counter);
        async move { respond(&request, number) }
    });
    with_people(Served::new(describe::protected("Notes with a trace", paths()), router))
}

fn next(counter: &Mutex<u64>) -> u64 {
    let mut number = counter.lock().unwrap_or_else(PoisonError::into_inner);
    *number += 1;
    *number
}

fn respond(request: &Request, number: u64) -> Response {
    let request_id = hex(&unpredictable("request", number)[..16]);
    let mut response = match (caller(request.headers()), request.method()) {
        (None, _) => {
            let mut response = answer::refused();
            let body = json!({ "error": "unauthorized", "request_id": request_id, "served": number });
            *response.body_mut() = body.to_string().into();
            response.headers_mut().remove(header::CONTENT_LENGTH);
            response
        }
        (Some(person), &Method::GET | &Method::HEAD) => match notes::read(person, request.uri().path()) {
            Some(data) => answer::json_with(StatusCode::OK, traced(data, &request_id, number)),
            None => answer::json_with(
                StatusCode::NOT_FOUND,
                json!({ "error": "not_found", "request_id": request_id, "served": number }),
            ),
        },
        (Some(_), _) => answer::json_with(
            StatusCode::METHOD_NOT_ALLOWED,
            json!({ "error": "method_not_allowed", "request_id": request_id, "served": number }),
        ),
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

fn traced(data: Value, request_id: &str, number: u64) -> Value {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    json!({
        "data": data,
        "request_id": request_id,
        "served": number,
        "served_at_ms": now_ms,
        "csrf_token": hex(&unpredictable("form", number)),
        "next_token": hex(&unpredictable("page", number)[..12]),
    })
}

fn unpredictable(purpose: &str, number: u64) -> [u8; 32] {
    Sha256::new().chain_update(purpose).chain_update(number.to_be_bytes()).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn paths() -> Value {
    let mut paths = notes::paths();
    let content = "/get/responses/200/content/application~1json/schema";
    for item in paths.as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        if let Some(schema) = item.pointer_mut(content) {
            *schema = describe::object(json!({
                "data": schema.take(),
                "request_id": describe::text(),
                "served": { "type": "integer" },
                "served_at_ms": { "type": "integer" },
                "csrf_token": describe::text(),
                "next_token": describe::text(),
            }));
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::get;

    #[tokio::test]
    async fn no_two_answers_are_equal_and_the_data_is() {
        let served = another_body_each_time();
        let first = get(&served, Some("alice"), "/api/notes").await;
        let second = get(&served, Some("alice"), "/api/notes").await;
        assert_ne!(first.body, second.body);
        assert_eq!(first.json()["data"], second.json()["data"]);
        assert_ne!(first.json()["csrf_token"], second.json()["csrf_token"]);
        assert_eq!(first.header("x-request-id"), first.json()["request_id"].as_str());
    }

    #[tokio::test]
    async fn refusals_differ_too() {
        let served = another_body_each_time();
        let first = get(&served, None, "/api/notes").await;
        let second = get(&served, None, "/api/notes").await;
        assert_eq!((first.status, second.status), (401, 401));
        assert!(first.header("www-authenticate").is_some());
        assert_ne!(first.json(), second.json());
    }
}
