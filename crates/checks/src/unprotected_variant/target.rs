//! An API behind a guard of its own making: it looks at the method or at the path as typed.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, http::Uri};
use engine::testing::Served;
use model::Mode;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ik_4c1f0a9be27d";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Guard {
    Everything,
    GetOnly,
    /// Whatever is not GET creates, and only GET is guarded.
    ElseCreates,
    PathsAsTyped,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, guard| Pair { check, vulnerable: serve(guard), fixed: serve(Guard::Everything) };
    let active = Pair {
        check: "unprotected-method",
        vulnerable: serve(Guard::ElseCreates).in_mode(Mode::Active),
        fixed: serve(Guard::Everything).in_mode(Mode::Active),
    };
    vec![pair("unprotected-method", Guard::GetOnly), active, pair("unprotected-path", Guard::PathsAsTyped)]
}

fn serve(guard: Guard) -> Served {
    let router = match guard {
        Guard::Everything | Guard::GetOnly => Router::new()
            .route("/invoices", get(list))
            .route("/invoices/{id}", get(|uri: Uri| async move { one(uri.path()) })),
        Guard::ElseCreates => Router::new().fallback(|method: Method, uri: Uri| async move {
            match (method, uri.path()) {
                (Method::GET | Method::HEAD, "/invoices") => list().await.into_response(),
                (Method::GET | Method::HEAD, path) => one(path),
                (_, "/invoices") => (StatusCode::CREATED, Json(json!({ "id": 32 }))).into_response(),
                (..) => not_found(),
            }
        }),
        // As behind a proxy that merges slashes and cuts the last one off.
        Guard::PathsAsTyped => Router::new().fallback(|uri: Uri| async move {
            let segments: Vec<&str> = uri.path().split('/').filter(|segment| !segment.is_empty()).collect();
            match segments.as_slice() {
                ["invoices"] => list().await.into_response(),
                ["invoices", _] => one(&format!("/{}", segments.join("/"))),
                _ => not_found(),
            }
        }),
    };
    let router = router.layer(from_fn(move |request, next| check_key(guard, request, next)));
    Served::new(description(), router).with_identity("alice", "X-API-Key", KEY)
}

async fn check_key(guard: Guard, request: Request, next: Next) -> Response {
    let guarded = match guard {
        Guard::Everything => true,
        Guard::GetOnly => request.method() == Method::GET,
        Guard::ElseCreates => [Method::GET, Method::HEAD].contains(request.method()),
        Guard::PathsAsTyped => matches!(request.uri().path(), "/invoices" | "/invoices/31"),
    };
    if guarded && !has_key(request.headers()) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "missing or wrong API key" }))).into_response();
    }
    next.run(request).await
}

fn has_key(headers: &HeaderMap) -> bool {
    headers.get("x-api-key").is_some_and(|key| key == KEY)
}

async fn list() -> Json<Value> {
    Json(json!([{ "id": 31, "customer": "Lamp & Sons", "total": 1290 }]))
}

fn one(path: &str) -> Response {
    match path {
        "/invoices/31" => {
            Json(json!({ "id": 31, "customer": "Lamp & Sons", "total": 1290, "paid": false })).into_response()
        }
        _ => not_found(),
    }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Json(json!({ "error": "not found" }))).into_response()
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Invoices", "version": "1" },
        "paths": {
            "/invoices": { "get": { "responses": { "200": { "description": "invoices" } } } },
            "/invoices/{id}": { "get": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "integer", "example": 31 } }],
                "responses": { "200": { "description": "an invoice" } }
            } }
        },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    })
}
