//! A parcel API with a log of its requests, which shows keys and line breaks, or neither.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::LogBuffer;
use engine::testing::Served;
use model::Mode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "pk_91c0d7e4a2b8f365";

/// What is written to the log besides method, path and status.
#[derive(Clone, Copy, PartialEq)]
enum Logs {
    /// Nothing; line breaks are escaped.
    Plain,
    /// The request line, with its query.
    Query,
    /// The key of each request.
    Key,
    /// The body of a sign-in.
    SignIn,
    /// The text that is searched, as it came.
    Search,
}

#[derive(Deserialize)]
struct SignIn {
    username: String,
    password: String,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let in_query = json!({ "type": "apiKey", "in": "query", "name": "api_key" });
    let in_header = json!({ "type": "apiKey", "in": "header", "name": "X-API-Key" });
    let basic = json!({ "type": "http", "scheme": "basic" });
    let cookie = json!({ "type": "apiKey", "in": "cookie", "name": "parcel_key" });
    let pair = |logs, scheme: &Value| Pair {
        check: "key-in-log",
        vulnerable: serve(logs, scheme.clone()),
        fixed: serve(Logs::Plain, scheme.clone()),
    };
    vec![
        pair(Logs::Query, &in_query),
        pair(Logs::Query, &in_header),
        pair(Logs::Key, &in_header),
        pair(Logs::Key, &basic),
        pair(Logs::Key, &cookie),
        pair(Logs::SignIn, &in_header),
        Pair {
            check: "log-injection",
            vulnerable: serve(Logs::Search, in_header.clone()).in_mode(Mode::Active),
            fixed: serve(Logs::Plain, in_header).in_mode(Mode::Active),
        },
    ]
}

fn serve(logs: Logs, scheme: Value) -> Served {
    let log = LogBuffer::default();
    let (requests, routes) = (log.clone(), log.clone());
    let sign_ins = log.clone();
    let list = move |headers: HeaderMap, uri: Uri| async move { list(logs, &routes, &headers, &uri) };
    let sign_in = move |Json(body): Json<SignIn>| async move { sign_in(logs, &sign_ins, &body) };
    let write = move |request: Request, next: Next| {
        let log = requests.clone();
        async move {
            let (method, uri) = (request.method().clone(), request.uri().clone());
            let answer = next.run(request).await;
            let target = if logs == Logs::Query { uri.to_string() } else { uri.path().to_owned() };
            log.line(&format!("{method} {target} {}", answer.status().as_u16()));
            answer
        }
    };
    let router = Router::new().route("/parcels", get(list)).route("/login", post(sign_in)).layer(from_fn(write));
    Served::new(description(scheme), router).with_identity("alice", "X-API-Key", KEY).with_log(&log)
}

fn list(logs: Logs, log: &LogBuffer, headers: &HeaderMap, uri: &Uri) -> Response {
    let query: Vec<(&str, &str)> =
        uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('=')).collect();
    let asked = |name: &str| query.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
    let key = key(headers).or(asked("api_key"));
    if let (Logs::Key, Some(key)) = (logs, &key) {
        log.line(&format!("WARNING parcels requested with key {key}"));
    }
    if let Some(text) = asked("search") {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        let shown = if logs == Logs::Search { text } else { text.escape_default().to_string() };
        log.line(&format!("INFO searching for {shown}"));
    }
    let error = match key.as_deref() {
        Some(KEY) => return Json(json!([{ "id": 3, "to": "Bergen" }])).into_response(),
        Some(_) => "unknown key",
        None => "missing key",
    };
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": error }))).into_response()
}

/// The key in the header, in the cookie, or as the password of Basic.
fn key(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let basic = || {
        let decoded = BASE64_STANDARD.decode(text("authorization")?.strip_prefix("Basic ")?).ok()?;
        Some(String::from_utf8(decoded).ok()?.split_once(':')?.1.to_owned())
    };
    let cookie = || text("cookie")?.strip_prefix("parcel_key=").map(ToOwned::to_owned);
    text("x-api-key").map(ToOwned::to_owned).or_else(cookie).or_else(basic)
}

fn sign_in(logs: Logs, log: &LogBuffer, body: &SignIn) -> Response {
    if logs == Logs::SignIn {
        log.line(&format!("DEBUG sign-in of {} with {}", body.username, body.password));
    }
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "wrong username or password" }))).into_response()
}

fn description(scheme: Value) -> Value {
    let sign_in = json!({
        "type": "object",
        "required": ["username", "password"],
        "properties": { "username": { "type": "string" }, "password": { "type": "string" } }
    });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Parcels", "version": "1" },
        "paths": {
            "/parcels": { "get": {
                "parameters": [{ "name": "search", "in": "query", "schema": { "type": "string" } }],
                "responses": { "200": { "description": "parcels" } }
            } },
            "/login": { "post": {
                "security": [],
                "requestBody": { "required": true, "content": { "application/json": { "schema": sign_in } } },
                "responses": { "200": { "description": "a token" }, "401": { "description": "wrong" } }
            } }
        },
        "components": { "securitySchemes": { "key": scheme } },
        "security": [{ "key": [] }]
    })
}
