//! An order API that checks its key everywhere, nowhere, or only for presence.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ak_7f3e91d0c4b2";

#[derive(Clone, Copy)]
enum KeyCheck {
    Exact,
    OfOneRouteForgotten,
    Presence,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, defect| Pair { check, vulnerable: serve(defect), fixed: serve(KeyCheck::Exact) };
    vec![
        pair("unauthenticated-access", KeyCheck::OfOneRouteForgotten),
        pair("garbage-credential-accepted", KeyCheck::Presence),
    ]
}

fn serve(check: KeyCheck) -> Served {
    let list = get(move |headers: HeaderMap| async move {
        guarded(&headers, check, || Json(json!([{ "id": 7, "item": "lamp" }])))
    });
    let one = get(move |Path(id): Path<String>, headers: HeaderMap| async move {
        let order = move || match id.as_str() {
            "7" => Json(json!({ "id": 7, "item": "lamp", "email": "alice@shop.test" })).into_response(),
            _ => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such order" }))).into_response(),
        };
        match check {
            KeyCheck::OfOneRouteForgotten => order(),
            KeyCheck::Exact | KeyCheck::Presence => guarded(&headers, check, order),
        }
    });
    let router = Router::new().route("/orders", list).route("/orders/{id}", one);
    Served::new(description(), router).with_identity("alice", "X-API-Key", KEY)
}

fn guarded<R: IntoResponse>(headers: &HeaderMap, check: KeyCheck, answer: impl FnOnce() -> R) -> Response {
    let key = headers.get("x-api-key").and_then(|v| v.to_str().ok());
    let admitted = match check {
        KeyCheck::Exact | KeyCheck::OfOneRouteForgotten => key == Some(KEY),
        KeyCheck::Presence => key.is_some(),
    };
    if admitted {
        answer().into_response()
    } else {
        (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unauthorized" }))).into_response()
    }
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": {
            "/orders": { "get": { "responses": { "200": { "description": "orders" } } } },
            "/orders/{id}": { "get": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } }],
                "responses": { "200": { "description": "an order" } }
            } }
        },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    })
}
