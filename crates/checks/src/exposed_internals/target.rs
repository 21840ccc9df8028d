//! An order API that is served from its working copy, or from a build.

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

/// A vulnerable and a fixed server.
pub fn pairs() -> Vec<Pair> {
    let build = Router::new()
        .route("/orders", get(|| async { Json(json!([{ "id": 7, "item": "lamp" }])) }))
        .fallback(|| async { (StatusCode::NOT_FOUND, Json(json!({ "error": "no such page" }))) });
    let text =
        |text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, "text/plain")], text).into_response() });
    let working_copy = build
        .clone()
        .route("/.git/HEAD", text("ref: refs/heads/main\n"))
        .route("/.env", text("FLASK_ENV=production\nSECRET_KEY=change-me-later\n"));
    vec![Pair {
        check: "exposed-internals",
        vulnerable: Served::new(description(), working_copy),
        fixed: Served::new(description(), build),
    }]
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": { "/orders": { "get": { "responses": { "200": { "description": "orders" } } } } }
    })
}
