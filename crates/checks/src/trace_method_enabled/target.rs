//! An order API behind a server that answers TRACE, and the same behind one that does not.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Value, json};

use crate::Pair;

/// A vulnerable and a fixed server.
pub fn pairs() -> Vec<Pair> {
    let serve = |router| Served::new(description(), router).with_identity("alice", "X-API-Key", "ak_7f3e91d0c4b2");
    vec![Pair {
        check: "trace-method-enabled",
        vulnerable: serve(orders().layer(from_fn(answer_trace))),
        fixed: serve(orders()),
    }]
}

fn orders() -> Router {
    Router::new().route("/orders", get(|| async { Json(json!([{ "id": 7 }])) }))
}

/// Answers TRACE with the request as it came, as RFC 9110 describes it.
async fn answer_trace(request: Request, next: Next) -> Response {
    if request.method() != "TRACE" {
        return next.run(request).await;
    }
    let mut lines = format!("TRACE {} HTTP/1.1\r\n", request.uri());
    for (name, value) in request.headers() {
        lines.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    (StatusCode::OK, [(header::CONTENT_TYPE, "message/http")], lines).into_response()
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Orders", "version": "1" },
        "paths": { "/orders": { "get": { "responses": { "200": { "description": "orders" } } } } }
    })
}
