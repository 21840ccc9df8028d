//! A ticket API with a sign-in and keys, with and without a limit on wrong ones.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::testing::Served;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Pair;

const KEY: &str = "tk_58c2e0";

/// Failures after which the fixed server asks to wait.
const FAILURES: u32 = 5;

#[derive(Clone)]
struct Attempts {
    limited: bool,
    failed_sign_ins: Arc<Mutex<u32>>,
    wrong_keys: Arc<Mutex<u32>>,
}

#[derive(Deserialize)]
struct SignIn {
    email: String,
    password: String,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check| Pair { check, vulnerable: serve(false), fixed: serve(true) };
    vec![pair("unlimited-guessing"), pair("unlimited-key-guessing")]
}

fn serve(limited: bool) -> Served {
    let router = Router::new().route("/tickets", get(tickets)).route("/session", post(sign_in)).with_state(Attempts {
        limited,
        failed_sign_ins: Arc::default(),
        wrong_keys: Arc::default(),
    });
    Served::new(description(), router).with_identity("alice", "X-Api-Key", KEY)
}

async fn tickets(State(attempts): State<Attempts>, headers: HeaderMap) -> Response {
    match headers.get("x-api-key") {
        Some(key) if key == KEY => Json(json!([{ "id": 4, "subject": "printer on fire" }])).into_response(),
        Some(_) => attempts.refuse(&attempts.wrong_keys, "invalid api key"),
        None => (StatusCode::UNAUTHORIZED, Json(json!({ "error": "missing api key" }))).into_response(),
    }
}

async fn sign_in(State(attempts): State<Attempts>, Json(sign_in): Json<SignIn>) -> Response {
    if (sign_in.email.as_str(), sign_in.password.as_str()) == ("alice@desk.test", "grebe-lantern-4471") {
        return Json(json!({ "key": KEY })).into_response();
    }
    attempts.refuse(&attempts.failed_sign_ins, "wrong email or password")
}

impl Attempts {
    fn refuse(&self, failures: &Mutex<u32>, error: &str) -> Response {
        let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
        *failures += 1;
        if self.limited && *failures > FAILURES {
            let body = Json(json!({ "error": "wait a minute" }));
            return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "60")], body).into_response();
        }
        (StatusCode::UNAUTHORIZED, Json(json!({ "error": error }))).into_response()
    }
}

fn description() -> Value {
    let sign_in = json!({
        "type": "object",
        "required": ["email", "password"],
        "properties": { "email": { "type": "string", "format": "email" }, "password": { "type": "string" } }
    });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Tickets", "version": "1" },
        "paths": {
            "/tickets": { "get": { "responses": { "200": { "description": "tickets" } } } },
            "/session": { "post": {
                "operationId": "signIn",
                "security": [],
                "requestBody": { "required": true, "content": { "application/json": { "schema": sign_in } } },
                "responses": { "200": { "description": "a key" }, "401": { "description": "wrong email or password" } }
            } }
        },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-Api-Key" } } },
        "security": [{ "key": [] }]
    })
}
