//! No credential of a scan is legible in its record, whatever form it was given in and wherever the API
//! repeats it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::config::{self, Lookup};
use engine::testing::{Served, options};
use engine::{Silent, scan};
use serde_json::{Value, json};

const SECRET: &str = "Zq4b/81d09+3Lm72c6e5V=";

struct Variables;

impl Lookup for Variables {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "GATE").then(|| SECRET.into())
    }

    fn file(&self, path: &str) -> Option<String> {
        (path == "key.txt").then(|| format!("{SECRET}\n"))
    }
}

fn description() -> Value {
    let get = json!({ "get": { "responses": { "200": { "description": "ok" } } } });
    json!({ "openapi": "3.0.3", "info": { "title": "t", "version": "1" }, "paths": { "/me": get, "/items": get, "/log": get } })
}

/// Repeats the secret in a body, in names, in headers, encoded in the ways of several languages.
async fn echo(request: Request) -> impl IntoResponse {
    let path = request.uri().path().to_owned();
    let mut headers = HeaderMap::new();
    headers.insert("x-echo", SECRET.parse().expect("it is a header value"));
    headers.insert(
        "location",
        format!("/cb?k={}", SECRET.replace('/', "%2F").replace('+', "%2b")).parse().expect("it is a header value"),
    );
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let body = match path.as_str() {
        "/me" => {
            format!(r#"{{"{SECRET}":1,"a":"{}","b":"{}"}}"#, SECRET.replace('/', "\\/"), SECRET.replace('+', "\\u002B"))
        }
        "/items" => format!("<a href=\"?k={}\">{hex}</a>", SECRET.replace('=', "&#x3d;")),
        "/login" => {
            format!(r#"{{"data":{{"access":"At9x2Lq7Vb4Nd8Ms1Zk5Wc"}},"got":"{}"}}"#, SECRET.replace('=', "\\u003d"))
        }
        _ => format!("2026-01-01 ERROR key={SECRET} basic={}", BASE64_STANDARD.encode(format!("u:{SECRET}"))),
    };
    (headers, body)
}

async fn record(config: &str) -> String {
    let resolved = config::parse(config).and_then(|config| config.resolve(&Variables)).expect("it is valid");
    let mut served = Served::new(description(), Router::new().fallback(echo));
    served.identities = resolved.identities;
    let mut target = served.target();
    target.known = resolved.known;
    target.headers = resolved.headers;
    let scan = scan(target, &[], options(), Arc::new(Silent)).await;
    serde_json::to_string(&scan).expect("a scan serializes")
}

#[tokio::test(start_paused = true)]
async fn no_credential_is_legible_in_a_record() {
    let basic = BASE64_STANDARD.encode(format!("{SECRET}:"));
    for identity in [
        format!("header: {{ X-API-Key: '{SECRET}' }}"),
        "header: { X-API-Key: 'v1.${GATE}' }".into(),
        "header: { X-API-Key: '@file:key.txt' }".into(),
        format!("header: {{ Cookie: 'sid={SECRET}; lang=de' }}"),
        format!("header: {{ Authorization: 'Frobnicate {SECRET}' }}"),
        format!("header: {{ Authorization: 'Token token=\"{SECRET}\"' }}"),
        format!("header: {{ Authorization: 'Basic {basic}' }}"),
        format!("basic: '{SECRET}:'"),
        format!("basic: 'bob:{SECRET}'"),
        format!("bearer: '{SECRET}'"),
        format!("query: {{ k: '{SECRET}' }}"),
        format!("cookie: {{ sid: '{SECRET}' }}"),
        format!("bearer: abcdefgh12345678, revoked_key: '{SECRET}'"),
        format!("signing: {{ preset: github, secret: '{SECRET}' }}"),
        format!("login: {{ request: POST /login, json: {{ user: bob, password: '{SECRET}' }}, bearer: $.wrong }}"),
        format!(
            "login: {{ request: POST /login, form: {{ user: bob, login_secret: '{SECRET}' }}, bearer: $.data.access }}"
        ),
        format!("login: {{ request: POST /login, headers: {{ X-Client: '{SECRET}' }}, bearer: $.data.access }}"),
    ] {
        let text = record(&format!("identities: {{ a: {{ {identity} }} }}")).await;
        assert_hidden(&text, SECRET, &identity);
        assert_hidden(&text, "At9x2Lq7Vb4Nd8Ms1Zk5Wc", &identity);
    }
    let text = record("headers: { X-Gate: '${GATE}' }").await;
    assert_hidden(&text, SECRET, "headers");
}

/// Fails where a reader gets the secret from the text, undoing escapes as often as they occur.
fn assert_hidden(text: &str, secret: &str, form: &str) {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut read = text.to_owned();
    for _ in 0..4 {
        for hidden in [secret, &hex, BASE64_STANDARD.encode(secret).trim_end_matches('=')] {
            let at = read.find(hidden).map(|at| &read[at.saturating_sub(60)..at]);
            assert!(at.is_none(), "{form}: legible behind {at:?}");
        }
        let slash = read.replace("\\/", "/").replace("\\\\", "\\").replace("\\u003d", "=").replace("\\u002B", "+");
        let slash = slash.replace("&#x3d;", "=").replace("&amp;", "&");
        read = percent_encoding::percent_decode_str(&slash).decode_utf8_lossy().into_owned();
    }
    // The test would prove nothing where nothing was repeated.
    assert!(text.contains("{{"), "{form}");
}
