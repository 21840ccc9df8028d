//! The demo: a small order API as a hurried developer writes it, on loopback, and a scan of it.
//!
//! Each defect stands beside a part that is right, so that the findings are few and each is real.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::extract::{Path, Query, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use engine::config;
use engine::target::Given;
use engine::transport::{Dial, Policy, Settings};
use engine::{Limits, Options, Selection};
use hmac::{Hmac, KeyInit, Mac};
use model::identity::{Extract, ExtractFrom, Login};
use model::{Gate, Identity, Method, Mode, Origin, Place, Secret};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

use crate::args::DemoOptions;
use crate::output::words;
use crate::outputs::Outputs;
use crate::progress::Progress;
use crate::signals::{self, unless_stopped};

/// The key of the demo's customer; the API is made up, and so is the key.
pub const KEY: &str = "ak_demo_5f1b7c0e92d4";
const USER: &str = "bob";
const PASSWORD: &str = "correct-horse-9";
/// Signs the demo's tokens: one of the words that every list holds.
const TOKEN_SECRET: &[u8] = b"secret";

/// `middlebrick demo`.
pub(crate) async fn run(options: DemoOptions) -> anyhow::Result<ExitCode> {
    let stop = signals::listen();
    let port = options.serve.unwrap_or(0);
    let listener =
        TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], port))).await.context("cannot listen on loopback")?;
    let base = format!("http://{}", listener.local_addr()?);
    if options.serve.is_some() {
        words(&format!(
            "the demo API listens at {base}; try: middlebrick scan {base}/openapi.json -H 'X-API-Key: {KEY}'"
        ));
        // Connections that are kept alive do not hold up the end.
        unless_stopped(&stop, async { axum::serve(listener, router()).await }).await.transpose()?;
        return Ok(ExitCode::SUCCESS);
    }
    tokio::spawn(async move { axum::serve(listener, router()).await });
    words(&format!("the demo API listens at {base}; it has defects on purpose"));
    let origin: Origin = base.parse().map_err(anyhow::Error::msg)?;
    let given = Given { target: format!("{base}/openapi.json"), ..Given::default() };
    let scan_options = Options {
        limits: Limits {
            mode: Mode::Safe,
            rate: None,
            concurrency: 16,
            max_requests: 3_000,
            budget: Duration::from_secs(120),
            timeout: Duration::from_secs(10),
        },
        seed: 1,
        gate: Gate::default(),
        method: Method::default(),
        selection: Selection::default(),
        ignored: Vec::new(),
        logs: Vec::new(),
        complete: false,
        interrupt: stop,
    };
    let settings = Settings::new(Dial::Tcp, Policy::for_origin(&origin));
    let mut target = given.resolve(settings, scan_options.budget()).await?;
    target.identities = identities();
    let progress = Arc::new(Progress::new(false, false));
    let scan = engine::scan(target, &checks::all(), scan_options, progress.clone()).await;
    progress.done();
    let ended = Outputs::stdout(options.format).write(scan);
    if ended == ExitCode::SUCCESS {
        words("the demo's findings are on purpose, so it ends with success; `middlebrick scan URL` scans yours");
    }
    Ok(ended)
}

/// A customer with a key, and a user who signs in.
pub fn identities() -> Vec<Identity> {
    let request = model::Request::new("POST", "/v2/login").with_json(&json!({ "user": USER, "password": PASSWORD }));
    let login = Login {
        request,
        secrets: vec![Secret::new(PASSWORD)],
        extract: vec![Extract { from: ExtractFrom::Json("$.token".into()), place: Place::bearer() }],
    };
    let credentials = vec![config::header_credential("X-API-Key", KEY)];
    vec![
        Identity { name: "alice".into(), credentials, ..Identity::default() },
        Identity { name: USER.into(), login: Some(login), ..Identity::default() },
    ]
}

/// The demo API.
pub fn router() -> Router {
    Router::new()
        .route("/openapi.json", get(|| async { Json(description()) }))
        .route("/v2/health", get(|| async { Json(json!({ "status": "up" })) }))
        .route("/v2/orders", get(orders))
        .route("/v2/orders/{id}", get(order))
        .route("/v2/invoices", get(invoices))
        .route("/v2/reports", get(reports))
        .route("/v2/login", post(login))
        .route("/v2/me", get(me))
        .route("/v2/users/_debug", get(debug_users))
        .route("/v1/orders", get(|| async { Json(order_list()) }))
        .layer(from_fn(any_origin))
}

/// Defect: every origin may read with the user's cookies.
async fn any_origin(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = next.run(request).await;
    if let Some(origin) = origin {
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("orders/1.4.2"));
    response
}

fn refused(reason: &str) -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": reason }))).into_response()
}

/// Right: exact comparison of the key in the header. Returns the refusal, if any.
fn refusal(headers: &HeaderMap) -> Option<Response> {
    match headers.get("x-api-key").and_then(|v| v.to_str().ok()) {
        None => Some(refused("missing key")),
        Some(KEY) => None,
        Some(_) => Some(refused("unknown key")),
    }
}

fn order_list() -> Value {
    json!([
        { "id": 1001, "item": "desk lamp", "customer": "alice@orders.test", "total": 49.9 },
        { "id": 1002, "item": "office chair", "customer": "alice@orders.test", "total": 189.0 },
    ])
}

async fn orders(headers: HeaderMap) -> Response {
    refusal(&headers).unwrap_or_else(|| Json(order_list()).into_response())
}

