//! An order API behind a signature that can be forged in one way or in none, and its two clients.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256};
use axum::body::{Bytes, to_bytes};
use axum::extract::{Query, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Json, Router};
use engine::config::{Lookup, parse};
use engine::testing::Served;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const ALICE: (&str, &str) = ("shop-17", "c41f09b7e2d84a6fb0753e1d");
const BOB: (&str, &str) = ("shop-23", "9a60d8e7f1524cb3a8e7d05f");
const DEFAULT_SECRET: &str = "changeme";

/// Every secret of the two clients.
#[cfg(test)]
pub(super) const SECRETS: [&str; 3] = [ALICE.1, BOB.1, DEFAULT_SECRET];

/// What is wrong with the verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    Nothing,
    /// `X-Acme-Algorithm: none` is obeyed.
    AlgorithmNone,
    /// `X-Acme-Version: v0` selects a plain SHA-256 of the body.
    PlainHash,
    /// `X-Acme-Algorithm: sha1` selects HMAC-SHA-1.
    Sha1,
    /// The secret of an unknown client is empty.
    EmptySecret,
    /// The secret of any client will do for any other.
    AnySecret,
    /// Key ids are compared without their case.
    AnyCase,
    /// The secret of the first client is a default.
    DefaultSecret,
    /// What is missing in the headers is read from the query.
    InQuery,
    /// SHA-256 of the secret and the text behind it.
    SecretFirst,
    /// `/v1` is from before requests were signed.
    OldVersion,
}

impl Defect {
    fn secret_of(self, id: &str) -> Option<&'static str> {
        match id {
            _ if id == ALICE.0 && self == Self::DefaultSecret => Some(DEFAULT_SECRET),
            _ if id == ALICE.0 || (self == Self::AnyCase && id.eq_ignore_ascii_case(ALICE.0)) => Some(ALICE.1),
            _ if id == BOB.0 => Some(BOB.1),
            _ if self == Self::EmptySecret => Some(""),
            _ => None,
        }
    }
}

/// What a request says of its signature.
#[derive(Default)]
struct Sent {
    id: String,
    time: String,
    nonce: String,
    signature: String,
    algorithm: String,
    version: String,
}

