//! Servers that repeat the request: whatever was sent comes back, with 200.

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::Response;
use engine::testing::Served;
use serde_json::{Map, Value, json};

use super::credentials::{caller_by_key, with_people, with_people_by_key};
use super::{answer, describe};

/// What is read of a body, in bytes.
const BODY_LIMIT: usize = 64 * 1024;

/// The headers that an echo without credentials repeats.
const HARMLESS: [HeaderName; 4] = [header::ACCEPT, header::CONTENT_TYPE, header::HOST, header::USER_AGENT];

/// Public echo of method, path, query, body and harmless headers.
pub(super) fn without_credentials() -> Served {
    let router =
        Router::new().fallback(|request: Request| async move { repeat(request, |name| HARMLESS.contains(name)).await });
    with_people(Served::new(describe::open("Echo", paths()), router))
}

/// Echo for callers with a key, which repeats the key too.
pub(super) fn of_everything() -> Served {
    let router = Router::new().fallback(|request: Request| async move {
        if caller_by_key(request.headers()).is_none() {
            return answer::json_with(
                StatusCode::UNAUTHORIZED,
                json!({ "error": "unauthorized", "message": "Send your key in X-Api-Key." }),
            );
        }
        repeat(request, |_| true).await
    });
    let mut description = describe::protected("Echo for customers", paths());
    description["components"]["securitySchemes"]["bearer"] =
        json!({ "type": "apiKey", "in": "header", "name": "X-Api-Key" });
    with_people_by_key(Served::new(description, router))
}

async fn repeat(request: Request, keep: impl Fn(&HeaderName) -> bool) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return answer::json_with(
            StatusCode::PAYLOAD_TOO_LARGE,
            json!({ "error": "too_large", "message": "The body is too large." }),
        );
    };
    answer::json_with(
        StatusCode::OK,
        json!({
            "method": parts.method.as_str(),
            "path": parts.uri.path(),
            "query": parts.uri.query().unwrap_or_default(),
            "headers": repeated_headers(&parts.headers, keep),
            "body": String::from_utf8_lossy(&body),
        }),
    )
}

fn repeated_headers(headers: &HeaderMap, keep: impl Fn(&HeaderName) -> bool) -> Map<String, Value> {
    headers
        .iter()
        .filter(|(name, _)| keep(name))
        .map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.to_string(), Value::String(value))
        })
        .collect()
}

fn paths() -> Value {
    let schema = describe::object(json!({
        "method": describe::text(),
        "path": describe::text(),
        "query": describe::text(),
        "headers": { "type": "object", "additionalProperties": { "type": "string" } },
        "body": describe::text(),
    }));
    let word = json!({ "type": "string", "maxLength": 64, "example": "hello" });
    json!({
        "/anything": { "get": describe::reading("readAnything", "Repeats the request", schema.clone()) },
        "/anything/{word}": { "get": describe::by_id(
            describe::reading("readAnythingBelow", "Repeats the request", schema), "word", word,
        ) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::{ask, credential, get};

    #[tokio::test]
    async fn the_request_comes_back_without_its_credentials() {
        let served = without_credentials();
        let answer = ask(
            &served,
            Some("alice"),
            "POST",
            "/anything/{{7*7}}?q='--",
            &[("cookie", "sid=abcdef"), ("content-type", "text/plain")],
            "a body",
        )
        .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["method"], "POST");
        assert_eq!(answer.json()["query"], "q='--");
        assert_eq!(answer.json()["body"], "a body");
        assert_eq!(answer.json()["headers"]["content-type"], "text/plain");
        assert!(!answer.body.contains("Bearer"));
        assert!(!answer.body.contains("abcdef"));
    }

    #[tokio::test]
    async fn the_echo_of_everything_repeats_the_key_to_its_owner_only() {
        let served = of_everything();
        assert_eq!(get(&served, None, "/anything").await.status, 401);
        let answer = get(&served, Some("alice"), "/anything").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["headers"]["x-api-key"], credential(&served, "alice").1);
    }
}
