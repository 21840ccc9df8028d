//! What browsers need: a page for every path, and answers to other origins.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine::testing::Served;
use serde_json::{Value, json};

use super::credentials::{Person, caller, with_people};
use super::{answer, describe, notes};

const INDEX: &str = "<!doctype html><html lang=\"en\"><head><title>Notes</title></head>\
<body><div id=\"root\"></div><script src=\"/assets/app.js\"></script></body></html>";

/// The only foreign origin that may read answers.
const TRUSTED_ORIGIN: &str = "https://app.notes.example";

/// `index.html` for unknown paths, readable from every origin; the API is below `/api/v1`, and there
/// is no `/v1`, `/api/v2` or `/admin`, although all of them answer 200.
pub(super) fn single_page_app() -> Served {
    let router = Router::new().nest("/api/v1", notes_below_prefix()).fallback(|request: Request| async move {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let allow = [(header::ALLOW, "GET, HEAD")];
            return (StatusCode::METHOD_NOT_ALLOWED, allow).into_response();
        }
        let shared = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
        (shared, answer::page(StatusCode::OK, INDEX)).into_response()
    });
    let mut description = describe::protected("Notes with an app", notes::paths());
    let mut paths = json!({});
    for (path, item) in description["paths"].as_object().into_iter().flatten() {
        paths[path.replacen("/api", "/api/v1", 1)] = item.clone();
    }
    description["paths"] = paths;
    with_people(Served::new(description, router))
}

/// One trusted origin for the protected operations, every origin for the public one.
///
/// **Source**: Fetch standard, CORS protocol; `Vary` by RFC 9110, section 12.5.5.
pub(super) fn cross_origin() -> Served {
    let private = notes::router().layer(from_fn(share_with_trusted_origin));
    let router = Router::new().route("/status", get(status)).fallback_service(private);
    let mut paths = notes::paths();
    paths["/status"] = json!({ "get": describe::public(describe::reading(
        "readStatus", "For every web page", describe::object(json!({ "status": describe::text() })),
    )) });
    with_people(Served::new(describe::protected("Notes for one web page", paths), router))
}

fn notes_below_prefix() -> Router {
    Router::new().fallback(|request: Request| async move {
        let Some(person) = caller(request.headers()) else {
            return answer::refused();
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let allow = [(header::ALLOW, "GET, HEAD")];
            return (StatusCode::METHOD_NOT_ALLOWED, allow).into_response();
        }
        answer::found(read_below_prefix(person, request.uri().path()))
    })
}

fn read_below_prefix(person: Person, path: &str) -> Option<Value> {
    notes::read(person, &format!("/api{path}"))
}

async fn status() -> Response {
    let shared = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];
    (shared, answer::json_with(StatusCode::OK, json!({ "status": "ok" }))).into_response()
}

async fn share_with_trusted_origin(request: Request, next: Next) -> Response {
    let trusted =
        request.headers().get(header::ORIGIN).is_some_and(|origin| origin.as_bytes() == TRUSTED_ORIGIN.as_bytes());
    let mut response = if request.method() == Method::OPTIONS {
        (StatusCode::NO_CONTENT, [(header::ALLOW, "GET, HEAD, OPTIONS")]).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_name(header::ORIGIN));
    if trusted {
        for (name, value) in GRANTED {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

const GRANTED: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, TRUSTED_ORIGIN),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::{ask, get};

    #[tokio::test]
    async fn unknown_paths_are_the_app_and_known_ones_are_protected() {
        let served = single_page_app();
        for path in ["/", "/v1/notes", "/api/v2/notes", "/admin", "/.env", "/api/v0/me"] {
            let page = get(&served, None, path).await;
            assert_eq!((page.status, page.body.as_str()), (200, INDEX));
            assert_eq!(page.header("access-control-allow-origin"), Some("*"));
        }
        let refused = get(&served, None, "/api/v1/notes").await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.header("access-control-allow-origin"), None);
        assert_eq!(get(&served, Some("alice"), "/api/v1/notes").await.status, 200);
        assert_eq!(get(&served, Some("alice"), "/api/v1/nothing").await.status, 404);
    }

    #[tokio::test]
    async fn only_the_trusted_origin_is_granted() {
        let served = cross_origin();
        for (origin, granted) in [
            (TRUSTED_ORIGIN, Some(TRUSTED_ORIGIN)),
            ("https://app.notes.example.evil.invalid", None),
            ("https://evilapp.notes.example", None),
            ("null", None),
        ] {
            for method in ["OPTIONS", "GET"] {
                let headers = [("origin", origin)];
                let answer = ask(&served, Some("alice"), method, "/api/me", &headers, "").await;
                assert_eq!(answer.header("access-control-allow-origin"), granted);
                assert_eq!(answer.header("access-control-allow-credentials"), None);
                assert_eq!(answer.header("vary"), Some("origin"));
            }
        }
    }

    #[tokio::test]
    async fn the_public_operation_is_for_every_origin() {
        let answer = get(&cross_origin(), None, "/status").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(get(&cross_origin(), None, "/api/me").await.status, 401);
    }
}
