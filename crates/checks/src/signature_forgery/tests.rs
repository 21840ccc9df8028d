//! The order API of two clients with each defect: exactly the findings that it deserves.

use std::collections::BTreeSet;

use engine::testing::scan_served;
use model::{Category, Scan};

use super::verifier::{Defect, serve};

async fn scanned(defect: Defect) -> Scan {
    let checks: Vec<_> = crate::all().into_iter().filter(|c| c.meta().category == Category::RequestIntegrity).collect();
    scan_served(serve(defect), &checks).await
}

fn found(scan: &Scan) -> BTreeSet<(&str, &str)> {
    let own = super::CHECKS.iter().map(|check| check.meta().id).collect::<BTreeSet<_>>();
    let findings = scan.findings.iter().filter(|f| own.contains(f.check.as_str()));
    findings.map(|f| (f.check.as_str(), f.severity.as_str())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_sound_verifier_has_no_finding_and_decides_everything() {
    let scan = scanned(Defect::Nothing).await;
    assert_eq!(found(&scan), BTreeSet::new(), "{:#?}", scan.findings);
    let undecided: Vec<_> = scan.coverage.rows.iter().filter(|r| r.verdict == "inconclusive").collect();
    assert!(undecided.is_empty(), "{undecided:#?}");
}

#[tokio::test(start_paused = true)]
async fn each_defect_gets_exactly_its_findings() {
    let defects = [
        (Defect::AlgorithmNone, "signature-check-switched-off", "critical"),
        (Defect::PlainHash, "keyless-signature-accepted", "critical"),
        (Defect::Sha1, "weaker-signature-accepted", "low"),
        (Defect::EmptySecret, "empty-secret-accepted", "critical"),
        (Defect::AnySecret, "foreign-key-id-accepted", "high"),
        (Defect::AnyCase, "key-id-read-loosely", "info"),
        (Defect::DefaultSecret, "well-known-secret", "critical"),
        (Defect::InQuery, "signature-elsewhere-accepted", "info"),
        (Defect::SecretFirst, "signature-extensible", "high"),
        (Defect::OldVersion, "unsigned-old-version", "high"),
    ];
    for (defect, check, severity) in defects {
        let scan = scanned(defect).await;
        assert_eq!(found(&scan), BTreeSet::from([(check, severity)]), "{defect:?} {:#?}", scan.coverage.rows);
    }
}

#[tokio::test(start_paused = true)]
async fn no_exchange_and_no_finding_holds_a_secret() {
    for defect in [Defect::DefaultSecret, Defect::EmptySecret, Defect::AnySecret] {
        let scan = serde_json::to_string(&scanned(defect).await).expect("a scan serializes");
        for secret in super::verifier::SECRETS {
            assert!(!scan.contains(secret), "{defect:?}");
        }
    }
}
