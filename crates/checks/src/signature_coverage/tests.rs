//! The signed order API with each defect: exactly the findings that it deserves, and the map of what is
//! covered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::{Served, scan_served};
use model::scan::Covered;
use model::{Category, Identity, Scan, SignedPart, SignedPlace, SignedPlaces, Signer, Stamp, WindowBounds};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::verifier::{Defect, Style, serve};

const STYLES: [Style; 3] = [Style::Json, Style::Envelope, Style::Text];

/// Without two notes that hold for this API by design: each reason has a code of its own, and answers are
/// not signed.
fn checks_of_signatures() -> Vec<&'static dyn engine::AnyCheck> {
    let all = crate::all().into_iter().filter(|c| c.meta().category == Category::RequestIntegrity);
    all.filter(|c| !["distinct-signature-errors", "answers-not-signed"].contains(&c.meta().id)).collect()
}

async fn scanned(defect: Defect, style: Style) -> Scan {
    scan_served(serve(defect, style), &checks_of_signatures()).await
}

fn found(scan: &Scan) -> BTreeSet<&str> {
    scan.findings.iter().map(|f| f.check.as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_sound_scheme_has_no_finding_in_any_style_of_saying_no() {
    for style in STYLES {
        for defect in [Defect::Nothing, Defect::SignedOverride, Defect::Foreign] {
            let scan = scanned(defect, style).await;
            assert_eq!(found(&scan), BTreeSet::new(), "{style:?} {:#?}", scan.findings);
            let undecided: Vec<_> = scan.coverage.rows.iter().filter(|r| r.verdict == "inconclusive").collect();
            assert!(undecided.is_empty(), "{style:?} {undecided:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_defect_gets_exactly_its_findings() {
    let unsigned = |part, id| (Defect::Unsigned(part), vec![id]);
    let defects = [
        unsigned(SignedPart::Query, "query-not-signed"),
        unsigned(SignedPart::Path, "path-not-signed"),
        unsigned(SignedPart::Method, "method-not-signed"),
        unsigned(SignedPart::Host, "host-not-signed"),
        unsigned(SignedPart::Body, "body-not-signed"),
        unsigned(SignedPart::ContentType, "content-type-not-signed"),
        unsigned(SignedPart::Timestamp, "timestamp-not-signed"),
        unsigned(SignedPart::Nonce, "nonce-not-signed"),
        (Defect::ForwardedHost, vec!["forwarded-host-trusted"]),
        (Defect::Override, vec!["header-not-signed"]),
        (Defect::Mounted, vec!["path-prefix-not-signed"]),
        (Defect::LoweredPath, vec!["path-spelling-not-signed"]),
        (Defect::TextBody, vec!["bytes-sign-alike"]),
        (Defect::RewrittenJson, vec!["rewritten-json-accepted"]),
        (Defect::ConsumedForm, vec!["form-not-signed"]),
        (Defect::ScopeHeader, vec!["scope-header-not-signed"]),
        (Defect::Ignored, vec!["signature-ignored"]),
        (Defect::Empty, vec!["empty-signature-accepted"]),
        (Defect::Prefix, vec!["partial-signature-accepted"]),
        (Defect::FirstEight, vec!["partial-signature-accepted"]),
        (Defect::Missing, vec!["signature-missing-accepted"]),
        (Defect::Timeless, vec!["old-timestamp-accepted"]),
        (Defect::Window(1800), vec!["wide-replay-window"]),
        (Defect::PastOnly, vec!["future-timestamp-accepted"]),
        (Defect::NoNumber, vec!["old-timestamp-accepted"]),
        (Defect::Replay, vec!["replay-accepted"]),
        // What is kept is the signature, so the nonce is free.
        (Defect::Spelling, vec!["nonce-reuse-accepted", "respelled-replay-accepted"]),
        (Defect::Race, vec!["concurrent-replay-accepted"]),
        (Defect::NonceOfPath, vec!["nonce-reuse-accepted"]),
        (Defect::Crash, vec!["malformed-signature-crashes"]),
        (Defect::LengthCrash, vec!["malformed-signature-crashes"]),
        (
            Defect::RunTogether,
            vec![
                "content-type-not-signed",
                "host-not-signed",
                "query-not-signed",
                "replay-accepted",
                "signed-parts-run-together",
            ],
        ),
    ];
    for (defect, deserved) in defects {
        for style in STYLES {
            // An answer to HEAD has no body that could say no.
            if defect == Defect::Override && matches!(style, Style::Envelope) {
                continue;
            }
            let scan = scanned(defect, style).await;
            let deserved: BTreeSet<&str> = deserved.iter().copied().collect();
            assert_eq!(found(&scan), deserved, "{defect:?} {style:?} {:#?}", scan.coverage.rows);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn severities_follow_what_was_shown() {
    let severity = |scan: &Scan| scan.findings.iter().map(|f| f.severity.as_str()).next();
    let query = scanned(Defect::Unsigned(SignedPart::Query), Style::Json).await;
    assert_eq!(severity(&query), Some("high"), "a declared parameter changed the answer");
    assert_eq!(severity(&scanned(Defect::Prefix, Style::Json).await), Some("critical"));
    assert_eq!(severity(&scanned(Defect::Ignored, Style::Json).await), Some("critical"));
    assert_eq!(severity(&scanned(Defect::Missing, Style::Json).await), Some("high"));
    for (seconds, wanted) in [(300, None), (600, Some("info")), (1800, Some("low")), (7200, Some("medium"))] {
        let scan = scanned(Defect::Window(seconds), Style::Json).await;
        assert_eq!(severity(&scan), wanted, "a window of {seconds} s: {:#?}", scan.findings);
    }
}

#[tokio::test(start_paused = true)]
async fn the_map_says_of_each_operation_and_part_whether_it_is_covered() {
    let scan = scanned(Defect::Unsigned(SignedPart::Host), Style::Json).await;
    let parts = |path: &str| -> BTreeMap<SignedPart, Covered> {
        let rows = scan.signature_coverage.iter().filter(|row| row.operation.path == path);
        rows.map(|row| (row.part, row.covered)).collect()
    };
    let order = parts("/orders/{id}");
    for part in [SignedPart::Method, SignedPart::Path, SignedPart::Query, SignedPart::Timestamp, SignedPart::Nonce] {
        assert_eq!(order.get(&part), Some(&Covered::Covered), "{part:?}");
    }
    assert_eq!(order.get(&SignedPart::Host), Some(&Covered::NotCovered));
    assert_eq!(order.get(&SignedPart::Body), Some(&Covered::NotTestable));
    assert_eq!(parts("/orders/search").get(&SignedPart::Body), Some(&Covered::Covered));
    assert!(scan.signature_coverage.iter().all(|row| row.identity == "alice"));
    assert!(scan.signature_coverage.iter().all(|row| row.why.is_some() == (row.covered != Covered::Covered)));
}

/// **Source**: docs/rows.md.
const REQUESTS_PER_OPERATION: usize = 40;

#[tokio::test(start_paused = true)]
async fn an_operation_of_a_sound_scheme_takes_at_most_forty_requests() {
    let asked_of_each = |reference: &str| {
        let row: Option<u32> = reference.strip_prefix("SIG-").and_then(|row| row.parse().ok());
        row.is_some_and(|row| row <= 16 || [24, 31, 32, 35].contains(&row))
    };
    let mut checks = checks_of_signatures();
    checks.retain(|check| check.meta().reference.iter().any(|reference| asked_of_each(reference)));
    for style in STYLES {
        let scan = scan_served(serve(Defect::Nothing, style), &checks).await;
        let mut counts: BTreeMap<_, usize> = BTreeMap::new();
        for exchange in scan.exchanges.values().filter(|e| e.purpose == model::Purpose::Check) {
            *counts.entry(exchange.operation.clone()).or_default() += 1;
        }
        assert!(counts.len() >= 3, "{counts:?}");
        assert!(counts.values().all(|count| *count <= REQUESTS_PER_OPERATION), "{counts:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_signature_of_which_only_the_beginning_is_compared_still_shows_what_it_covers() {
    let scan = scanned(Defect::FirstEight, Style::Json).await;
    let parts = [SignedPart::Path, SignedPart::Query, SignedPart::Host, SignedPart::Timestamp, SignedPart::Nonce];
    for part in parts {
        let covered = scan.signature_coverage.iter().filter(|row| row.part == part).map(|row| row.covered);
        assert!(covered.clone().count() > 0 && covered.clone().all(|c| c == Covered::Covered), "{part:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_record_says_how_long_signed_requests_live() {
    let scan = scanned(Defect::Nothing, Style::Json).await;
    let [window] = scan.replay_windows.as_slice() else { panic!("one identity signs: {:?}", scan.replay_windows) };
    assert_eq!(window.identity, "alice");
    for bounds in [window.past, window.future] {
        assert!(bounds.accepted_s <= 120 && bounds.refused_s.is_some_and(|refused| refused > 118), "{bounds:?}");
    }
    let open = scanned(Defect::PastOnly, Style::Json).await;
    assert_eq!(open.replay_windows[0].future, WindowBounds { accepted_s: 86_400, refused_s: None });
}

#[tokio::test(start_paused = true)]
async fn each_part_is_asked_with_the_first_use_of_a_signature() {
    let scan = scanned(Defect::Nothing, Style::Json).await;
    let mut uses: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for exchange in scan.exchanges.values() {
        let stated = exchange.request.headers.first("x-signature");
        let Some(signature) = stated.filter(|s| s.starts_with("{{alice.signature:")) else { continue };
        let refused = exchange.response().is_some_and(|r| r.status == 401);
        let (times, refusals) = uses.entry(signature.to_owned()).or_default();
        (*times, *refusals) = (*times + 1, *refusals + usize::from(refused));
    }
    assert!(uses.values().any(|(times, _)| *times > 1), "replays are sent");
    let count = uses.len();
    for (signature, (times, refusals)) in uses {
        assert!(refusals + 1 >= times, "{signature} is used {times} times and refused {refusals} times");
    }
    assert!(count > 20, "signatures are recorded as masks that tell them apart");
}

/// Signs the query alone, as exchanges for currencies do; time and signature stand in it.
#[derive(Debug)]
struct InQuery;

fn digest_of(query: &str) -> String {
    Sha256::digest(format!("signing-secret{query}")).iter().map(|b| format!("{b:02x}")).collect()
}

impl Signer for InQuery {
    fn sign(&self, request: &mut model::Request, stamp: &Stamp) {
        *request = request.clone().with_query("timestamp", &(stamp.unix_ms / 1000).to_string());
        let signature = digest_of(request.query().unwrap_or_default());
        *request = request.clone().with_query("signature", &signature);
    }

    fn places(&self) -> Option<SignedPlaces> {
        Some(SignedPlaces {
            signature: SignedPlace::query("signature"),
            timestamp: Some(SignedPlace::query("timestamp")),
            nonce: None,
            key_id: None,
            window: Some(Duration::from_secs(600)),
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_signature_in_the_query_is_mapped_and_a_store_of_signatures_is_no_cover() {
    let store: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let guard = move |request: Request, next: Next| {
        let store = store.clone();
        async move {
            let query = request.uri().query().unwrap_or_default();
            let parts = query.split_once("&signature=").or_else(|| Some(("", query.strip_prefix("signature=")?)));
            let right = parts.is_some_and(|(signed, signature)| signature == digest_of(signed));
            let fresh =
                |(_, signature): (&str, &str)| store.lock().expect("no holder panics").insert(signature.to_owned());
            if right && parts.is_some_and(fresh) {
                return next.run(request).await;
            }
            let message = if right { "seen before" } else { "wrong signature" };
            (StatusCode::UNAUTHORIZED, Json(json!({ "code": -1022, "msg": message }))).into_response()
        }
    };
    let router = Router::new()
        .route("/account", get(|| async { Json(json!({ "balances": [{ "asset": "X", "free": "1.5" }] })) }))
        .layer(from_fn(guard));
    let description = json!({
        "openapi": "3.0.3",
        "info": { "title": "Exchange", "version": "1" },
        "paths": { "/account": { "get": { "responses": { "200": { "description": "balances" } } } } },
        "components": { "securitySchemes": { "s": { "type": "apiKey", "in": "query", "name": "signature" } } },
        "security": [{ "s": [] }]
    });
    let mut served = Served::new(description, router);
    let signer: Arc<dyn Signer> = Arc::new(InQuery);
    served.identities.push(Identity { name: "alice".into(), signer: Some(signer), ..Identity::default() });
    let scan = scan_served(served, &checks_of_signatures()).await;
    let map: BTreeMap<SignedPart, Covered> = scan.signature_coverage.iter().map(|r| (r.part, r.covered)).collect();
    let wanted = [
        (SignedPart::Method, Covered::NotCovered),
        (SignedPart::Host, Covered::NotCovered),
        (SignedPart::Path, Covered::NotCovered),
        (SignedPart::Query, Covered::Covered),
        (SignedPart::Timestamp, Covered::Covered),
        (SignedPart::Nonce, Covered::NotTestable),
    ];
    for (part, covered) in wanted {
        assert_eq!(map.get(&part), Some(&covered), "{part:?} {:#?}", scan.signature_coverage);
    }
    assert!(!found(&scan).contains("replay-accepted"), "{:#?}", scan.findings);
    assert!(found(&scan).contains("old-timestamp-accepted"), "{:#?}", scan.findings);
}
