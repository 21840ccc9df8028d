//! A shop whose second version is described, with or without what the first one left behind.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ak_7f3e91d0c4b2";

#[derive(Clone, Copy, PartialEq)]
enum Left {
    Nothing,
    FirstVersion,
    Backstage,
    Basket,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, left| Pair { check, vulnerable: serve(left), fixed: serve(Left::Nothing) };
    vec![
        pair("old-version-answers", Left::FirstVersion),
        pair("undeclared-operation", Left::Backstage),
        pair("deprecated-operation-answers", Left::Basket),
    ]
}

fn serve(left: Left) -> Served {
    let basket = get(move |headers: HeaderMap| async move {
        guarded(&headers, || match left {
            Left::Basket => Json(json!({ "items": 3 })).into_response(),
            Left::Nothing | Left::FirstVersion | Left::Backstage => StatusCode::GONE.into_response(),
        })
    });
    let mut router = Router::new()
        .route("/v2/orders", get(async |headers: HeaderMap| guarded(&headers, orders)))
        .route("/v2/basket", basket)
        .fallback(async || (StatusCode::NOT_FOUND, Json(json!({ "error": "no such path" }))));
    if left == Left::FirstVersion {
        router = router.route("/v1/orders", get(async || orders()));
    }
    if left == Left::Backstage {
        router = router.route("/admin/users", get(async || people()));
    }
    Served::new(description(), router).with_identity("alice", "X-API-Key", KEY)
}

fn guarded(headers: &HeaderMap, answer: impl FnOnce() -> Response) -> Response {
    if headers.get("x-api-key").is_some_and(|key| key == KEY) {
        return answer();
    }
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unauthorized" }))).into_response()
}

fn orders() -> Response {
    Json(json!([{ "id": 7, "item": "lamp" }])).into_response()
}

fn people() -> Response {
    Json(json!([
        { "name": "Alice", "email": "alice.meyer@shop-mail.io" },
        { "name": "Bob", "email": "bob.lind@shop-mail.io" }
    ]))
    .into_response()
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Shop", "version": "2" },
        "paths": {
            "/v2/orders": { "get": { "responses": { "200": { "description": "orders" } } } },
            "/v2/basket": { "get": { "deprecated": true, "responses": { "200": { "description": "the basket" } } } }
        },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    })
}
