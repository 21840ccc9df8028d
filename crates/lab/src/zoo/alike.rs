//! Servers that answer every path alike, so that neither a status nor a body says anything.

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::testing::Served;
use serde_json::json;

use super::{answer, notes};

const PAGE: &str = "<!doctype html><html lang=\"en\"><head><title>Welcome</title></head>\
<body><h1>Welcome</h1><p>Our service is for people. Please come in.</p></body></html>";

const LOGIN_PAGE: &str = "<!doctype html><html lang=\"en\"><head><title>Sign in</title></head>\
<body><h1>Sign in</h1><form method=\"post\" action=\"/login\">\
<label>Name <input name=\"username\"></label>\
<label>Password <input name=\"password\" type=\"password\"></label>\
<button>Sign in</button></form></body></html>";

pub(super) fn same_page() -> Served {
    for_every_path(|| answer::page(StatusCode::OK, PAGE))
}

pub(super) fn same_json() -> Served {
    for_every_path(|| {
        answer::json_with(
            StatusCode::OK,
            json!({ "id": notes::ALICE_NOTE, "title": "Welcome", "text": "Everything is fine.", "notes": [] }),
        )
    })
}

pub(super) fn unauthorized() -> Served {
    for_every_path(answer::refused)
}

pub(super) fn forbidden() -> Served {
    for_every_path(|| {
        answer::json_with(StatusCode::FORBIDDEN, json!({ "error": "forbidden", "message": "You may not see this." }))
    })
}

pub(super) fn not_found() -> Served {
    for_every_path(answer::absent)
}

pub(super) fn too_many_requests() -> Served {
    for_every_path(|| {
        let body = json!({ "error": "too_many_requests", "message": "Come back later." });
        ([(header::RETRY_AFTER, "1")], answer::json_with(StatusCode::TOO_MANY_REQUESTS, body)).into_response()
    })
}

pub(super) fn server_error() -> Served {
    for_every_path(|| {
        answer::json_with(
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({ "error": "internal", "message": "Something went wrong." }),
        )
    })
}

pub(super) fn empty_body() -> Served {
    for_every_path(|| answer::private(StatusCode::OK.into_response()))
}

pub(super) fn login_redirect() -> Served {
    notes::served_by(Router::new().fallback(|request: Request| async move {
        if request.uri().path() == "/login" {
            return answer::page(StatusCode::OK, LOGIN_PAGE);
        }
        answer::private((StatusCode::FOUND, [(header::LOCATION, "/login")]).into_response())
    }))
}

fn for_every_path(respond: fn() -> Response) -> Served {
    notes::served_by(Router::new().fallback(move || async move { respond() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::{Answer, ask, get};

    async fn every_answer(served: &Served) -> Vec<Answer> {
        let mut answers = Vec::new();
        for path in ["/api/me", "/api/notes", "/no/such/path", "/.env"] {
            for identity in [None, Some("alice"), Some("bob")] {
                answers.push(get(served, identity, path).await);
            }
        }
        answers
    }

    #[tokio::test]
    async fn every_path_and_every_caller_get_the_same_answer() {
        let expected: [(fn() -> Served, u16); 8] = [
            (same_page, 200),
            (same_json, 200),
            (unauthorized, 401),
            (forbidden, 403),
            (not_found, 404),
            (too_many_requests, 429),
            (server_error, 500),
            (empty_body, 200),
        ];
        for (serve, status) in expected {
            let answers = every_answer(&serve()).await;
            assert!(answers.iter().all(|answer| answer.status == status));
            assert!(answers.iter().all(|answer| answer.body == answers[0].body));
        }
    }

    #[tokio::test]
    async fn each_has_what_makes_it_believable() {
        assert!(get(&same_page(), None, "/x").await.body.contains("<h1>"));
        assert!(get(&empty_body(), None, "/x").await.body.is_empty());
        let busy = get(&too_many_requests(), None, "/x").await;
        assert_eq!(busy.header("retry-after"), Some("1"));
        let refused = get(&unauthorized(), None, "/x").await;
        assert!(refused.header("www-authenticate").is_some());
    }

    #[tokio::test]
    async fn every_path_leads_to_the_login_page() {
        let served = login_redirect();
        let answer = ask(&served, Some("alice"), "POST", "/api/notes", &[], "{}").await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), Some("/login"));
        let page = get(&served, None, "/login").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("type=\"password\""));
    }
}
