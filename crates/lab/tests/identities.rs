//! Identities of every kind against small servers: sign-in, expiry, credentials that belong together,
//! headers that are no credentials, signatures; and the budgets of a scan.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use engine::testing::{Served, options, scan_recorded, scan_served};
use hmac::{Hmac, KeyInit, Mac};
use model::identity::{Extract, ExtractFrom};
use model::{Credential, Identity, Outcome, Place, Scan, Secret, SignedPlace, SignedPlaces, Signer, Stamp};
use serde_json::{Value, json};
use sha2::Sha256;

fn description(scheme: Value) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Notes", "version": "1" },
        "paths": {
            "/notes": { "get": { "responses": { "200": { "description": "notes" } } } },
            "/notes/{id}": { "get": {
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "integer" } }],
                "responses": { "200": { "description": "a note" } }
            } },
            "/profile": { "get": { "responses": { "200": { "description": "who am I" } } } }
        },
        "components": { "securitySchemes": { "s": scheme } },
        "security": [{ "s": [] }]
    })
}

/// The notes API; `admit` says who may.
fn notes(admit: impl Fn(&HeaderMap, &str) -> bool + Clone + Send + Sync + 'static) -> Router {
    let guard = move |request: Request, next: axum::middleware::Next| {
        let target = request.uri().to_string();
        let admitted = admit(request.headers(), &target);
        async move {
            if admitted {
                next.run(request).await
            } else {
                (StatusCode::UNAUTHORIZED, Json(json!({ "error": "who are you?" }))).into_response()
            }
        }
    };
    let one = |axum::extract::Path(id): axum::extract::Path<String>| async move {
        match id.as_str() {
            "7" => Json(json!({ "id": 7, "text": "water the plants" })).into_response(),
            _ => (StatusCode::NOT_FOUND, Json(json!({ "error": "no such note" }))).into_response(),
        }
    };
    Router::new()
        .route("/notes", get(|| async { Json(json!([{ "id": 7, "text": "water the plants" }])) }))
        .route("/notes/{id}", get(one))
        .route("/profile", get(|| async { Json(json!({ "name": "alice", "since": 2019 })) }))
        .layer(axum::middleware::from_fn(guard))
}

