//! An order API with a page of its own, which keeps its key on the server or does not.

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use model::{Credential, Identity, Place, Secret};
use serde_json::json;

use crate::Pair;

const KEY: &str = "ak_q7zk3m9xw2vt";

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    vec![
        Pair {
            check: "key-in-script",
            vulnerable: with_page("/assets/app.js.map", KEY),
            fixed: with_page("/assets/app.js.map", "from the session"),
        },
        Pair {
            check: "key-in-script",
            vulnerable: with_page("data:application/json;base64,e30=", KEY),
            fixed: with_page("data:application/json;base64,e30=", "from the session"),
        },
        Pair { check: "key-sent-by-referrer", vulnerable: report("unsafe-url"), fixed: report("no-referrer") },
        Pair { check: "key-in-cookie", vulnerable: setting(KEY), fixed: setting("f3a9c0d817b24e65") },
    ]
}

/// A page whose script, or the source map of it, holds this key.
fn with_page(source_map: &'static str, key: &'static str) -> Served {
    let in_map = source_map.starts_with('/');
    let script = move || async move {
        let own = if in_map { "k" } else { key };
        let text = format!("const k=\"{own}\";load(k)\n//# sourceMappingURL={source_map}\n");
        ([(header::CONTENT_TYPE, "text/javascript")], text)
    };
    let map = move || async move {
        let source = format!("const key = \"{key}\"; // of the shop\nload(key)\n");
        Json(json!({ "version": 3, "sources": ["app.ts"], "sourcesContent": [source], "mappings": "" }))
    };
    let page = "<!doctype html><title>Orders</title><script type=module src=/assets/app.js></script>";
    let router = orders(None)
        .route("/", get(move || async move { Html(page) }))
        .route("/assets/app.js", get(script))
        .route("/assets/app.js.map", get(map));
    Served::new(description("header", "X-API-Key", "/orders"), router).with_identity("alice", "X-API-Key", KEY)
}

/// A report in HTML that is opened with the key in its address.
fn report(policy: &'static str) -> Served {
    let report = get(move |uri: Uri| async move {
        if uri.query() != Some(&format!("api_key={KEY}")) {
            return (StatusCode::UNAUTHORIZED, "unknown key").into_response();
        }
        let page = "<!doctype html><title>Report</title><script src=https://cdn.metrics.test/m.js></script>";
        ([("referrer-policy", policy)], Html(page)).into_response()
    });
    let mut served = Served::new(description("query", "api_key", "/report"), Router::new().route("/report", report));
    let credential = Credential { place: Place::Query { name: "api_key".into() }, value: Secret::new(KEY) };
    served.identities.push(Identity { name: "alice".into(), credentials: vec![credential], ..Identity::default() });
    served
}

/// A list that remembers this in a cookie.
fn setting(value: &'static str) -> Served {
    let description = description("header", "X-API-Key", "/orders");
    Served::new(description, orders(Some(value))).with_identity("alice", "X-API-Key", KEY)
}

fn orders(cookie: Option<&'static str>) -> Router {
    let orders = get(move |headers: HeaderMap| async move {
        if headers.get("x-api-key").is_none_or(|key| key != KEY) {
            return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unknown key" }))).into_response();
        }
        let list: Response = Json(json!([{ "id": 7, "item": "lamp" }])).into_response();
        match cookie {
            Some(value) => {
                ([(header::SET_COOKIE, format!("last={value}; HttpOnly; SameSite=Lax"))], list).into_response()
            }
            None => list,
        }
    });
    Router::new().route("/orders", orders)
}

fn description(place: &str, name: &str, path: &str) -> serde_json::Value {
    let operation = json!({ "get": { "responses": { "200": { "description": "content" } } } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": { path: operation },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": place, "name": name } } },
        "security": [{ "key": [] }]
    })
}
