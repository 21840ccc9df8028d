//! An order API whose description is careful, or careless in one way.

use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ak_7f3e91d0c4b2";

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, careless: fn(&mut Value)| {
        let mut description = careful();
        careless(&mut description);
        Pair { check, vulnerable: serve(description), fixed: serve(careful()) }
    };
    vec![
        pair("undefined-security-scheme", |d| d["paths"]["/orders"]["get"]["security"] = json!([{ "apiKey": [] }])),
        // Nothing that reads takes this key, so that no request of the scan can ask about it.
        pair("key-in-query-declared", |d| {
            d["components"]["securitySchemes"]["partner"] =
                json!({ "type": "apiKey", "in": "query", "name": "partner_key" });
            d["paths"]["/orders"]["post"]["security"] = json!([{ "partner": [] }]);
        }),
        pair("plain-http-server", |d| d["servers"] = json!([{ "url": "/" }, { "url": "http://api.orders-shop.io" }])),
        pair("secret-in-description", |d| {
            d["servers"] = json!([{ "url": "/" }, { "url": "https://deploy:Wq8zLr2vTn5x@staging.orders-shop.io" }]);
        }),
        pair("sensitive-field-declared", |d| {
            d["components"]["schemas"]["Order"]["properties"]["password_hash"] = json!({ "type": "string" });
        }),
        pair("unsecured-writing-operation", |d| d["paths"]["/orders"]["post"]["security"] = json!([])),
        pair("underspecified-operations", |d| d["paths"]["/orders"]["get"]["parameters"] = json!([])),
    ]
}

fn serve(description: Value) -> Served {
    let list =
        get(async |headers: HeaderMap, _: Query<Value>| guarded(&headers, Json(json!([{ "id": 7, "item": "lamp" }]))));
    let add = post(async |headers: HeaderMap| guarded(&headers, StatusCode::CREATED));
    let router = Router::new().route("/orders", list.merge(add));
    Served::new(description, router).with_identity("alice", "X-API-Key", KEY)
}

fn guarded(headers: &HeaderMap, answer: impl IntoResponse) -> Response {
    match headers.get("x-api-key").map(|value| value.as_bytes()) {
        Some(key) if key == KEY.as_bytes() => answer.into_response(),
        Some(_) => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unknown key" }))).into_response(),
        None => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "missing key" }))).into_response(),
    }
}

fn careful() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "servers": [{ "url": "/" }, { "url": "http://localhost:5000" }],
        "paths": { "/orders": {
            "get": {
                "parameters": [{ "name": "limit", "in": "query", "schema": { "type": "integer", "maximum": 100 } }],
                "responses": { "200": { "description": "orders", "content": { "application/json": { "schema": {
                    "type": "array", "items": { "$ref": "#/components/schemas/Order" }
                } } } } }
            },
            "post": {
                "parameters": [{ "name": "Idempotency-Key", "in": "header", "schema": { "type": "string" } }],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Order" } } } },
                "responses": { "201": { "description": "created" } }
            }
        } },
        "components": {
            "schemas": { "Order": { "type": "object", "properties": {
                "id": { "type": "integer", "readOnly": true },
                "item": { "type": "string", "maxLength": 80 },
                "password": { "type": "string", "maxLength": 80, "writeOnly": true }
            } } },
            "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } }
        },
        "security": [{ "key": [] }]
    })
}
