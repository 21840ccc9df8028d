//! An order API that issues keys by counting, or forgets the key of its documents, or draws keys at
//! random.

use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

/// The number of a customer.
const COUNTED: &str = "ak_100482";
/// As in the documents.
const PRINTED: &str = "special-key";
/// 128 bits from a generator that is fit for it.
const RANDOM: &str = "ak_7f3e91d0c4b2a86557e10fd9c3ab4482";

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, key| Pair { check, vulnerable: serve(key), fixed: serve(RANDOM) };
    vec![pair("guessable-key", COUNTED), pair("test-key-in-use", PRINTED)]
}

fn serve(key: &'static str) -> Served {
    let orders = get(move |headers: HeaderMap| async move {
        match headers.get("x-api-key").is_some_and(|sent| sent == key) {
            true => Json(json!([{ "id": 7, "item": "lamp" }])).into_response(),
            false => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unknown key" }))).into_response(),
        }
    });
    Served::new(description(), Router::new().route("/orders", orders)).with_identity("alice", "X-API-Key", key)
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": { "/orders": { "get": { "responses": { "200": { "description": "orders" } } } } },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    })
}
