//! An order API that cancels by GET, and one that cancels by POST.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::routing::{get, post};
use axum::{Json, Router};
use engine::testing::Served;
use model::Mode;
use serde_json::{Value, json};

use crate::Pair;

/// A vulnerable and a fixed server, in safe mode and in active mode.
pub fn pairs() -> Vec<Pair> {
    let pair = |mode| Pair {
        check: "state-changing-get",
        vulnerable: serve("get").in_mode(mode),
        fixed: serve("post").in_mode(mode),
    };
    vec![pair(Mode::Safe), pair(Mode::Active)]
}

fn serve(method: &'static str) -> Served {
    let canceled = Arc::new(AtomicU32::new(0));
    let count = canceled.clone();
    let cancel = move || async move {
        count.fetch_add(1, Ordering::Relaxed);
        Json(json!({ "ok": true }))
    };
    let list = move || async move { Json(json!({ "orders": 9, "canceled": canceled.load(Ordering::Relaxed) })) };
    let cancel = if method == "get" { get(cancel) } else { post(cancel) };
    let router = Router::new().route("/orders", get(list)).route("/orders/cancel", cancel);
    Served::new(description(method), router).with_identity("alice", "X-API-Key", "ak_7f3e91d0c4b2")
}

fn description(method: &str) -> Value {
    let answered = json!({ "responses": { "200": { "description": "done" } } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": { "/orders": { "get": answered.clone() }, "/orders/cancel": { method: answered } }
    })
}