/// Defects: the key is not looked at, and a malformed id ends in a stack trace.
async fn order(Path(id): Path<String>) -> Response {
    let Ok(wanted) = id.parse::<u64>() else {
        let trace = "Traceback (most recent call last):\n  File \"/srv/orders/app.py\", line 41, in order\n    \
                     return jsonify(ORDERS[int(order_id)])\n  File \"/srv/orders/store.py\", line 17, in __getitem__\n    \
                     raise ValueError(order_id)\nValueError: invalid literal for int() with base 10\n";
        return (StatusCode::INTERNAL_SERVER_ERROR, trace).into_response();
    };
    let found = order_list().as_array().and_then(|all| all.iter().find(|o| o["id"] == wanted).cloned());
    match found {
        Some(order) => Json(order).into_response(),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such order" }))).into_response(),
    }
}

async fn invoices(headers: HeaderMap) -> Response {
    let invoices = json!([{ "id": 7, "order": 1001, "paid": true }]);
    refusal(&headers).unwrap_or_else(|| Json(invoices).into_response())
}

/// Defect: the key may stand in the URL, where it ends in logs.
async fn reports(Query(query): Query<Vec<(String, String)>>, headers: HeaderMap) -> Response {
    let in_query = query.into_iter().find(|(name, _)| name == "api_key").map(|(_, value)| value);
    let key = in_query.or_else(|| headers.get("x-api-key").and_then(|v| v.to_str().ok()).map(Into::into));
    match key.as_deref() {
        None => refused("missing key"),
        Some(KEY) => Json(json!({ "month": "2026-10", "orders": 2, "revenue": 238.9 })).into_response(),
        Some(_) => refused("unknown key"),
    }
}

/// Defects: no limit, and tokens signed with a word from every list.
async fn login(Json(body): Json<Value>) -> Response {
    if body["user"] != USER || body["password"] != PASSWORD {
        return refused("wrong user or password");
    }
    Json(json!({ "token": token(USER) })).into_response()
}

fn signature(signed: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(TOKEN_SECRET).expect("HMAC takes keys of any length");
    mac.update(signed.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn token(user: &str) -> String {
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(json!({ "alg": "HS256", "typ": "JWT" })), part(json!({ "sub": user })));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature(&signed));
    format!("{signed}.{signature}")
}

/// Right: the signature is checked, and the algorithm is not the token's choice.
async fn me(headers: HeaderMap) -> Response {
    let bearer =
        headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    match bearer {
        None => refused("missing token"),
        Some(bearer) if bearer == token(USER) => {
            Json(json!({ "user": USER, "email": "bob@orders.test" })).into_response()
        }
        Some(_) => refused("invalid token"),
    }
}

/// Defect: a route for debugging, with passwords in clear.
async fn debug_users() -> Response {
    let users = json!({ "users": [
        { "username": "alice", "email": "alice@orders.test", "password": "wonder-land-3", "admin": false },
        { "username": USER, "email": "bob@orders.test", "password": PASSWORD, "admin": true },
    ] });
    Json(users).into_response()
}

/// The demo's description.
pub fn description() -> Value {
    let json_of = |schema: Value| json!({ "200": { "description": "ok", "content": { "application/json": { "schema": schema } } }, "401": { "description": "refused" } });
    let order = json!({ "type": "object", "properties": {
        "id": { "type": "integer" }, "item": { "type": "string" }, "customer": { "type": "string" }, "total": { "type": "number" }
    } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders API (demo)", "version": "1.4.2" },
        "paths": {
            "/v2/health": { "get": { "security": [], "summary": "Is it up?", "responses": json_of(json!({ "type": "object", "properties": { "status": { "type": "string" } } })) } },
            "/v2/orders": { "get": { "summary": "My orders", "responses": json_of(json!({ "type": "array", "items": order })) } },
            "/v2/orders/{id}": { "get": {
                "summary": "One order",
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } }],
                "responses": json_of(order)
            } },
            "/v2/invoices": { "get": { "summary": "My invoices", "responses": json_of(json!({ "type": "array", "items": { "type": "object", "properties": {
                "id": { "type": "integer" }, "order": { "type": "integer" }, "paid": { "type": "boolean" }
            } } })) } },
            "/v2/reports": { "get": { "summary": "Revenue by month", "security": [{ "key": [] }, { "keyInQuery": [] }], "responses": json_of(json!({ "type": "object", "properties": {
                "month": { "type": "string" }, "orders": { "type": "integer" }, "revenue": { "type": "number" }
            } })) } },
            "/v2/login": { "post": {
                "summary": "Sign in", "security": [],
                "requestBody": { "required": true, "content": { "application/json": { "schema": { "type": "object", "required": ["user", "password"], "properties": {
                    "user": { "type": "string" }, "password": { "type": "string", "format": "password" }
                } } } } },
                "responses": json_of(json!({ "type": "object", "properties": { "token": { "type": "string" } } }))
            } },
            "/v2/me": { "get": { "summary": "Who am I?", "security": [{ "token": [] }], "responses": json_of(json!({ "type": "object", "properties": {
                "user": { "type": "string" }, "email": { "type": "string" }
            } })) } },
            "/v2/users/_debug": { "get": { "summary": "Users", "security": [], "responses": json_of(json!({ "type": "object", "properties": {
                "users": { "type": "array", "items": { "type": "object" } }
            } })) } }
        },
        "components": { "securitySchemes": {
            "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
            "keyInQuery": { "type": "apiKey", "in": "query", "name": "api_key" },
            "token": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }
        } },
        "security": [{ "key": [] }]
    })
}
