//! A profile API for web pages, with a session cookie and four ideas of which pages may read it.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use model::{Credential, Identity, Place, Secret};
use serde_json::{Value, json};

use crate::Pair;

const SESSION: &str = "s3_9d81f2c07ab64e5b";

/// The page that may read answers.
const APP: &str = "http://target.localhost";

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, allows| Pair { check, vulnerable: serve(allows), fixed: serve(exactly) };
    vec![
        pair("reflected-origin", |origin| Some(origin.to_owned())),
        pair("null-origin-allowed", |origin| exactly(origin).or((origin == "null").then(|| origin.to_owned()))),
        pair("lookalike-origin-allowed", |origin| origin.starts_with(APP).then(|| origin.to_owned())),
        Pair {
            check: "lookalike-origin-allowed",
            vulnerable: serve(|origin| origin.ends_with("target.localhost").then(|| origin.to_owned())),
            fixed: serve(|origin| (origin == APP || origin.ends_with(".target.localhost")).then(|| origin.to_owned())),
        },
        pair("wildcard-origin-with-credentials", |_| Some("*".to_owned())),
    ]
}

fn exactly(origin: &str) -> Option<String> {
    (origin == APP).then(|| origin.to_owned())
}

fn serve(allows: fn(&str) -> Option<String>) -> Served {
    let router =
        Router::new().route("/profile", get(profile)).layer(from_fn(move |request, next| share(allows, request, next)));
    let mut served = Served::new(description(), router);
    let place = Place::Cookie { name: "session".into() };
    let credentials = vec![Credential { place, value: Secret::new(SESSION) }];
    served.identities.push(Identity { name: "alice".into(), credentials, ..Identity::default() });
    served
}

async fn profile(headers: HeaderMap) -> Response {
    let cookies = headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if cookies.split("; ").any(|cookie| cookie.split_once('=') == Some(("session", SESSION))) {
        return Json(json!({ "name": "Alice", "plan": "team", "seats": 4 })).into_response();
    }
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "sign in first" }))).into_response()
}

async fn share(allows: fn(&str) -> Option<String>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(allowed) =
        origin.and_then(|origin| allows(&origin)).and_then(|allowed| HeaderValue::try_from(allowed).ok())
    {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Profiles", "version": "1" },
        "paths": { "/profile": { "get": { "responses": { "200": { "description": "the caller's profile" } } } } },
        "components": { "securitySchemes": { "session": { "type": "apiKey", "in": "cookie", "name": "session" } } },
        "security": [{ "session": [] }]
    })
}