impl Sent {
    fn of(request: &Request, defect: Defect) -> Self {
        let query = Query::<std::collections::BTreeMap<String, String>>::try_from_uri(request.uri()).ok();
        let read = |header: &str, parameter: &str| {
            let stated = request.headers().get(header).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
            let moved = query.as_ref().and_then(|q| q.get(parameter)).filter(|_| defect == Defect::InQuery).cloned();
            stated.or(moved).unwrap_or_default()
        };
        Self {
            id: read("x-acme-id", "key_id"),
            time: read("x-acme-time", "timestamp"),
            nonce: read("x-acme-nonce", "nonce"),
            signature: read("x-acme-signature", "signature"),
            algorithm: read("x-acme-algorithm", ""),
            version: read("x-acme-version", ""),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(request: &Request, sent: &Sent, body: &[u8], defect: Defect) -> Vec<u8> {
    let host = request.headers().get("host").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let uri = request.uri();
    let target = match uri.query() {
        Some(query) if defect != Defect::InQuery => format!("{}?{query}", uri.path()),
        _ => uri.path().to_owned(),
    };
    let head = [&sent.id, &sent.time, &sent.nonce, request.method().as_str(), host, &target].join("\n");
    [head.as_bytes(), b"\n", body].concat()
}

fn is_signed(request: &Request, sent: &Sent, body: &[u8], defect: Defect) -> bool {
    let message = text(request, sent, body, defect);
    let mac =
        |algorithm, secret: &str| hex(hmac::sign(&hmac::Key::new(algorithm, secret.as_bytes()), &message).as_ref());
    let Some(secret) = defect.secret_of(&sent.id) else { return false };
    match (defect, sent.algorithm.as_str(), sent.version.as_str()) {
        (Defect::AlgorithmNone, "none", _) => true,
        (Defect::PlainHash, _, "v0") => sent.signature == hex(&Sha256::digest(body)),
        (Defect::Sha1, "sha1", _) => sent.signature == mac(HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret),
        (Defect::AnySecret, ..) => [ALICE.1, BOB.1].iter().any(|secret| sent.signature == mac(HMAC_SHA256, secret)),
        (Defect::SecretFirst, ..) => sent.signature == hex(&Sha256::digest([secret.as_bytes(), &message].concat())),
        _ => sent.signature == mac(HMAC_SHA256, secret),
    }
}

fn is_recent(time: &str) -> bool {
    #[expect(clippy::disallowed_types, reason = "the clock of the server, not of a check")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    time.len() == 10 && time.parse::<u64>().is_ok_and(|sent| now.abs_diff(sent) <= 120)
}

/// The API with this defect.
pub(super) fn serve(defect: Defect) -> Served {
    let nonces = Arc::new(Mutex::new(BTreeSet::new()));
    let guard = move |request: Request, next: Next| {
        let nonces = nonces.clone();
        async move {
            let (head, body) = request.into_parts();
            let body: Bytes = to_bytes(body, 64 * 1024).await.unwrap_or_default();
            let mut request = Request::from_parts(head, body.clone().into());
            let sent = Sent::of(&request, defect);
            let is_old = request.uri().path().starts_with("/v1/") && defect == Defect::OldVersion;
            let admitted = match is_old {
                true => defect.secret_of(&sent.id).is_some(),
                false => {
                    is_recent(&sent.time)
                        && is_signed(&request, &sent, &body, defect)
                        && nonces.lock().expect("no holder panics").insert(sent.nonce)
                }
            };
            if !admitted {
                return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "not signed" }))).into_response();
            }
            request.extensions_mut().insert(Client(sent.id));
            next.run(request).await
        }
    };
    let router = Router::new().route("/v1/orders", get(orders)).route("/v2/orders", get(orders)).layer(from_fn(guard));
    let mut served = Served::new(description(), router);
    let config = parse(&configuration(defect)).and_then(|config| config.resolve(&NoVariables));
    served.identities = config.expect("the configuration of a test").identities;
    served
}

/// Who asks, as far as the verifier knows.
#[derive(Clone)]
struct Client(String);

async fn orders(Extension(Client(id)): Extension<Client>) -> Response {
    let item = if id == BOB.0 { "chair" } else { "lamp" };
    Json(json!({ "data": [{ "id": 7, "item": item, "pickup_code": format!("{item}-4f1c") }] })).into_response()
}

struct NoVariables;

impl Lookup for NoVariables {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn file(&self, _: &str) -> Option<String> {
        None
    }
}

fn configuration(defect: Defect) -> String {
    let signing = |id: &str, secret: &str| {
        json!({ "signing": {
            "canonical": "{key_id}\\n{ts}\\n{nonce}\\n{METHOD}\\n{host}\\n{path_query}\\n{body}",
            "algorithm": if defect == Defect::SecretFirst { "sha256-secret-first" } else { "hmac-sha256" },
            "headers": {
                "key_id": "X-Acme-Id", "timestamp": "X-Acme-Time", "nonce": "X-Acme-Nonce",
                "signature": "X-Acme-Signature",
            },
            "key_id": id,
            "secret": secret,
        } })
    };
    let own = if defect == Defect::DefaultSecret { DEFAULT_SECRET } else { ALICE.1 };
    json!({ "identities": { "alice": signing(ALICE.0, own), "bob": signing(BOB.0, BOB.1) } }).to_string()
}

fn description() -> Value {
    json!({
        "openapi": "3.2.0",
        "info": { "title": "Orders of shops", "version": "2" },
        "paths": { "/v2/orders": { "get": { "responses": { "200": { "description": "the shop's orders" } } } } },
        "components": {
            "securitySchemes": { "s": { "type": "apiKey", "in": "header", "name": "X-Acme-Signature" } }
        },
        "security": [{ "s": [] }]
    })
}
