//! The code of `remedies/` at work: the orders API of `e2e/mended` in each framework, scanned careless
//! and with the remedies. What was found is gone, and nothing above info comes in its place.

use std::collections::BTreeSet;

use engine::testing::{Served, options, scan_recorded};
use lab::apps::{Framework, Guard, mended};
use lab::{mended as axum_orders, trial};
use model::scan::{Covered, SignedPart};
use model::{Mode, OperationKey, Scan, Severity};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// What stands beside the guard in every framework.
const AROUND: [&str; 4] = ["no-store-answers", "cors-allow-list", "generic-errors", "security-headers"];

/// Applications run one after the other: a scan that waits for its neighbors cannot tell as much.
static TURN: Mutex<()> = Mutex::const_new(());

fn found(scan: &Scan) -> BTreeSet<&str> {
    scan.findings.iter().map(|f| f.check.as_str()).collect()
}

fn above_info(scan: &Scan) -> Vec<String> {
    let worse = scan.findings.iter().filter(|f| f.severity < Severity::Info);
    worse.map(|f| format!("{} {}: {}", f.severity, f.check, f.message)).collect()
}

/// What the checks found at the careless form is not found at the mended one, which is graded.
fn gone(scan: &Scan, checks: &[&str]) {
    assert_eq!(above_info(scan), Vec::<String>::new());
    assert!(scan.score.grade.is_some(), "{:?} {:#?}", scan.outcome, scan.coverage);
    for check in checks {
        assert!(!found(scan).contains(check), "{check} is still found");
        let decided = scan.coverage.rows.iter().any(|row| row.check == *check && row.verdict == "pass");
        assert!(decided, "{check} is not decided: {:#?}", scan.coverage.rows);
    }
}

fn there(scan: &Scan, checks: &[&str]) {
    for check in checks {
        assert!(found(scan).contains(check), "{check} is not found: {:?} {:#?}", found(scan), scan.coverage.rows);
    }
}

/// Every part of a request is covered wherever it can be tested, and each is tested somewhere.
fn covers_everything(scan: &Scan) {
    let parts = |covered| -> BTreeSet<SignedPart> {
        scan.signature_coverage.iter().filter(|row| row.covered == covered).map(|row| row.part).collect()
    };
    assert_eq!(parts(Covered::NotCovered), BTreeSet::new());
    let covered = parts(Covered::Covered);
    for part in [SignedPart::Method, SignedPart::Path, SignedPart::Query, SignedPart::Host, SignedPart::Body] {
        assert!(covered.contains(&part), "{part:?} is not tested: {:#?}", scan.signature_coverage);
    }
    for part in [SignedPart::ContentType, SignedPart::Timestamp, SignedPart::Nonce] {
        assert!(covered.contains(&part), "{part:?} is not tested: {:#?}", scan.signature_coverage);
    }
}

/// The article's verifier, and `verify-signature` in its place.
async fn mends_signatures(framework: Framework) {
    let _turn = TURN.lock().await;
    let flaws = [
        "query-not-signed",
        "host-not-signed",
        "content-type-not-signed",
        "signed-parts-run-together",
        "replay-accepted",
    ];
    let app = mended(framework, Guard::Signed, &[]).expect("it starts");
    there(&trial::mended(&app, Some("article")).await.expect("its description is read"), &flaws);
    let app = mended(framework, Guard::Signed, &[&["verify-signature"], &AROUND[..]].concat()).expect("it starts");
    let scan = trial::mended(&app, Some("reference")).await.expect("its description is read");
    gone(&scan, &flaws);
    covers_everything(&scan);
}

/// Keys compared by substring and answered with, and what is to be done.
async fn mends_keys(framework: Framework, flaws: &[&str], remedies: &[&str]) {
    let _turn = TURN.lock().await;
    let flaws = [&["key-compared-by-part", "cacheable-private-answer", "reflected-origin"], flaws].concat();
    let app = mended(framework, Guard::Keyed, &[]).expect("it starts");
    there(&trial::mended(&app, None).await.expect("its description is read"), &flaws);
    let app =
        mended(framework, Guard::Keyed, &[&["api-key-lookup"], remedies, &AROUND[..]].concat()).expect("it starts");
    gone(&trial::mended(&app, None).await.expect("its description is read"), &flaws);
}

