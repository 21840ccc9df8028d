//! A sound API, and what tests turn it into.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, response};
use engine::testing::Served;
use serde_json::{Value, json};

/// The key that the shop accepts.
pub(crate) const KEY: &str = "k7Qm2x9LrV4tB8sW1nZc";

/// A described `GET` behind the shop's key, with path parameters by name.
pub(crate) fn operation(path: &str) -> Value {
    let names = path.split(['{', '}']).skip(1).step_by(2);
    let parameters: Vec<Value> = names
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    json!({ "get": {
        "security": [{ "key": [] }], "parameters": parameters, "responses": { "200": { "description": "ok" } }
    } })
}

/// A description of these paths.
pub(crate) fn description(paths: &[&str]) -> Value {
    let paths: serde_json::Map<String, Value> = paths.iter().map(|p| ((*p).to_owned(), operation(p))).collect();
    json!({
        "openapi": "3.0.3", "info": { "title": "Shop", "version": "1" }, "paths": paths,
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } }
    })
}

/// The shop's paths.
pub(crate) const PATHS: [&str; 5] = ["/me", "/items", "/items/{id}", "/orders", "/orders/{id}"];

/// A header of a request.
pub(crate) fn header<'r>(request: &'r Request, name: &str) -> &'r str {
    request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A JSON response.
pub(crate) fn json_response(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).expect("a status"), [("cache-control", "no-store")], Json(body)).into_response()
}

/// What the shop answers: a key for everything, whole answers, plain errors.
pub(crate) fn shop(request: &Request) -> Response {
    answer(request, header(request, "x-api-key") == KEY)
}

/// The same, for a caller who is let in or not.
pub(crate) fn answer(request: &Request, is_let_in: bool) -> Response {
    if !matches!(request.method().as_str(), "GET" | "HEAD") {
        return json_response(405, json!({ "error": "method not allowed" }));
    }
    let path = request.uri().path();
    let body = match path {
        "/me" => json!({ "id": "u-4", "name": "ann" }),
        "/items" => json!({ "items": [{ "id": "i-11" }, { "id": "i-12" }] }),
        "/items/i-11" => json!({ "id": "i-11", "title": "cup" }),
        "/items/i-12" => json!({ "id": "i-12", "title": "pot" }),
        "/orders" => json!({ "orders": [{ "id": "o-21" }] }),
        "/orders/o-21" => json!({ "id": "o-21", "sum": 9 }),
        _ => Value::Null,
    };
    let is_guarded = !body.is_null() || ["/items", "/orders"].iter().any(|p| path.starts_with(p));
    match (is_let_in, body) {
        (false, _) if is_guarded => {
            let mut refused = json_response(401, json!({ "error": "unauthorized" }));
            refused.headers_mut().insert("www-authenticate", response_header("ApiKey"));
            refused
        }
        (_, Value::Null) => json_response(404, json!({ "error": "not found" })),
        (_, body) => json_response(200, body),
    }
}

fn response_header(text: &'static str) -> axum::http::HeaderValue {
    axum::http::HeaderValue::from_static(text)
}

/// A server of this description that answers by a function.
pub(crate) fn serve(
    description: Value,
    respond: impl Fn(&Request) -> response::Response + Send + Sync + 'static,
) -> Served {
    let respond = Arc::new(respond);
    let router = Router::new().fallback(move |request: Request| {
        let respond = respond.clone();
        async move { respond(&request) }
    });
    Served::new(description, router)
}

/// The shop with its key.
pub(crate) fn shop_with_key() -> Served {
    serve(description(&PATHS), shop).with_identity("key", "X-API-Key", KEY)
}
