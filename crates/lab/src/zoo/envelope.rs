//! Protected APIs that say 200 to everything: the refusal is in the body.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use engine::testing::Served;
use serde_json::{Value, json};

use super::credentials::{caller, with_people};
use super::{answer, describe, notes};

/// Refusals as `{"success":false,"error":{"code":…}}`.
pub(super) fn errors_in_200() -> Served {
    serve_inside("Notes in an envelope", success_schema, |outcome| match outcome {
        Ok(data) => json!({ "success": true, "data": data }),
        Err(failure) => json!({
            "success": false,
            "error": { "code": failure.code(), "message": failure.message() },
        }),
    })
}

/// Refusals as GraphQL writes them: `{"data":null,"errors":[{"extensions":{"code":…}}]}`.
///
/// **Source**: GraphQL specification, October 2021, section 7.1; the codes are Apollo Server's.
pub(super) fn graphql_like() -> Served {
    serve_inside("Notes, GraphQL fashion", data_schema, |outcome| match outcome {
        Ok(data) => json!({ "data": data }),
        Err(failure) => json!({
            "data": null,
            "errors": [{
                "message": failure.message(),
                "extensions": { "code": failure.graphql_code() },
            }],
        }),
    })
}

#[derive(Clone, Copy)]
enum Failure {
    NotSignedIn,
    Absent,
    WrongMethod,
}

impl Failure {
    fn code(self) -> &'static str {
        match self {
            Self::NotSignedIn => "AUTH_REQUIRED",
            Self::Absent => "NOT_FOUND",
            Self::WrongMethod => "METHOD_NOT_ALLOWED",
        }
    }

    fn graphql_code(self) -> &'static str {
        match self {
            Self::NotSignedIn => "UNAUTHENTICATED",
            Self::Absent => "NOT_FOUND",
            Self::WrongMethod => "BAD_REQUEST",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::NotSignedIn => "Sign in to continue.",
            Self::Absent => "There is nothing here.",
            Self::WrongMethod => "This cannot be done here.",
        }
    }
}

fn serve_inside(title: &str, schema: fn(Value) -> Value, wrap: fn(Result<Value, Failure>) -> Value) -> Served {
    let mut paths = notes::paths();
    let content = "/get/responses/200/content/application~1json/schema";
    for item in paths.as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        if let Some(inner) = item.pointer_mut(content) {
            *inner = schema(inner.take());
        }
    }
    let router = Router::new().fallback(move |request: Request| async move {
        respond(request.method(), request.uri().path(), request.headers(), wrap)
    });
    with_people(Served::new(describe::protected(title, paths), router))
}

fn respond(method: &Method, path: &str, headers: &HeaderMap, wrap: fn(Result<Value, Failure>) -> Value) -> Response {
    let outcome = match caller(headers) {
        None => Err(Failure::NotSignedIn),
        Some(_) if !matches!(*method, Method::GET | Method::HEAD) => Err(Failure::WrongMethod),
        Some(person) => notes::read(person, path).ok_or(Failure::Absent),
    };
    answer::json_with(StatusCode::OK, wrap(outcome))
}

fn success_schema(data: Value) -> Value {
    json!({
        "type": "object",
        "required": ["success"],
        "properties": {
            "success": { "type": "boolean" },
            "data": data,
            "error": describe::object(json!({ "code": describe::text(), "message": describe::text() })),
        },
    })
}

fn data_schema(data: Value) -> Value {
    let mut data = data;
    data["nullable"] = json!(true);
    json!({
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": data,
            "errors": { "type": "array", "items": { "type": "object" } },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::{get, with_authorization};

    #[tokio::test]
    async fn the_refusal_is_a_200() {
        let served = errors_in_200();
        let garbage = with_authorization(&served, "Bearer garbage", "/api/notes").await;
        for refused in [get(&served, None, "/api/notes").await, garbage] {
            assert_eq!(refused.status, 200);
            assert_eq!(refused.json()["success"], false);
            assert_eq!(refused.json()["error"]["code"], "AUTH_REQUIRED");
        }
        let accepted = get(&served, Some("alice"), "/api/notes").await;
        assert_eq!(accepted.json()["success"], true);
        assert_eq!(accepted.json()["data"]["notes"][0]["id"], notes::ALICE_NOTE);
    }

    #[tokio::test]
    async fn a_note_of_another_is_absent_inside_the_200() {
        let path = format!("/api/notes/{}", notes::ALICE_NOTE);
        let answer = get(&errors_in_200(), Some("bob"), &path).await;
        assert_eq!(answer.json()["error"]["code"], "NOT_FOUND");
        let answer = get(&graphql_like(), Some("bob"), &path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "NOT_FOUND");
    }

    #[tokio::test]
    async fn the_graphql_refusal_has_its_code() {
        let refused = get(&graphql_like(), None, "/api/me").await;
        assert_eq!(refused.status, 200);
        assert_eq!(refused.json()["data"], Value::Null);
        assert_eq!(refused.json()["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        let accepted = get(&graphql_like(), Some("bob"), "/api/me").await;
        assert_eq!(accepted.json()["data"]["name"], "Bob");
    }
}
