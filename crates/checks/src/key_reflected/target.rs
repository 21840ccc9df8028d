//! An order API whose refusals repeat the key, as `f"unknown key {key}"` does.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ak_q7zk3m9xw2vt5r8d";

#[derive(Clone, Copy, PartialEq)]
enum Repeats {
    Nothing,
    InText,
    InChallenge,
    InTokenOfMissingPath,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let anonymous = |repeats| Served { identities: Vec::new(), ..serve(repeats) };
    let pair = |vulnerable, fixed| Pair { check: "key-reflected", vulnerable, fixed };
    vec![
        pair(serve(Repeats::InText), serve(Repeats::Nothing)),
        pair(serve(Repeats::InChallenge), serve(Repeats::Nothing)),
        pair(serve(Repeats::InTokenOfMissingPath), serve(Repeats::Nothing)),
        pair(anonymous(Repeats::InText), anonymous(Repeats::Nothing)),
    ]
}

fn serve(repeats: Repeats) -> Served {
    let orders = get(move |headers: HeaderMap| async move {
        let key = key_of(&headers);
        if key == KEY {
            return Json(json!([{ "id": 7, "item": "lamp" }])).into_response();
        }
        refuse(repeats, &key)
    });
    let missing = move |headers: HeaderMap| async move {
        let mut body = json!({ "error": "not found" });
        if repeats == Repeats::InTokenOfMissingPath {
            let context = json!({ "caller": key_of(&headers) }).to_string();
            body["support"] = BASE64_STANDARD.encode(context).into();
        }
        (StatusCode::NOT_FOUND, Json(body))
    };
    let router = Router::new().route("/orders", orders).fallback(missing);
    Served::new(description(), router).with_identity("alice", "X-API-Key", KEY)
}

fn key_of(headers: &HeaderMap) -> String {
    headers.get("x-api-key").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
}

fn refuse(repeats: Repeats, key: &str) -> Response {
    let error = if repeats == Repeats::InText { format!("unknown key {key}") } else { "unknown key".to_owned() };
    let challenge = if repeats == Repeats::InChallenge { format!("ApiKey key=\"{key}\"") } else { "ApiKey".to_owned() };
    (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)], Json(json!({ "error": error }))).into_response()
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
