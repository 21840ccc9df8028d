//! An order API that compares its key by parts, without regard to case, in many headers, or by the
//! operators of a query.

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::testing::Served;
use model::{Credential, Identity, Mode, Place, Secret};
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
    TheFirst,
    TheLast,
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
        pair("duplicate-key-accepted", Compares::TheFirst),
        pair("duplicate-key-accepted", Compares::TheLast),
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
        Pair {
            check: "body-key-type-confusion",
            vulnerable: in_body(Compares::ByOperator),
            fixed: in_body(Compares::Exactly),
        },
        Pair {
            check: "body-key-type-confusion",
            vulnerable: in_body(Compares::ByTextOnly),
            fixed: in_body(Compares::Exactly),
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
            Compares::TheFirst => key == KEY,
            Compares::TheLast => headers.get_all("x-api-key").iter().next_back().is_some_and(|last| last == KEY),
            // Two of them are joined, as gateways that speak HTTP/1.1 may do.
            Compares::Exactly | Compares::ByOperator | Compares::ByTextOnly => {
                headers.get_all("x-api-key").iter().map(|value| value.as_bytes()).collect::<Vec<_>>().join(&b", "[..])
                    == KEY.as_bytes()
            }
        }
    };
    let profile = get(move |headers: HeaderMap| async move {
        let key = headers.get("x-api-key").and_then(|v| v.to_str().ok());
        let one = headers.get_all("x-api-key").iter().count() == 1;
        let exact = (one && key == Some(KEY)) || (compares != Compares::WithTheTextOfAllKeys && admits(&headers));
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

/// As an API does whose clients put the key beside what they ask for.
fn in_body(compares: Compares) -> Served {
    let prices = post(move |Json(body): Json<Value>| async move {
        let key = body.get("api_key").cloned().unwrap_or_default();
        if compares == Compares::ByTextOnly && !key.is_string() && !key.is_null() {
            return (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "key.trim is not a function" })))
                .into_response();
        }
        let any = compares == Compares::ByOperator && key.get("$ne").is_some_and(|other| other != KEY);
        answer(key == KEY || any, json!({ "price": 12 }))
    });
    let properties = json!({ "api_key": { "type": "string" }, "item": { "type": "string", "example": "lamp" } });
    let schema = json!({ "type": "object", "required": ["api_key", "item"], "properties": properties });
    let description = json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": { "/prices": { "post": {
            "requestBody": { "required": true, "content": { "application/json": { "schema": schema } } },
            "responses": { "200": { "description": "price" } }
        } } }
    });
    Served::new(description, Router::new().route("/prices", prices))
        .with_repeatable("POST", "/prices")
        .in_mode(Mode::Active)
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