fn assert_all_answered(scan: &Scan) {
    assert_eq!(scan.coverage.working, 3, "{:?} {:#?} {:#?}", scan.outcome, scan.identities, scan.coverage.unreachable);
    assert!(scan.identities.iter().all(|i| i.alive), "{:#?}", scan.identities);
    assert_eq!(scan.outcome, Outcome::Done, "{:#?}", scan.coverage);
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_token_that_dies_during_the_scan_is_renewed_and_nothing_is_lost() {
    // Each token is good for this many requests; real ones live for a minute.
    const LIFE: u32 = 7;
    let issued = Arc::new(AtomicU32::new(0));
    let used: Arc<Mutex<(u32, u32)>> = Arc::default();
    let issue = issued.clone();
    let login = post(move || {
        let number = issue.fetch_add(1, Ordering::SeqCst) + 1;
        async move { Json(json!({ "data": { "token": format!("token-of-generation-{number:04}") } })) }
    });
    let router = notes(move |headers, _| {
        let mut used = used.lock().expect("no holder panics");
        let Some(number) =
            header(headers, "authorization").strip_prefix("Bearer token-of-generation-").and_then(|n| n.parse().ok())
        else {
            return false;
        };
        if number > used.0 {
            *used = (number, 0);
        }
        used.1 += 1;
        number == used.0 && used.1 <= LIFE
    })
    .route("/login", login);
    let extract = Extract { from: ExtractFrom::Json("$.data.token".into()), place: Place::bearer() };
    let served = Served::new(description(json!({ "type": "http", "scheme": "bearer" })), router).with_login(
        "alice",
        model::Request::new("POST", "/login").with_json(&json!({ "user": "alice" })),
        extract,
    );
    let scan = scan_served(served, &checks::all()).await;
    assert_all_answered(&scan);
    assert!(issued.load(Ordering::SeqCst) > 1, "the scan was too short for a token to die");
    let record = serde_json::to_string(&scan).expect("a scan serializes");
    assert!(!record.contains("token-of-generation"), "a token stands in the record");
    // Some checks need a key that lives from their first request to their last.
    assert!(scan.coverage.ratio > 0.85, "{:#?}", scan.coverage);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_dies_and_cannot_be_renewed_ends_the_verdict() {
    let used = Arc::new(AtomicU32::new(0));
    let router = notes(move |headers, _| {
        header(headers, "authorization") == "Bearer short-lived-token" && used.fetch_add(1, Ordering::SeqCst) < 7
    });
    let served = Served::new(description(json!({ "type": "http", "scheme": "bearer" })), router).with_identity(
        "alice",
        "Authorization",
        "Bearer short-lived-token",
    );
    let scan = scan_served(served, &checks::all()).await;
    assert_eq!(scan.exit_code(), 2, "{:?}", scan.outcome);
    assert!(
        matches!(&scan.outcome, Outcome::FellShort { reason, .. } if reason.contains("alice")),
        "{:?}",
        scan.outcome
    );
}

#[tokio::test(start_paused = true)]
async fn credentials_that_belong_together_are_told_from_headers_that_are_none() {
    let router = notes(|headers, _| {
        header(headers, "x-app-id") == "app-1234567"
            && header(headers, "x-app-secret") == "s3cr3t-9876543"
            && header(headers, "x-version") == "2"
    });
    let place = |name: &str| Place::Header { name: name.into(), prefix: String::new() };
    let credential = |name: &str, value: &str| Credential { place: place(name), value: Secret::new(value) };
    let mut served =
        Served::new(description(json!({ "type": "apiKey", "in": "header", "name": "X-App-Secret" })), router);
    served.identities.push(Identity {
        name: "alice".into(),
        credentials: vec![
            credential("Accept-Language", "de-CH"),
            credential("X-App-Id", "app-1234567"),
            credential("X-Version", "2"),
            credential("X-App-Secret", "s3cr3t-9876543"),
        ],
        ..Identity::default()
    });
    let scan = scan_served(served, &checks::all()).await;
    assert_all_answered(&scan);
    // What is needed by the API counts as a credential; what changes nothing does not.
    assert_eq!(scan.identities[0].credentials, ["header X-App-Id", "header X-Version", "header X-App-Secret"]);
    assert!(scan.findings.iter().all(|f| f.severity >= model::Severity::Low), "{:#?}", scan.findings);
}

#[tokio::test(start_paused = true)]
async fn keys_in_the_query_and_in_cookies_are_sent_there() {
    for (place, location) in
        [(Place::Query { name: "k".into() }, "query"), (Place::Cookie { name: "sid".into() }, "cookie")]
    {
        let router = notes(|headers, target| {
            target.contains("k=qk_123456789") || header(headers, "cookie") == "sid=qk_123456789"
        });
        let name = if location == "query" { "k" } else { "sid" };
        let mut served = Served::new(description(json!({ "type": "apiKey", "in": location, "name": name })), router);
        let credentials = vec![Credential { place, value: Secret::new("qk_123456789") }];
        served.identities.push(Identity { name: "alice".into(), credentials, ..Identity::default() });
        let scan = scan_served(served, &checks::all()).await;
        assert_all_answered(&scan);
        assert!(!serde_json::to_string(&scan).expect("a scan serializes").contains("qk_123456789"));
    }
}

/// Signs method, target and time.
#[derive(Debug)]
struct TestSigner;

fn signature(method: &str, target: &str, time: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"signing-secret-of-the-test").expect("any length");
    mac.update(format!("{method}\n{target}\n{time}").as_bytes());
    mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect()
}

impl Signer for TestSigner {
    fn sign(&self, request: &mut model::Request, stamp: &Stamp) {
        let time = stamp.unix_ms.to_string();
        request.headers.set("X-Signature", signature(&request.method, &request.target, &time));
        request.headers.set("X-Time", time);
    }

    fn places(&self) -> Option<SignedPlaces> {
        Some(SignedPlaces {
            signature: SignedPlace::header("X-Signature"),
            timestamp: Some(SignedPlace::header("X-Time")),
            nonce: None,
            key_id: None,
            window: None,
        })
    }
}

#[tokio::test(start_paused = true)]
async fn every_request_of_an_identity_that_signs_is_signed() {
    let check = |request: Request, next: axum::middleware::Next| async move {
        let (headers, target) = (request.headers(), request.uri().to_string());
        let right =
            header(headers, "x-signature") == signature(request.method().as_str(), &target, header(headers, "x-time"));
        if right { next.run(request).await } else { refused() }
    };
    let router =
        notes(|headers, _| header(headers, "x-api-key") == "ak_7f3e91d0c4b2").layer(axum::middleware::from_fn(check));
    let mut served = Served::new(description(json!({ "type": "apiKey", "in": "header", "name": "X-API-Key" })), router)
        .with_identity("alice", "X-API-Key", "ak_7f3e91d0c4b2");
    served.identities[0].signer = Some(Arc::new(TestSigner));
    let scan = scan_served(served, &checks::all()).await;
    assert_all_answered(&scan);
    let ids: BTreeSet<&str> = scan
        .findings
        .iter()
        .filter(|f| f.check.contains("sign") || f.check.contains("time"))
        .map(|f| &*f.check)
        .collect();
    assert_eq!(
        ids,
        BTreeSet::from(["answers-not-signed", "host-not-signed", "old-timestamp-accepted"]),
        "{:#?}",
        scan.findings
    );
    assert!(scan.findings.iter().any(|f| f.check == "replay-accepted"), "{:#?}", scan.findings);
}

fn refused() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "bad signature" }))).into_response()
}

#[tokio::test(start_paused = true)]
async fn budgets_of_requests_and_time_are_honored() {
    let served = || {
        let router = notes(|headers, _| header(headers, "x-api-key") == "ak_7f3e91d0c4b2");
        Served::new(description(json!({ "type": "apiKey", "in": "header", "name": "X-API-Key" })), router)
            .with_identity("alice", "X-API-Key", "ak_7f3e91d0c4b2")
    };
    let mut few = options();
    few.limits.max_requests = 30;
    let scanned = scan_recorded(served().target(), &checks::all(), few).await;
    assert!(scanned.requests.total <= 30, "{:?}", scanned.requests);
    let mut short = options();
    short.limits.rate = Some(10.0);
    short.limits.budget = Duration::from_secs(2);
    let scanned = scan_recorded(served().target(), &checks::all(), short).await;
    assert!(
        scanned.duration_ms <= 2_100 && scanned.requests.total <= 22,
        "{:?} in {} ms",
        scanned.requests,
        scanned.duration_ms
    );
    let cut = scanned.coverage.rows.iter().any(|r| r.reason.as_deref() == Some("the time budget is used up"));
    assert!(cut, "what the budget cut is said: {:#?}", scanned.coverage.rows);
}
