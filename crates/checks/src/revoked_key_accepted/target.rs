//! An order API whose keys are rows with a date of revocation, behind a cache of keys.

use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use model::{RevokedKey, Secret};
use serde_json::json;

use crate::Pair;

const KEY: &str = "ak_q7zk3m9xw2vt";
const OLD_KEY: &str = "ak_h5np8r4ydj6s";

/// Long ago, and after each scan of a test: 2020-01-01.
const REVOKED_AT_MS: i64 = 1_577_836_800_000;

#[derive(Clone, Copy)]
enum Keys {
    /// Reads the date.
    Current,
    /// Looks for the row only.
    Kept,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |at_ms| Pair {
        check: "revoked-key-accepted",
        vulnerable: serve(Keys::Kept, at_ms),
        fixed: serve(Keys::Current, at_ms),
    };
    vec![pair(None), pair(Some(REVOKED_AT_MS))]
}

fn serve(keys: Keys, at_ms: Option<i64>) -> Served {
    with_revoked_key(served_by(move |key| key == KEY || (matches!(keys, Keys::Kept) && key == OLD_KEY)), at_ms)
}

/// A server that accepts the revoked key this often.
#[cfg(test)]
fn forgets_after(uses: u32, at_ms: i64) -> Served {
    use std::sync::atomic::{AtomicU32, Ordering};

    let used = std::sync::Arc::new(AtomicU32::new(0));
    let served = served_by(move |key| key == KEY || (key == OLD_KEY && used.fetch_add(1, Ordering::Relaxed) < uses));
    with_revoked_key(served, Some(at_ms))
}

fn served_by(admits: impl Fn(&str) -> bool + Clone + Send + Sync + 'static) -> Served {
    let orders = get(move |headers: HeaderMap| async move {
        let key = headers.get("x-api-key").and_then(|v| v.to_str().ok()).unwrap_or_default();
        match admits(key) {
            true => Json(json!([{ "id": 7, "item": "lamp" }])).into_response(),
            false => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unknown key" }))).into_response(),
        }
    });
    let description = json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": { "/orders": { "get": { "responses": { "200": { "description": "orders" } } } } },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    });
    Served::new(description, Router::new().route("/orders", orders)).with_identity("alice", "X-API-Key", KEY)
}

fn with_revoked_key(mut served: Served, at_ms: Option<i64>) -> Served {
    for identity in &mut served.identities {
        identity.revoked_key = Some(RevokedKey { value: Secret::new(OLD_KEY), at_ms });
    }
    served
}

#[cfg(test)]
mod tests {
    use engine::testing::{scan_served, unix_ms};
    use model::Scan;

    use super::*;

    async fn scan(served: Served) -> Scan {
        scan_served(served, super::super::CHECKS).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_outlives_its_revocation_is_tried_again_until_it_ends() {
        let scan = scan(forgets_after(3, unix_ms() - 600_000)).await;
        let messages: Vec<&str> =
            scan.findings.iter().flat_map(|f| &f.occurrences).map(|o| o.message.as_str()).collect();
        assert_eq!(messages, ["a key was accepted for 10 minutes after it was revoked, then refused"]);
        assert!(scan.duration_ms >= 60_000, "{}", scan.duration_ms);
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_revocation_is_not_waited_for() {
        let scan = scan(serve(Keys::Kept, Some(REVOKED_AT_MS))).await;
        assert!(!scan.findings.is_empty() && scan.duration_ms < 10_000, "{}", scan.duration_ms);
    }

    #[tokio::test(start_paused = true)]
    async fn the_revoked_key_is_stored_nowhere() {
        let scan = scan(serve(Keys::Kept, None)).await;
        let stored = serde_json::to_string(&scan).unwrap();
        assert!(!stored.contains(OLD_KEY) && stored.contains("{{revoked-key}}"));
    }
}
