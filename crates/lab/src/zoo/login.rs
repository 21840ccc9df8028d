//! Sign-in that tells nothing and cannot be guessed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use engine::testing::Served;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::credentials::{Person, with_people};
use super::{answer, describe, notes};

/// Failures after which nobody can sign in, and for how long.
const FAILURES: usize = 5;
const LOCK: Duration = Duration::from_secs(60);

/// 401 with one text for every failure; 429 with `Retry-After` from the sixth on.
pub(super) fn throttled() -> Served {
    let answers = json!({
        "200": token_response(describe::object(json!({ "token": describe::text() }))),
        "401": { "description": "Name or password is wrong." },
        "429": { "description": "Too many failures." },
    });
    serve(answers, |outcome| match outcome {
        Outcome::SignedIn(person) => answer::json_with(StatusCode::OK, json!({ "token": person.token() })),
        Outcome::Failed => answer::json_with(
            StatusCode::UNAUTHORIZED,
            json!({ "error": "invalid_credentials", "message": "Name or password is wrong." }),
        ),
        Outcome::Locked => {
            let body = json!({ "error": "too_many_failures", "message": "Try again later." });
            ([(header::RETRY_AFTER, "60")], answer::json_with(StatusCode::TOO_MANY_REQUESTS, body)).into_response()
        }
    })
}

/// `{"ok":false}` with 200 for every failure. The lock is silent: it too says `{"ok":false}`, even to
/// the right password.
pub(super) fn constant() -> Served {
    let schema = json!({
        "type": "object",
        "required": ["ok"],
        "properties": { "ok": { "type": "boolean" }, "token": describe::text() },
    });
    serve(json!({ "200": token_response(schema) }), |outcome| {
        let body = match outcome {
            Outcome::SignedIn(person) => json!({ "ok": true, "token": person.token() }),
            Outcome::Failed | Outcome::Locked => json!({ "ok": false }),
        };
        answer::json_with(StatusCode::OK, body)
    })
}

enum Outcome {
    SignedIn(Person),
    Failed,
    Locked,
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

/// When the latest sign-ins failed. All callers count as one: a lab sees no addresses.
type Failures = Arc<Mutex<Vec<Instant>>>;

fn serve(answers: Value, respond: fn(Outcome) -> Response) -> Served {
    let login = Router::new()
        .route(
            "/api/login",
            post(
                move |State(failures): State<Failures>, body: Bytes| async move { respond(sign_in(&failures, &body)) },
            ),
        )
        .with_state(Failures::default());
    let mut paths = notes::paths();
    paths["/api/login"] = json!({ "post": describe::login(answers) });
    with_people(Served::new(describe::protected("Notes with sign-in", paths), login.merge(notes::router())))
}

fn sign_in(failures: &Mutex<Vec<Instant>>, body: &[u8]) -> Outcome {
    let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
    failures.retain(|failed| failed.elapsed() < LOCK);
    if failures.len() >= FAILURES {
        return Outcome::Locked;
    }
    match serde_json::from_slice(body).ok().and_then(owner) {
        Some(person) => Outcome::SignedIn(person),
        None => {
            failures.push(Instant::now());
            Outcome::Failed
        }
    }
}

/// The names are public and the passwords are not.
fn owner(Credentials { username, password }: Credentials) -> Option<Person> {
    let person = match username.as_str() {
        "alice" => Person::Alice,
        "bob" => Person::Bob,
        _ => return None,
    };
    let expected = Sha256::digest(password_of(person));
    (Sha256::digest(password) == expected).then_some(person)
}

fn password_of(person: Person) -> &'static str {
    match person {
        Person::Alice => "gannet-drift-7141-lantern-oxide",
        Person::Bob => "quarry-mellow-2098-thistle-arc",
    }
}

fn token_response(schema: Value) -> Value {
    json!({ "description": "OK", "content": { "application/json": { "schema": schema } } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::{Answer, ask};

    async fn try_password(served: &Served, username: &str, password: &str) -> Answer {
        let body = json!({ "username": username, "password": password }).to_string();
        let headers = [("content-type", "application/json")];
        ask(served, None, "POST", "/api/login", &headers, &body).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_sixth_failure_is_throttled_and_time_heals() {
        let served = throttled();
        let right = password_of(Person::Alice);
        let token = try_password(&served, "alice", right).await.json()["token"].clone();
        assert_eq!(token, Person::Alice.token());
        let known = try_password(&served, "alice", "wrong").await;
        let unknown = try_password(&served, "nobody", "wrong").await;
        assert_eq!((known.status, unknown.status), (401, 401));
        assert_eq!(known.body, unknown.body);
        for _ in 0..3 {
            assert_eq!(try_password(&served, "nobody", "wrong").await.status, 401);
        }
        let locked = try_password(&served, "alice", right).await;
        assert_eq!((locked.status, locked.header("retry-after")), (429, Some("60")));
        tokio::time::advance(LOCK).await;
        assert_eq!(try_password(&served, "alice", right).await.status, 200);
    }

    #[tokio::test(start_paused = true)]
    async fn the_constant_answer_never_changes_even_when_locked() {
        let served = constant();
        for name in ["alice", "nobody", "bob", "' or 1=1", "alice", "root", "alice"] {
            let answer = try_password(&served, name, "wrong").await;
            assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"ok":false}"#));
        }
        let right = password_of(Person::Bob);
        assert_eq!(try_password(&served, "bob", right).await.json()["ok"], false);
        tokio::time::advance(LOCK).await;
        assert_eq!(try_password(&served, "bob", right).await.json()["ok"], true);
    }
}
