//! Routing that looks like a way around the sign-in and is none.

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use engine::testing::Served;

use super::credentials::caller;
use super::{answer, notes};

const ALLOW: [(axum::http::HeaderName, &str); 1] = [(header::ALLOW, "GET, HEAD, OPTIONS")];

/// Slashes at the end, doubled slashes, upper case and `.json` all reach the same protected operation.
pub(super) fn forgiving_paths() -> Served {
    notes::served_by(Router::new().fallback(|request: Request| async move {
        let Some(person) = caller(request.headers()) else {
            return answer::refused();
        };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return (StatusCode::METHOD_NOT_ALLOWED, ALLOW).into_response();
        }
        answer::found(notes::read(person, &canonical(request.uri().path())))
    }))
}

/// 204 to every OPTIONS without credentials; HEAD needs them like GET.
pub(super) fn polite_methods() -> Served {
    notes::served_by(notes::router().layer(from_fn(answer_options)))
}

fn canonical(path: &str) -> String {
    let path = path.to_ascii_lowercase();
    let path = path.strip_suffix(".json").unwrap_or(&path);
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .fold(String::new(), |canonical, segment| canonical + "/" + segment)
}

async fn answer_options(request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, ALLOW).into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::{ask, get};

    #[tokio::test]
    async fn every_spelling_is_the_same_protected_operation() {
        let served = forgiving_paths();
        let plain = get(&served, Some("alice"), "/api/notes").await;
        for path in ["/api/notes/", "/API/Notes", "//api//notes", "/api/notes.json"] {
            assert_eq!(get(&served, Some("alice"), path).await.body, plain.body, "{path}");
            assert_eq!(get(&served, None, path).await.status, 401, "{path}");
        }
    }

    #[tokio::test]
    async fn options_needs_nothing_and_head_needs_credentials() {
        let served = polite_methods();
        let options = ask(&served, None, "OPTIONS", "/api/notes", &[], "").await;
        assert_eq!(options.status, 204);
        assert_eq!(options.header("allow"), Some("GET, HEAD, OPTIONS"));
        assert!(options.body.is_empty());
        assert_eq!(ask(&served, None, "HEAD", "/api/notes", &[], "").await.status, 401);
        let head = ask(&served, Some("alice"), "HEAD", "/api/notes", &[], "").await;
        assert_eq!(head.status, 200);
        assert!(head.body.is_empty());
    }
}