#[tokio::test(flavor = "multi_thread")]
async fn flask_verifies_signatures() {
    mends_signatures(Framework::Flask).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fastapi_verifies_signatures() {
    mends_signatures(Framework::FastApi).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn django_verifies_signatures() {
    mends_signatures(Framework::Django).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn express_verifies_signatures() {
    mends_signatures(Framework::Express).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flask_looks_keys_up() {
    mends_keys(Framework::Flask, &["own-key-in-answer", "exception-text"], &["declared-fields"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fastapi_looks_keys_up() {
    mends_keys(Framework::FastApi, &["own-key-in-answer", "exception-text"], &["declared-fields"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn django_looks_keys_up() {
    mends_keys(Framework::Django, &["debug-page"], &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn express_looks_keys_up() {
    mends_keys(Framework::Express, &["own-key-in-answer", "stack-trace"], &["declared-fields"]).await;
}

/// `key-out-of-logs` alone, in the app whose log holds keys and lines of its callers.
#[tokio::test(flavor = "multi_thread")]
async fn the_vulnerable_flask_app_keeps_keys_out_of_its_log() {
    let _turn = TURN.lock().await;
    let checks = ["key-in-log", "log-injection"];
    let app = lab::apps::flask_vulnerable_werkzeug().unwrap();
    there(&trial::flask_vulnerable_with_log(&app, Mode::Active, &app.log).await.unwrap(), &checks[..1]);
    let app = lab::apps::flask_vulnerable_quiet().unwrap();
    let scan = trial::flask_vulnerable_with_log(&app, Mode::Active, &app.log).await.unwrap();
    for check in checks {
        let verdicts: BTreeSet<&str> =
            scan.coverage.rows.iter().filter(|row| row.check == check).map(|row| row.verdict.as_str()).collect();
        assert_eq!(verdicts, BTreeSet::from(["pass"]), "{check}: {:#?}", scan.coverage.rows);
    }
    assert!(!std::fs::read_to_string(&app.log).unwrap().contains("sk_live_abc123"), "the key stands in the log");
}

#[test]
fn what_no_scan_reaches_works_in_python_and_on_node() {
    if let Err(written) = lab::apps::remedies_by_call() {
        panic!("{written}");
    }
}

/// A remedy that is left out leaves its finding: each of them does something.
#[tokio::test(flavor = "multi_thread")]
async fn a_remedy_that_is_left_out_is_missed() {
    let _turn = TURN.lock().await;
    let all = [&["api-key-lookup", "declared-fields"], &AROUND[..]].concat();
    for (left_out, check) in [
        ("declared-fields", "own-key-in-answer"),
        ("no-store-answers", "cacheable-private-answer"),
        ("cors-allow-list", "reflected-origin"),
        ("generic-errors", "exception-text"),
    ] {
        let remedies: Vec<&str> = all.iter().copied().filter(|remedy| *remedy != left_out).collect();
        let app = mended(Framework::Flask, Guard::Keyed, &remedies).unwrap();
        there(&trial::mended(&app, None).await.unwrap(), &[check]);
    }
}

/// A scan of the orders API in axum, in this process.
async fn axum_scanned(router: axum::Router, description: &str, identities: Vec<model::Identity>) -> Scan {
    let description: Value = serde_json::from_str(description).expect("it is JSON");
    let mut target = Served::new(description, router).target();
    target.identities = identities;
    target.repeatable.insert(OperationKey { method: "POST".into(), path: "/echo".into() });
    scan_recorded(target, &checks::all(), options()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn axum_verifies_signatures() {
    let secret = lab::apps::MENDED_CREDENTIALS[2].1;
    let signing = json!({ "preset": "reference", "key_id": "acme", "secret": secret });
    let configuration = json!({ "identities": { "acme": { "signing": signing } } }).to_string();
    let acme = trial::resolved(&configuration).expect("it is valid").identities;
    let description = include_str!("../../../e2e/mended/openapi.signed.json");
    let scan = axum_scanned(axum_orders::signed(), description, acme).await;
    gone(&scan, &["query-not-signed", "replay-accepted", "wide-replay-window"]);
    covers_everything(&scan);
}

#[tokio::test(flavor = "multi_thread")]
async fn axum_looks_keys_up() {
    let [(_, acme), (_, globex), _] = lab::apps::MENDED_CREDENTIALS;
    let identities =
        vec![trial::with_header("acme", "X-API-Key", acme), trial::with_header("globex", "X-API-Key", globex)];
    let description = include_str!("../../../e2e/mended/openapi.keyed.json");
    let scan = axum_scanned(axum_orders::keyed(), description, identities).await;
    gone(&scan, &["key-compared-by-part", "cacheable-private-answer", "unauthenticated-access"]);
}
