//! An order API whose errors tell too much, in one way or another, or nothing.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ak_7f3e91d0c4b2";

#[derive(Clone, Copy)]
enum Errors {
    FixedText,
    WerkzeugDebugger,
    Traceback,
    OfTheDatabase,
    OfBoto3,
    OfThePythonException,
    WithoutText,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, errors| Pair { check, vulnerable: serve(errors), fixed: serve(Errors::FixedText) };
    vec![
        pair("debug-page", Errors::WerkzeugDebugger),
        pair("stack-trace", Errors::Traceback),
        pair("database-error-text", Errors::OfTheDatabase),
        pair("cloud-error-detail", Errors::OfBoto3),
        pair("exception-text", Errors::OfThePythonException),
        pair("server-error-on-malformed-input", Errors::WithoutText),
    ]
}

fn serve(errors: Errors) -> Served {
    let list = get(|headers: HeaderMap| async move {
        match is_known(&headers) {
            true => Json(json!([{ "id": 7, "item": "lamp" }])).into_response(),
            false => unauthorized(),
        }
    });
    let one = get(move |Path(id): Path<String>, headers: HeaderMap| async move {
        match id.parse::<u32>() {
            _ if !is_known(&headers) => unauthorized(),
            Ok(7) => Json(json!({ "id": 7, "item": "lamp" })).into_response(),
            Ok(_) => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such order" }))).into_response(),
            Err(_) => malformed(errors),
        }
    });
    let router = Router::new().route("/orders", list).route("/orders/{id}", one);
    Served::new(description(), router).with_identity("alice", "X-API-Key", KEY)
}

fn is_known(headers: &HeaderMap) -> bool {
    headers.get("x-api-key").is_some_and(|key| key == KEY)
}

fn unauthorized() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unauthorized" }))).into_response()
}

fn malformed(errors: Errors) -> Response {
    let failed = |error: &str| (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": error }))).into_response();
    match errors {
        Errors::FixedText => {
            (StatusCode::BAD_REQUEST, Json(json!({ "error": "id must be a positive number" }))).into_response()
        }
        Errors::WerkzeugDebugger => (StatusCode::INTERNAL_SERVER_ERROR, Html(DEBUGGER)).into_response(),
        Errors::Traceback => {
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], TRACEBACK).into_response()
        }
        Errors::OfTheDatabase => failed("(sqlite3.OperationalError) unrecognized token: \"';\""),
        Errors::OfBoto3 => failed(
            "An error occurred (ValidationException) when calling the GetItem operation: The provided key element does not match the schema",
        ),
        Errors::OfThePythonException => failed("invalid literal for int() with base 10"),
        Errors::WithoutText => failed("internal server error"),
    }
}

const DEBUGGER: &str = r#"<!doctype html>
<html lang=en>
  <head>
    <title>ValueError: invalid literal for int() // Werkzeug Debugger</title>
    <script src="?__debugger__=yes&amp;cmd=resource&amp;f=debugger.js"></script>
    <script>
      var CONSOLE_MODE = false,
          EVALEX = true,
          EVALEX_TRUSTED = false,
          SECRET = "Zt4kWq9LmC2xVb7RnY5d";
    </script>
  </head>
  <body><h1>ValueError</h1></body>
</html>"#;

const TRACEBACK: &str = r#"Traceback (most recent call last):
  File "/srv/shop/orders.py", line 31, in show
    return find(int(order_id))
  File "/srv/shop/store.py", line 12, in find
    raise LookupError
"#;

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
