//! An order API with a key for dashboards, which asks for its scope on writing or does not.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use model::Mode;
use serde_json::json;

use crate::Pair;

const OWNER: &str = "ak_q7zk3m9xw2vt";
const DASHBOARD: &str = "ak_h5np8r4ydj6s";

#[derive(Clone, Copy, PartialEq)]
enum Scope {
    AskedFor,
    Forgotten,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    vec![Pair { check: "read-only-key-writes", vulnerable: serve(Scope::Forgotten), fixed: serve(Scope::AskedFor) }]
}

fn serve(scope: Scope) -> Served {
    let shown = || Json(json!({ "currency": "EUR" })).into_response();
    let settings =
        get(move |headers: HeaderMap| async move { refusal(&headers, &[OWNER, DASHBOARD]).unwrap_or_else(shown) }).put(
            move |headers: HeaderMap| async move {
                let writers: &[&str] = if scope == Scope::Forgotten { &[OWNER, DASHBOARD] } else { &[OWNER] };
                refusal(&headers, writers).unwrap_or_else(shown)
            },
        );
    let schema = json!({
        "type": "object",
        "required": ["currency"],
        "properties": { "currency": { "type": "string", "example": "EUR" } }
    });
    let answers = json!({ "200": { "description": "settings" } });
    let description = json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": { "/settings": {
            "get": { "responses": answers },
            "put": {
                "requestBody": { "required": true, "content": { "application/json": { "schema": schema } } },
                "responses": answers
            }
        } },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    });
    let mut served = Served::new(description, Router::new().route("/settings", settings))
        .with_identity("dashboard", "X-API-Key", DASHBOARD)
        .with_identity("owner", "X-API-Key", OWNER)
        .with_repeatable("PUT", "/settings")
        .in_mode(Mode::Active);
    for identity in served.identities.iter_mut().filter(|identity| identity.name == "dashboard") {
        identity.role = Some("read-only".into());
    }
    served
}

/// The refusal of a key that none of these is.
fn refusal(headers: &HeaderMap, keys: &[&str]) -> Option<Response> {
    let key = headers.get("x-api-key").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (status, error) = match key {
        key if keys.contains(&key) => return None,
        OWNER | DASHBOARD => (StatusCode::FORBIDDEN, "insufficient scope"),
        _ => (StatusCode::UNAUTHORIZED, "unknown key"),
    };
    Some((status, Json(json!({ "error": error }))).into_response())
}
