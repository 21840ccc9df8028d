//! An account API that finds the account by the key in the path, or by a header.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ak_7f3e91d0c4b2a86557e10fd9c3ab4482";

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let named =
        |name: &str, text: &str| serve(&format!("/accounts/{{{name}}}"), json!({ "name": name, "description": text }));
    let vulnerable = || named("api_key", "The caller's API key");
    let fixed = [
        named("id", "Public name of the account"),
        named("api_key", "Identifier of the API key, as the list of keys shows it"),
        named("key", "Key of the entry, not an API key"),
    ];
    fixed.map(|fixed| Pair { check: "key-as-identifier", vulnerable: vulnerable(), fixed }).into()
}

fn serve(path: &str, mut parameter: Value) -> Served {
    let account = get(|Path(given): Path<String>| async move {
        match given.as_str() {
            KEY => Json(json!({ "name": "Northwind" })).into_response(),
            _ => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such account" }))).into_response(),
        }
    });
    parameter["in"] = "path".into();
    parameter["required"] = true.into();
    parameter["schema"] = json!({ "type": "string" });
    let operation = json!({ "parameters": [parameter], "responses": { "200": { "description": "an account" } } });
    let description = json!({
        "openapi": "3.0.3",
        "info": { "title": "Accounts", "version": "1" },
        "paths": { path: { "get": operation } }
    });
    Served::new(description, Router::new().route("/accounts/{given}", account))
}
