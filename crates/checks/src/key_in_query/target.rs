//! An order API that takes its key from a header, or from the query too, or only from there.

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use model::{Credential, Identity, Place, Secret};
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ak_7f3e91d0c4b2";
const CHECK: &str = "key-in-query";

#[derive(Clone, Copy, PartialEq)]
enum Reads {
    Header,
    HeaderOrQuery,
    Query,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let fixed = || serve(Reads::Header, header_scheme()).with_identity("alice", "X-API-Key", KEY);
    let mut configured = serve(Reads::Query, query_scheme());
    let credential = Credential { place: Place::Query { name: "api_key".into() }, value: Secret::new(KEY) };
    configured.identities.push(Identity { name: "alice".into(), credentials: vec![credential], ..Identity::default() });
    let vulnerable = [
        serve(Reads::HeaderOrQuery, header_scheme()).with_identity("alice", "X-API-Key", KEY),
        serve(Reads::HeaderOrQuery, query_scheme()).with_identity("alice", "X-API-Key", KEY),
        configured,
    ];
    vulnerable.into_iter().map(|vulnerable| Pair { check: CHECK, vulnerable, fixed: fixed() }).collect()
}

fn serve(reads: Reads, scheme: Value) -> Served {
    let list = get(move |headers: HeaderMap, uri: Uri| async move { list(reads, &headers, &uri) });
    Served::new(description(scheme), Router::new().route("/orders", list))
}

fn list(reads: Reads, headers: &HeaderMap, uri: &Uri) -> Response {
    let in_header = headers.get("x-api-key").and_then(|v| v.to_str().ok()).filter(|_| reads != Reads::Query);
    let in_query = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("api_key="));
    let error = match in_header.or(in_query.filter(|_| reads != Reads::Header)) {
        Some(KEY) => return Json(json!([{ "id": 7, "item": "lamp" }])).into_response(),
        Some(_) => "unknown key",
        None => "missing key",
    };
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": error }))).into_response()
}

fn header_scheme() -> Value {
    json!({ "type": "apiKey", "in": "header", "name": "X-API-Key" })
}

fn query_scheme() -> Value {
    json!({ "type": "apiKey", "in": "query", "name": "api_key" })
}

fn description(scheme: Value) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": { "/orders": { "get": { "responses": { "200": { "description": "orders" } } } } },
        "components": { "securitySchemes": { "key": scheme } },
        "security": [{ "key": [] }]
    })
}
