//! The orders API of `e2e/mended` in axum, with the remedies that there are for it, run from the very
//! files that people paste.

use std::sync::Arc;

use axum::extract::{Extension, Path, Query};
use axum::http::StatusCode;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::apps::MENDED_CREDENTIALS;

/// `remedies/api-key-lookup/axum.rs`.
#[path = "../../../remedies/api-key-lookup/axum.rs"]
pub mod api_key_lookup;
/// `remedies/generic-errors/axum.rs`.
#[path = "../../../remedies/generic-errors/axum.rs"]
pub mod generic_errors;
/// `remedies/no-store-answers/axum.rs`.
#[path = "../../../remedies/no-store-answers/axum.rs"]
pub mod no_store_answers;
/// `remedies/verify-signature/axum.rs`.
#[path = "../../../remedies/verify-signature/axum.rs"]
pub mod verify_signature;

use api_key_lookup::{Keys, digest, require_key};
use generic_errors::answer_errors_generically;
use no_store_answers::forbid_storing;
use verify_signature::{Client, Verifier, require_signature};

/// Behind signatures.
pub fn signed() -> Router {
    let verifier = Verifier::new(|key_id| (key_id == "acme").then(|| credential("ACME_SECRET").as_bytes().to_vec()));
    finished(orders().layer(from_fn_with_state(Arc::new(verifier), require_signature)))
}

/// Behind keys.
pub fn keyed() -> Router {
    let clients = [("acme", "ACME_KEY"), ("globex", "GLOBEX_KEY")]
        .map(|(name, key)| (digest(credential(key).as_bytes()), Client(name.into())));
    let keys =
        Keys::new(move |digest| clients.iter().find(|(known, _)| known == digest).map(|(_, client)| client.clone()));
    finished(orders().layer(from_fn_with_state(keys, require_key)))
}

/// What `e2e/mended` calls it by.
fn credential(name: &str) -> &'static str {
    MENDED_CREDENTIALS.iter().find(|(known, _)| *known == name).map(|(_, value)| *value).unwrap_or_default()
}

fn finished(router: Router) -> Router {
    router.layer(map_response(answer_errors_generically)).layer(map_response(forbid_storing))
}

fn orders() -> Router {
    Router::new()
        .route("/orders", get(list))
        .route("/orders/{number}", get(read))
        .route("/search", get(find))
        .route("/profile", get(profile))
        .route("/echo", post(echo))
        .fallback(StatusCode::NOT_FOUND)
}

/// The orders of `e2e/mended/orders.json`.
fn own(client: &Client) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../../e2e/mended/orders.json")).expect("the file is JSON");
    all[&client.0].as_array().cloned().unwrap_or_default()
}

async fn list(Extension(client): Extension<Client>) -> Json<Value> {
    Json(json!({ "orders": own(&client) }))
}

async fn read(Extension(client): Extension<Client>, Path(number): Path<u64>) -> Response {
    let found = own(&client).into_iter().find(|order| order["id"] == number);
    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |order| Json(order).into_response())
}

#[derive(Deserialize)]
struct Words {
    q: String,
}

async fn find(Extension(client): Extension<Client>, Query(words): Query<Words>) -> Json<Value> {
    let has = |order: &Value| order["item"].as_str().is_some_and(|item| item.contains(&words.q));
    Json(json!({ "orders": own(&client).into_iter().filter(has).collect::<Vec<_>>() }))
}

async fn profile(Extension(client): Extension<Client>) -> Json<Value> {
    Json(json!({ "name": client.0, "plan": "wholesale" }))
}

async fn echo(Json(body): Json<Value>) -> Json<Value> {
    Json(json!({ "received": body }))
}
