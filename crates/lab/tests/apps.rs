//! Real applications on loopback: the orders API of `e2e/` in its vulnerable and its remediated form,
//! and Kinto.

use std::collections::BTreeSet;

use lab::{apps, trial};
use model::{Scan, Severity};

fn found(scan: &Scan) -> BTreeSet<&str> {
    scan.findings.iter().map(|f| f.check.as_str()).collect()
}

fn above_low(scan: &Scan) -> Vec<String> {
    let worse = scan.findings.iter().filter(|f| f.severity < Severity::Low);
    worse.map(|f| format!("{} {}: {:?}", f.severity, f.check, f.occurrences.first())).collect()
}

/// No credential of the scan stands in its record.
fn keeps_secrets(scan: &Scan, secrets: &[&str]) {
    let record = serde_json::to_string(scan).expect("a scan serializes");
    for secret in secrets {
        assert!(!record.contains(secret), "a credential stands in the record");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vulnerable_flask_app_under_its_development_server() {
    let app = apps::flask_vulnerable_werkzeug().unwrap();
    let scan = trial::flask_vulnerable(&app).await.unwrap();
    let found = found(&scan);
    for id in ["debug-page", "jwt-weak-secret", "key-in-query", "own-key-in-answer", "undeclared-operation"] {
        assert!(found.contains(id), "{id} not found: {found:?} {:#?}", scan.coverage);
    }
    keeps_secrets(&scan, &["sk_live_abc123", "wonderland"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vulnerable_flask_app_under_gunicorn() {
    let app = apps::flask_vulnerable_gunicorn().unwrap();
    let scan = trial::flask_vulnerable(&app).await.unwrap();
    let found = found(&scan);
    for id in ["jwt-weak-secret", "key-in-query", "own-key-in-answer"] {
        assert!(found.contains(id), "{id} not found: {found:?} {:#?}", scan.coverage);
    }
    assert!(!found.contains("debug-page"), "gunicorn shows no debugger");
    keeps_secrets(&scan, &["sk_live_abc123", "wonderland"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_remediated_flask_app_has_no_finding_above_low() {
    let app = apps::flask_remediated().unwrap();
    let scan = trial::flask_remediated(&app).await.unwrap();
    assert_eq!(above_low(&scan), Vec::<String>::new());
    assert!(scan.score.grade.is_some(), "{:?} {:#?}", scan.outcome, scan.coverage);
    let secrets: Vec<&str> =
        app.credentials.iter().filter(|(n, _)| *n != "username").map(|(_, v)| v.as_str()).collect();
    keeps_secrets(&scan, &secrets);
}

#[tokio::test(flavor = "multi_thread")]
async fn kinto_has_only_the_finding_that_is_true_of_it() {
    let app = apps::kinto().unwrap();
    let scan = trial::kinto(&app).await.unwrap();
    let worse: BTreeSet<&str> =
        scan.findings.iter().filter(|f| f.severity < Severity::Low).map(|f| f.check.as_str()).collect();
    // GET /v1/accounts/{id} answers with the account's own bcrypt hash.
    assert!(worse.is_subset(&BTreeSet::from(["sensitive-field"])), "{:#?}", above_low(&scan));
    keeps_secrets(&scan, &["alice-password-1"]);
}
