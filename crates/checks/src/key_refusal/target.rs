//! An order API whose keys are an id and a secret, the secret kept as a slow digest.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use model::{Mode, RevokedKey, Secret};
use serde_json::json;

use crate::Pair;

const ID: &str = "k17xq9wz";
const SECRET: &str = "c2vjcmv0lw9m";
const OLD_KEY: &str = "k52hb8dm.d8s7f6g5h4j3";

/// As long as a digest for passwords takes.
const DIGEST: Duration = Duration::from_millis(80);

#[derive(Clone, Copy, PartialEq)]
enum Refuses {
    AllAlike,
    RevokedKeysAsSuch,
    KnownIdsAsSuch,
    KnownIdsLater,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let oracle = |refuses, mode| Pair {
        check: "key-refusal-oracle",
        vulnerable: serve(refuses).in_mode(mode),
        fixed: serve(Refuses::AllAlike).in_mode(mode),
    };
    vec![
        oracle(Refuses::RevokedKeysAsSuch, Mode::Safe),
        oracle(Refuses::KnownIdsAsSuch, Mode::Active),
        Pair {
            check: "key-id-timing",
            vulnerable: serve(Refuses::KnownIdsLater).in_mode(Mode::Active),
            fixed: serve(Refuses::AllAlike).in_mode(Mode::Active),
        },
    ]
}

fn serve(refuses: Refuses) -> Served {
    let orders = get(move |headers: HeaderMap| async move {
        let key = headers.get("x-api-key").and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        answer(refuses, &key).await
    });
    let description = json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": { "/orders": { "get": { "responses": { "200": { "description": "orders" } } } } },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    });
    let key = format!("{ID}.{SECRET}");
    let mut served =
        Served::new(description, Router::new().route("/orders", orders)).with_identity("alice", "X-API-Key", &key);
    for identity in &mut served.identities {
        identity.revoked_key = Some(RevokedKey { value: Secret::new(OLD_KEY), at_ms: None });
    }
    served
}

async fn answer(refuses: Refuses, key: &str) -> Response {
    let (id, secret) = key.split_once('.').unwrap_or_default();
    if id == ID || refuses != Refuses::KnownIdsLater {
        tokio::time::sleep(DIGEST).await;
    }
    if (id, secret) == (ID, SECRET) {
        return Json(json!([{ "id": 7, "item": "lamp" }])).into_response();
    }
    let error = match refuses {
        Refuses::RevokedKeysAsSuch if key == OLD_KEY => "key revoked",
        Refuses::KnownIdsAsSuch if id == ID => "wrong secret",
        Refuses::AllAlike | Refuses::RevokedKeysAsSuch | Refuses::KnownIdsAsSuch | Refuses::KnownIdsLater => {
            "unknown key"
        }
    };
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": error }))).into_response()
}
