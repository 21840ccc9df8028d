//! Notes behind a signature, whose refusals say nothing or too much, and which are stored before or after
//! the signature is checked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use hmac::{Hmac, KeyInit, Mac};
use model::{Identity, SignedPlace, SignedPlaces, Signer, Stamp};
use serde_json::json;
use sha2::Sha256;

use crate::Pair;

const KEY_ID: &str = "partner-3";
const SECRET: &[u8] = b"9d2f61c4b80e4f57a1d3c86e70b52f94";

/// What the API gives away, or does too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Nothing,
    /// The refusal of a wrong signature holds the right one.
    ExpectedShown,
    /// Each reason has its own words.
    OwnWords,
    /// A note is stored before its signature is checked.
    StoresFirst,
}

fn canonical(method: &str, target: &str, time: &str, body: &[u8]) -> Vec<u8> {
    [format!("{time}\n{method}\n{target}\n").into_bytes(), body.to_vec()].concat()
}

fn signature(text: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("any length");
    mac.update(text);
    mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

#[derive(Debug)]
struct Client;

impl Signer for Client {
    fn sign(&self, request: &mut model::Request, stamp: &Stamp) {
        let time = stamp.unix_ms.to_string();
        let signature = signature(&canonical(&request.method, &request.target, &time, request.body.bytes()));
        request.headers.set("X-Partner", KEY_ID);
        request.headers.set("X-Time", time);
        request.headers.set("X-Mac", signature);
    }

    fn places(&self) -> Option<SignedPlaces> {
        Some(SignedPlaces {
            signature: SignedPlace::header("X-Mac"),
            timestamp: Some(SignedPlace::header("X-Time")),
            nonce: None,
            key_id: Some(SignedPlace::header("X-Partner")),
            window: None,
        })
    }
}

fn refusal(flaw: Flaw, words: &str, expected: &str) -> Response {
    let error = match flaw {
        Flaw::ExpectedShown => format!("signature mismatch, expected {expected}"),
        Flaw::OwnWords => words.to_owned(),
        Flaw::Nothing | Flaw::StoresFirst => "not signed".to_owned(),
    };
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": error }))).into_response()
}

async fn verify(State(flaw): State<Flaw>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let body: Bytes = to_bytes(body, 64 * 1024).await.unwrap_or_default();
    let header = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let target = head.uri.path_and_query().map(|target| target.as_str()).unwrap_or_default();
    let expected = signature(&canonical(head.method.as_str(), target, header("x-time"), &body));
    #[expect(clippy::disallowed_types, reason = "the clock of the server, not of a check")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    let sent: u128 = header("x-time").parse().unwrap_or_default();
    if header("x-partner") != KEY_ID {
        return refusal(flaw, "unknown partner", "");
    }
    if now.abs_diff(sent) > 120_000 {
        return refusal(flaw, "the time is over", "");
    }
    if header("x-mac") != expected {
        return refusal(flaw, "the signature is wrong", &expected);
    }
    next.run(Request::from_parts(head, body.into())).await
}

type Notes = Arc<Mutex<BTreeMap<String, String>>>;

async fn read(State(notes): State<Notes>, Path(name): Path<String>) -> Response {
    let text = notes.lock().expect("no holder panics").get(&name).cloned().unwrap_or_default();
    Json(json!({ "name": name, "text": text, "owner": KEY_ID })).into_response()
}

async fn write(State(notes): State<Notes>, Path(name): Path<String>, _: HeaderMap, body: Bytes) -> Response {
    notes.lock().expect("no holder panics").insert(name.clone(), String::from_utf8_lossy(&body).into_owned());
    Json(json!({ "name": name, "stored": true })).into_response()
}

/// The API with this flaw.
pub(crate) fn serve(flaw: Flaw) -> Served {
    let notes: Notes = Arc::default();
    let early = notes.clone();
    let store = move |request: Request, next: Next| {
        let notes = early.clone();
        async move {
            let (head, body) = request.into_parts();
            let body: Bytes = to_bytes(body, 64 * 1024).await.unwrap_or_default();
            if let (Flaw::StoresFirst, "POST") = (flaw, head.method.as_str()) {
                let name = head.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
                notes.lock().expect("no holder panics").insert(name, String::from_utf8_lossy(&body).into_owned());
            }
            next.run(Request::from_parts(head, body.into())).await
        }
    };
    let router = Router::new()
        .route("/notes/{name}", get(read).post(write))
        .with_state(notes)
        .layer(from_fn_with_state(flaw, verify))
        .layer(from_fn(store));
    let mut served = Served::new(description(), router).with_repeatable("POST", "/notes/{name}");
    let signer: Arc<dyn Signer> = Arc::new(Client);
    served.identities.push(Identity { name: "partner".into(), signer: Some(signer), ..Identity::default() });
    served
}

fn description() -> serde_json::Value {
    let name =
        json!({ "name": "name", "in": "path", "required": true, "schema": { "type": "string" }, "example": "today" });
    let ok = json!({ "200": { "description": "a note" } });
    let body = json!({ "required": true, "content": { "application/json": { "schema": {
        "type": "object", "required": ["text"], "properties": { "text": { "type": "string", "example": "call back" } }
    } } } });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Signed notes", "version": "1" },
        "paths": { "/notes/{name}": {
            "get": { "parameters": [name], "responses": ok },
            "post": { "parameters": [name], "requestBody": body, "responses": ok }
        } },
        "components": { "securitySchemes": { "mac": { "type": "apiKey", "in": "header", "name": "X-Mac" } } },
        "security": [{ "mac": [] }]
    })
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, flaw| Pair { check, vulnerable: serve(flaw), fixed: serve(Flaw::Nothing) };
    vec![pair("refusal-explains-signature", Flaw::ExpectedShown), pair("distinct-signature-errors", Flaw::OwnWords)]
}
