//! An account API behind a cache whose entries are named by the address alone, or by address and key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

const KEYS: [(&str, &str); 2] = [("ak_7f3e91d0c4b2a865", "Northwind"), ("ak_57e10fd9c3ab4482", "Contoso")];

#[derive(Clone, Copy, PartialEq)]
enum Cache {
    BeforeTheKeyCheck,
    BehindTheKeyCheck,
    PerCaller,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let fixed = || serve(Cache::PerCaller);
    [Cache::BeforeTheKeyCheck, Cache::BehindTheKeyCheck]
        .map(|place| Pair { check: "key-shared-cache", vulnerable: serve(place), fixed: fixed() })
        .into()
}

fn serve(place: Cache) -> Served {
    let cache: Arc<Mutex<HashMap<String, Value>>> = Arc::default();
    let account = get(move |uri: Uri, headers: HeaderMap| {
        let cache = cache.clone();
        async move {
            let key = headers.get("x-api-key").and_then(|v| v.to_str().ok()).unwrap_or_default();
            let owner = KEYS.iter().find(|(known, _)| *known == key).map(|(_, owner)| *owner);
            if place != Cache::BeforeTheKeyCheck && owner.is_none() {
                return refused();
            }
            let entry = match place {
                Cache::PerCaller => format!("{uri} {key}"),
                Cache::BeforeTheKeyCheck | Cache::BehindTheKeyCheck => uri.to_string(),
            };
            let mut cache = cache.lock().expect("no holder panics");
            if let Some(stored) = cache.get(&entry) {
                return ([("x-cache", "HIT")], Json(stored.clone())).into_response();
            }
            let Some(owner) = owner else { return refused() };
            let content = json!({ "name": owner });
            cache.insert(entry, content.clone());
            ([("x-cache", "MISS")], Json(content)).into_response()
        }
    });
    let served = Served::new(description(), Router::new().route("/account", account));
    KEYS.iter().fold(served, |served, (key, owner)| served.with_identity(&owner.to_ascii_lowercase(), "X-API-Key", key))
}

fn refused() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unknown key" }))).into_response()
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Accounts", "version": "1" },
        "paths": { "/account": { "get": { "responses": { "200": { "description": "the caller" } } } } },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    })
}
