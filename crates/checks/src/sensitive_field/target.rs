//! A user directory that sends what it stores, or what it means to send.

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ak_7f3e91d0c4b2";

#[derive(Clone, Copy)]
enum Members {
    AsStored,
    WithAnotherColumn,
    AsDeclared,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, members| Pair { check, vulnerable: serve(members), fixed: serve(Members::AsDeclared) };
    vec![pair("sensitive-field", Members::AsStored), pair("undeclared-field", Members::WithAnotherColumn)]
}

fn serve(members: Members) -> Served {
    let list = get(move |headers: HeaderMap| async move {
        if headers.get("x-api-key").is_none_or(|key| key != KEY) {
            return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unauthorized" }))).into_response();
        }
        users(members)
    });
    Served::new(description(), Router::new().route("/users", list)).with_identity("alice", "X-API-Key", KEY)
}

fn users(members: Members) -> Response {
    let users: Vec<Value> = [("alice", "tulip-7-harbor"), ("bob", "blue.Kettle.19")]
        .into_iter()
        .map(|(name, password)| match members {
            Members::AsStored => json!({ "username": name, "password": password }),
            Members::WithAnotherColumn => json!({ "username": name, "shard": 3 }),
            Members::AsDeclared => json!({ "username": name }),
        })
        .collect();
    Json(json!({ "users": users })).into_response()
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Directory", "version": "1" },
        "paths": { "/users": { "get": { "responses": { "200": {
            "description": "users",
            "content": { "application/json": { "schema": { "type": "object", "properties": {
                "users": { "type": "array", "items": {
                    "type": "object", "properties": { "username": { "type": "string" } }
                } }
            } } } }
        } } } } },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    })
}
