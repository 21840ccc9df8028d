//! A status API whose tokens are made from the clock of its start, and one whose tokens are random.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::testing::Served;
use model::identity::{Extract, ExtractFrom, Login};
use model::{Identity, Place, Request, Secret};
use serde_json::{Value, json};

use crate::Pair;

const PEOPLE: [(&str, &str); 2] = [("dora", "blue-kettle-71"), ("emil", "green-anchor-72")];

/// How a token is made.
#[derive(Clone, Copy)]
enum Tokens {
    /// From the second in which the server started.
    OfTheClock,
    /// From what the user signs in with; the same at each sign-in.
    OfTheUser,
    /// From a number that grows: no two are equal.
    Counted,
}

/// A vulnerable server, and fixed ones.
pub fn pairs() -> Vec<Pair> {
    let fixed = [Tokens::Counted, Tokens::OfTheUser];
    let pair = |fixed| Pair {
        check: "repeated-token",
        vulnerable: serve(Tokens::OfTheClock, PEOPLE),
        fixed: serve(fixed, PEOPLE),
    };
    fixed.map(pair).into()
}

fn serve(tokens: Tokens, people: [(&'static str, &'static str); 2]) -> Served {
    let given: Arc<Mutex<BTreeMap<String, String>>> = Arc::default();
    let known = given.clone();
    let sign_in = move |Json(body): Json<Value>| async move {
        let who = people.iter().find(|(name, password)| body["name"] == *name && body["password"] == *password);
        let Some((name, _)) = who else { return refused() };
        let mut given = given.lock().unwrap_or_else(PoisonError::into_inner);
        let token = match tokens {
            Tokens::OfTheClock => "tk_8c1f0b7d93aa42e6".to_owned(),
            Tokens::OfTheUser => format!("tk_{name}_0b7d93aa42e6"),
            Tokens::Counted => format!("tk_8c1f0b7d93aa{:04}", given.len()),
        };
        given.insert(token.clone(), (*name).to_owned());
        Json(json!({ "token": token })).into_response()
    };
    let status = move |headers: HeaderMap| async move {
        let token = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
        let known = known.lock().unwrap_or_else(PoisonError::into_inner);
        match token.is_some_and(|token| known.contains_key(token)) {
            true => Json(json!({ "open": true })).into_response(),
            false => refused(),
        }
    };
    let router = Router::new().route("/sessions", post(sign_in)).route("/status", get(status));
    let mut served = Served::new(description(), router);
    served.identities = people.map(|(name, password)| identity(name, password)).into();
    served
}

fn refused() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "not signed in" }))).into_response()
}

fn identity(name: &str, password: &str) -> Identity {
    let body = json!({ "name": name, "password": password });
    let login = Login {
        request: Request::new("POST", "/sessions").with_json(&body),
        secrets: vec![Secret::new(password)],
        extract: vec![Extract { from: ExtractFrom::Json("$.token".into()), place: Place::bearer() }],
    };
    Identity { name: name.into(), login: Some(login), ..Identity::default() }
}

fn description() -> Value {
    let answered = json!({ "200": { "description": "done" } });
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Status", "version": "1" },
        "paths": { "/status": { "get": { "responses": answered } } },
        "components": { "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } } },
        "security": [{ "token": [] }]
    })
}

#[cfg(test)]
mod tests {
    use engine::testing::scan_served;
    use model::Confidence;

    use super::*;

    async fn confidences(tokens: Tokens, people: [(&'static str, &'static str); 2]) -> Vec<Confidence> {
        let scan = scan_served(serve(tokens, people), super::super::CHECKS).await;
        scan.findings.iter().map(|finding| finding.confidence).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn equal_passwords_may_be_one_user_and_one_request_is() {
        let with_one_password = [("dora", "blue-kettle-71"), ("emil", "blue-kettle-71")];
        assert_eq!(confidences(Tokens::OfTheClock, PEOPLE).await, [Confidence::Confirmed]);
        assert_eq!(confidences(Tokens::OfTheClock, with_one_password).await, [Confidence::Likely]);
        let mut served = serve(Tokens::OfTheUser, PEOPLE);
        let mut again = served.identities[0].clone();
        again.name = "dora-too".into();
        served.identities = vec![served.identities[0].clone(), again];
        let scan = scan_served(served, super::super::CHECKS).await;
        assert!(scan.findings.is_empty(), "{:?}", scan.findings);
    }
}
