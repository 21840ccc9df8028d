//! A profile API behind a key, with the headers of a fresh installation or with considered ones.

use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

const KEYS: [(&str, &str); 2] = [("alice", "ak_7f3e91d0c4b2"), ("bob", "ak_1b90ffce77a3")];

#[derive(Clone, Copy, PartialEq)]
enum Setup {
    Considered,
    Banner,
    SilentRefusal,
    PlainCookie,
    PublicCache,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, setup| Pair { check, vulnerable: serve(setup), fixed: serve(Setup::Considered) };
    vec![
        pair("server-fingerprint", Setup::Banner),
        pair("unauthorized-without-challenge", Setup::SilentRefusal),
        pair("insecure-cookie", Setup::PlainCookie),
        pair("cacheable-private-answer", Setup::PublicCache),
    ]
}

fn serve(setup: Setup) -> Served {
    let router = Router::new().route("/me", get(move |headers: HeaderMap| async move { me(setup, &headers) }));
    let mut served = Served::new(description(), router);
    for (name, key) in KEYS {
        served = served.with_identity(name, "X-API-Key", key);
    }
    served
}

fn me(setup: Setup, request: &HeaderMap) -> Response {
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        headers.append(HeaderName::from_static(name), value.parse().expect("a header value"));
    };
    set("server", if setup == Setup::Banner { "gunicorn/20.0.4" } else { "gunicorn" });
    let key = request.get("x-api-key").and_then(|v| v.to_str().ok());
    let Some((name, _)) = KEYS.iter().find(|(_, own)| key == Some(own)) else {
        if setup != Setup::SilentRefusal {
            set("www-authenticate", "ApiKey realm=\"profile\"");
        }
        return (StatusCode::UNAUTHORIZED, headers, Json(json!({ "error": "unauthorized" }))).into_response();
    };
    set("cache-control", if setup == Setup::PublicCache { "public, max-age=300" } else { "no-store" });
    let attributes = if setup == Setup::PlainCookie { "" } else { "; HttpOnly; SameSite=Lax" };
    set("set-cookie", &format!("session=5f3759df; Path=/{attributes}"));
    (headers, Json(json!({ "name": name, "plan": "small" }))).into_response()
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Profile", "version": "1" },
        "paths": { "/me": { "get": { "responses": { "200": { "description": "the caller" } } } } },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    })
}
