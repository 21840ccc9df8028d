//! Real applications on loopback: the orders API of `e2e/` in its vulnerable and its remediated form,
//! and Kinto.

use std::collections::BTreeSet;

use lab::{apps, trial};
use model::{Mode, Scan, Severity};

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
    let logs = scan.coverage.rows.iter().find(|row| row.check == "key-in-log").unwrap();
    assert_eq!(logs.verdict, "pass", "its log shows requests and no credential: {logs:?}");
    let secrets: Vec<&str> =
        app.credentials.iter().filter(|(n, _)| *n != "username").map(|(_, v)| v.as_str()).collect();
    keeps_secrets(&scan, &secrets);
}

/// What is said of credentials in the log, with the lines.
fn logged(scan: &Scan) -> Vec<String> {
    let findings = scan.findings.iter().filter(|f| f.check == "key-in-log");
    findings.flat_map(|f| &f.occurrences).map(|o| format!("{} {}", o.message, facts(o))).collect()
}

fn facts(occurrence: &model::Occurrence) -> String {
    occurrence.evidence.iter().filter_map(|e| e.fact.as_ref()).map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_the_query_stands_in_the_access_log() {
    for app in [apps::flask_vulnerable_werkzeug().unwrap(), apps::flask_vulnerable_gunicorn_with_access_log().unwrap()]
    {
        let scan = trial::flask_vulnerable_with_log(&app, Mode::Safe, &app.log).await.unwrap();
        let logged = logged(&scan);
        assert!(logged.iter().any(|l| l.contains("GET /orders?api_key={{canary-query}} HTTP/1.1")), "{logged:#?}");
        let by_the_application = "orders requested with key {{canary-header}}";
        assert!(logged.iter().any(|l| l.contains(by_the_application)), "{logged:#?}");
        assert!(!logged.iter().any(|l| l.contains("password of the sign-in of")), "no password is logged: {logged:#?}");
        keeps_secrets(&scan, &["sk_live_abc123", "wonderland", app.log.to_str().unwrap()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_break_in_the_key_forges_a_line_of_the_log() {
    let app = apps::flask_vulnerable_gunicorn_with_access_log().unwrap();
    let scan = trial::flask_vulnerable_with_log(&app, Mode::Active, &app.log).await.unwrap();
    assert!(found(&scan).contains("log-injection"), "{:?} {:#?}", found(&scan), scan.coverage);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_of_a_log_that_stays_silent() {
    let app = apps::flask_vulnerable_gunicorn().unwrap();
    let silent = app.log.with_extension("silent");
    std::fs::write(&silent, "an older line with sk_live_abc123\n").unwrap();
    let scan = trial::flask_vulnerable_with_log(&app, Mode::Safe, &silent).await.unwrap();
    std::fs::remove_file(&silent).unwrap();
    assert_eq!(logged(&scan), Vec::<String>::new());
    let row = scan.coverage.rows.iter().find(|row| row.check == "key-in-log").unwrap();
    assert_eq!(row.verdict, "inconclusive", "{row:?}");
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
