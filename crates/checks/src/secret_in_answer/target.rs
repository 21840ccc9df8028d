//! A shop whose settings, profile and directory tell too much, or what they should.

use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ak_7f3e91d0c4b2";

#[derive(Clone, Copy, PartialEq)]
enum Leak {
    ProviderKey,
    OwnKey,
    People,
    Nothing,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, leak| Pair { check, vulnerable: serve(leak), fixed: serve(Leak::Nothing) };
    vec![
        pair("secret-in-answer", Leak::ProviderKey),
        pair("own-key-in-answer", Leak::OwnKey),
        pair("personal-data-in-answer", Leak::People),
    ]
}

fn serve(leak: Leak) -> Served {
    let guarded = move |answer: fn(Leak) -> Value| {
        get(move |headers: HeaderMap| async move {
            match headers.get("x-api-key").is_some_and(|key| key == KEY) {
                true => Json(answer(leak)).into_response(),
                false => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unauthorized" }))).into_response(),
            }
        })
    };
    let router = Router::new()
        .route("/settings", guarded(settings))
        .route("/me", guarded(profile))
        .route("/members", guarded(members));
    Served::new(description(), router).with_identity("alice", "X-API-Key", KEY)
}

fn settings(leak: Leak) -> Value {
    match leak {
        // Assembled from parts, so that no scanner takes this file for a leak.
        Leak::ProviderKey => json!({ "payments": concat!("sk_", "live_", "51Nq8ZtKcVb3LxWpR7mYhD2s") }),
        Leak::OwnKey | Leak::People | Leak::Nothing => json!({ "payments": "sk_live_…(32 characters)" }),
    }
}

fn profile(leak: Leak) -> Value {
    let shown = if leak == Leak::OwnKey { KEY } else { "…c4b2" };
    json!({ "name": "alice", "email": "alice@shop.test", "key": shown })
}

fn members(leak: Leak) -> Value {
    match leak {
        Leak::People => json!([
            { "name": "Alice", "email": "alice@shop.test", "phone": "+49 30 9018 2041" },
            { "name": "Bob", "email": "bob@shop.test", "phone": "+49 30 9018 2042" },
        ]),
        Leak::ProviderKey | Leak::OwnKey | Leak::Nothing => json!([{ "name": "Alice" }, { "name": "Bob" }]),
    }
}

fn description() -> Value {
    let reading = || json!({ "get": { "responses": { "200": { "description": "what it says" } } } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Shop", "version": "1" },
        "paths": { "/settings": reading(), "/me": reading(), "/members": reading() },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    })
}
