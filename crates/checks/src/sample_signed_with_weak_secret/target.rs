//! Orders that take one captured signed request, made with a placeholder or with a secret.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use hmac::{Hmac, KeyInit, Mac};
use model::{Identity, Request, Sample, SignedPlace, SignedPlaces, Signer, Stamp};
use serde_json::json;
use sha2::Sha256;

use crate::Pair;

/// When the request was captured.
const TIME: &str = "1795299533";

/// Made as the article has it: time, method, path and body, nothing between them.
fn signature(secret: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
    mac.update(format!("{TIME}GET/orders").as_bytes());
    mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

/// A client that knows one signed request and no secret.
pub(crate) struct Captured {
    pub(crate) sample: Sample,
    pub(crate) places: SignedPlaces,
}

impl std::fmt::Debug for Captured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Captured")
    }
}

impl Signer for Captured {
    fn sign(&self, request: &mut Request, _: &Stamp) {
        for place in self.places.all() {
            place.put(request, &place.read(&self.sample.captured).unwrap_or_default());
        }
    }

    fn places(&self) -> Option<SignedPlaces> {
        Some(self.places.clone())
    }

    fn sample(&self) -> Option<&Sample> {
        Some(&self.sample)
    }
}

fn serve(secret: &'static str) -> Served {
    let orders = move |headers: HeaderMap| async move {
        let is = |name: &str, value: &str| headers.get(name).is_some_and(|own| own == value);
        if is("x-timestamp", TIME) && is("x-signature", &signature(secret)) {
            return Json(json!({ "orders": [{ "id": 7, "item": "lamp" }] })).into_response();
        }
        refusal()
    };
    let ok = json!({ "200": { "description": "orders" } });
    let description = json!({
        "openapi": "3.1.0",
        "info": { "title": "Orders", "version": "1" },
        "paths": { "/orders": { "get": { "responses": ok } } },
        "components": { "securitySchemes": { "s": { "type": "apiKey", "in": "header", "name": "X-Signature" } } },
        "security": [{ "s": [] }]
    });
    let bare = Request::get("/orders");
    let signed = bare.clone().with_header("X-Timestamp", TIME).with_header("X-Signature", &signature(secret));
    let places = SignedPlaces {
        signature: SignedPlace::header("X-Signature"),
        timestamp: Some(SignedPlace::header("X-Timestamp")),
        nonce: None,
        key_id: None,
        window: None,
    };
    let signer: Arc<dyn Signer> = Arc::new(Captured { sample: Sample { captured: signed, bare }, places });
    let mut served = Served::new(description, Router::new().route("/orders", get(orders)));
    served.identities.push(Identity { name: "partner".into(), signer: Some(signer), ..Identity::default() });
    served
}

fn refusal() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "not signed" }))).into_response()
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    vec![Pair {
        check: "sample-signed-with-weak-secret",
        vulnerable: serve("{{shared_secret}}"),
        fixed: serve("5b1f0c9a7de24c6e8f30b7d1a2e94c65"),
    }]
}
