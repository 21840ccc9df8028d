//! The records API on DynamoDB of `e2e/`, a real Flask with a real boto3, in its vulnerable and its
//! remediated form.

use std::collections::BTreeMap;

use lab::{apps, trial};
use model::{Scan, Severity};

/// The worst severity of each check's findings.
fn worst(scan: &Scan) -> BTreeMap<&str, Severity> {
    let mut worst = BTreeMap::new();
    for finding in &scan.findings {
        let severity = worst.entry(finding.check.as_str()).or_insert(finding.severity);
        *severity = finding.severity.min(*severity);
    }
    worst
}

/// No key of the scan stands in its record.
fn keeps_keys(scan: &Scan, app: &apps::App) {
    let record = serde_json::to_string(scan).expect("a scan serializes");
    for (name, key) in &app.credentials {
        assert!(!record.contains(key), "{name} stands in the record");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_leak_of_the_vulnerable_app_is_found() {
    let app = apps::dynamodb_vulnerable().unwrap();
    let scan = trial::dynamodb(&app).await.unwrap();
    let found = worst(&scan);
    for (id, severity) in [
        ("dynamodb-expression-injection", Severity::Critical),
        ("partiql-injection", Severity::Critical),
        ("dynamodb-request-argument-injection", Severity::High),
        ("raw-dynamodb-answer", Severity::Low),
        ("cloud-error-detail", Severity::Low),
        ("key-in-query", Severity::Low),
        ("own-key-in-answer", Severity::High),
    ] {
        let rows = scan.coverage.rows.iter().filter(|r| r.check == id).collect::<Vec<_>>();
        let severity_found = found.get(id).copied();
        assert!(severity_found.is_some_and(|s| s <= severity), "{id}: {severity_found:?} {found:#?} {rows:#?}");
    }
    keeps_keys(&scan, &app);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_remediated_app_has_no_finding_above_low() {
    let app = apps::dynamodb_remediated().unwrap();
    let scan = trial::dynamodb(&app).await.unwrap();
    let above: Vec<_> = scan.findings.iter().filter(|f| f.severity < Severity::Low).collect();
    assert!(above.is_empty(), "{above:#?}");
    assert!(scan.score.grade.is_some(), "{:?} {:#?}", scan.outcome, scan.coverage);
    for id in [
        "dynamodb-expression-injection",
        "partiql-injection",
        "dynamodb-request-argument-injection",
        "raw-dynamodb-answer",
    ] {
        let decided = scan.coverage.rows.iter().any(|r| r.check == id && r.verdict == "pass");
        assert!(decided, "{id} not decided: {:#?}", scan.coverage.rows);
    }
    keeps_keys(&scan, &app);
}
