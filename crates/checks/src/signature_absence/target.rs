//! Accounts whose description asks for a key and a signature, and an API that looks at it or not.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::testing::Served;
use model::{Identity, Request, SignedPlace, SignedPlaces, Signer, Stamp};
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "pk_accounts_5f21c09b7a";

/// What the verifier does with the signature header of a request without a right one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verifier {
    Refuses,
    TakesAny,
}

fn has_key(headers: &HeaderMap) -> bool {
    headers.get("x-api-key").is_some_and(|key| key == KEY)
}

fn refusal() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "not allowed" }))).into_response()
}

fn account() -> Response {
    Json(json!({ "iban": "DE02 1203 0000 0000 2020 51", "balance": "1840.50" })).into_response()
}

fn described(schemes: &Value, security: &Value) -> Value {
    let ok = json!({ "200": { "description": "an account" } });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Accounts", "version": "2" },
        "paths": { "/account": { "get": { "responses": ok } }, "/transfers": { "post": { "responses": ok } } },
        "components": { "securitySchemes": schemes },
        "security": security
    })
}

fn key_and_signature() -> Value {
    described(
        &json!({
            "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
            "signature": { "type": "apiKey", "in": "header", "name": "X-Signature" }
        }),
        &json!([{ "key": [], "signature": [] }]),
    )
}

fn serve(description: Value, verifier: Verifier) -> Served {
    let handler = move |headers: HeaderMap| async move {
        let signature = headers.get("x-signature").map(|value| value.len());
        let passes = match verifier {
            Verifier::Refuses => false,
            Verifier::TakesAny => signature.is_some_and(|length| length > 0),
        };
        if has_key(&headers) && passes { account() } else { refusal() }
    };
    let router = Router::new().route("/account", get(handler)).route("/transfers", post(handler));
    Served::new(description, router).with_identity("shop", "X-API-Key", KEY)
}

/// A key alone admits, whatever the description says of transfers.
fn serve_by_key(description: Value) -> Served {
    let handler = |headers: HeaderMap| async move { if has_key(&headers) { account() } else { refusal() } };
    let router = Router::new().route("/account", get(handler)).route("/transfers", post(handler));
    Served::new(description, router).with_identity("shop", "X-API-Key", KEY)
}

#[derive(Debug)]
struct Fixed;

impl Signer for Fixed {
    fn sign(&self, request: &mut Request, _: &Stamp) {
        request.headers.set("X-Signature", "0".repeat(64));
    }

    fn places(&self) -> Option<SignedPlaces> {
        let signature = SignedPlace::header("X-Signature");
        Some(SignedPlaces { signature, timestamp: None, nonce: None, key_id: None, window: None })
    }
}

fn serve_signing(signs_answers: bool) -> Served {
    let handler = move |headers: HeaderMap| async move {
        if headers.get("x-signature").is_none_or(|value| value != "0".repeat(64).as_str()) {
            return refusal();
        }
        let mut answer = account();
        if signs_answers {
            answer.headers_mut().insert("x-signature", "ab12".parse().expect("a header value"));
        }
        answer
    };
    let router = Router::new().route("/account", get(handler)).route("/transfers", post(handler));
    let mut served = Served::new(key_and_signature(), router);
    let signer: Arc<dyn Signer> = Arc::new(Fixed);
    served.identities.push(Identity { name: "shop".into(), signer: Some(signer), ..Identity::default() });
    served
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let key_alone = described(
        &json!({ "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } }),
        &json!([{ "key": [] }]),
    );
    vec![
        Pair {
            check: "declared-signature-not-required",
            vulnerable: serve(key_and_signature(), Verifier::TakesAny),
            fixed: serve(key_and_signature(), Verifier::Refuses),
        },
        Pair {
            check: "writes-by-key-alone",
            vulnerable: serve_by_key(key_alone),
            fixed: serve_by_key(key_and_signature()),
        },
        Pair { check: "answers-not-signed", vulnerable: serve_signing(false), fixed: serve_signing(true) },
    ]
}
