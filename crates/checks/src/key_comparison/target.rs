//! An order API that compares its key by parts, without regard to case, in many headers, or by the
//! operators of a query.

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use model::{Credential, Identity, Place, Secret};
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "ak_q7zk3m9xw2vt";
/// What a settings file lists.
const KEYS: &str = "ak_h5np8r4ydj6s,ak_q7zk3m9xw2vt";

#[derive(Clone, Copy, PartialEq)]
enum Compares {
    Exactly,
    WithTheTextOfAllKeys,
    ItsLength,
    WithoutCase,
    FromAnyHeader,
    ByOperator,
    ByTextOnly,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let fixed = || serve(Compares::Exactly);
    let pair = |check, compares| Pair { check, vulnerable: serve(compares), fixed: fixed() };
    vec![
        pair("key-compared-by-part", Compares::WithTheTextOfAllKeys),
        pair("key-compared-by-part", Compares::ItsLength),
        pair("key-case-ignored", Compares::WithoutCase),
        pair("key-header-alias", Compares::FromAnyHeader),
        Pair {
            check: "key-type-confusion",
            vulnerable: in_query(Compares::ByOperator),
            fixed: in_query(Compares::Exactly),
        },
        Pair {
            check: "key-type-confusion",
            vulnerable: in_query(Compares::ByTextOnly),
            fixed: in_query(Compares::Exactly),
        },
    ]
}

fn serve(compares: Compares) -> Served {
    let admits = move |headers: &HeaderMap| {
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let key = header("x-api-key");
        match compares {
            Compares::WithTheTextOfAllKeys => !key.is_empty() && KEYS.contains(&key),
            Compares::ItsLength => key.starts_with(KEY),
            Compares::WithoutCase => key.eq_ignore_ascii_case(KEY),
            Compares::FromAnyHeader => {
                let authorization = header("authorization");
                key == KEY || header("api-key") == KEY || authorization.split(' ').next_back() == Some(KEY)
            }
            Compares::Exactly | Compares::ByOperator | Compares::ByTextOnly => key == KEY,
        }
    };
    let profile = get(move |headers: HeaderMap| async move {
        let key = headers.get("x-api-key").and_then(|v| v.to_str().ok());
        let exact = key == Some(KEY) || (compares != Compares::WithTheTextOfAllKeys && admits(&headers));
        answer(exact, json!({ "name": "Northwind" }))
    });
    let orders =
        get(move |headers: HeaderMap| async move { answer(admits(&headers), json!([{ "id": 7, "item": "lamp" }])) });
    let router = Router::new().route("/account", profile).route("/orders", orders);
    let scheme = json!({ "type": "apiKey", "in": "header", "name": "X-API-Key" });
    Served::new(description(scheme, &["/account", "/orders"]), router).with_identity("alice", "X-API-Key", KEY)
}

/// As a framework does that reads `key[$ne]=x` as an object and hands it to its database.
fn in_query(compares: Compares) -> Served {
    let orders = get(move |uri: Uri| async move {
        let query = uri.query().unwrap_or_default().replace("%5B", "[").replace("%5D", "]").replace("%24", "$");
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
        if value("api_key[]").is_some() && compares == Compares::ByTextOnly {
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "key.trim is not a function" })))
                .into_response();
        }
        let other = value("api_key[$ne]").is_some_and(|other| compares == Compares::ByOperator && other != KEY);
        answer(value("api_key") == Some(KEY) || other, json!([{ "id": 7, "item": "lamp" }]))
    });
    let scheme = json!({ "type": "apiKey", "in": "query", "name": "api_key" });
    let mut served = Served::new(description(scheme, &["/orders"]), Router::new().route("/orders", orders));
    let credential = Credential { place: Place::Query { name: "api_key".into() }, value: Secret::new(KEY) };
    served.identities.push(Identity { name: "alice".into(), credentials: vec![credential], ..Identity::default() });
    served
}

fn answer(admitted: bool, content: Value) -> Response {
    if admitted {
        Json(content).into_response()
    } else {
        (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unknown key" }))).into_response()
    }
}

fn description(scheme: Value, paths: &[&str]) -> Value {
    let operation = json!({ "get": { "responses": { "200": { "description": "content" } } } });
    let paths: serde_json::Map<String, Value> =
        paths.iter().map(|path| ((*path).to_owned(), operation.clone())).collect();
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": paths,
        "components": { "securitySchemes": { "key": scheme } },
        "security": [{ "key": [] }]
    })
}
