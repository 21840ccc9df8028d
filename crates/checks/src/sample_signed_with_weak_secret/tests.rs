//! A whole scan with nothing but one captured request.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::testing::scan_served;
use model::{Category, Outcome, Request, Sample, Scan, Severity, Signer, SigningMode, Stamp};

use super::target::Captured;
use crate::signature_coverage::verifier::{Defect, Style, serve};

/// A scan of the signed orders with a request that was captured this many seconds ago.
async fn scanned(defect: Defect, age_s: i64) -> Scan {
    let mut served = serve(defect, Style::Json);
    let client = served.identities[0].signer.take().expect("it signs");
    let bare = Request::get("/orders/7");
    let mut captured = bare.clone();
    #[expect(clippy::disallowed_types, reason = "the clock of the client, not of a check")]
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis() as i64;
    client.sign(&mut captured, &Stamp { unix_ms: now - 1000 * age_s, nonce: "n-1".into() });
    let places = client.places().expect("headers");
    let signer: Arc<dyn Signer> = Arc::new(Captured { sample: Sample { captured, bare }, places });
    served.identities[0].signer = Some(signer);
    // The search for a weak secret has its pair of servers.
    let all = crate::all().into_iter().filter(|c| c.meta().category == Category::RequestIntegrity);
    let all = all.filter(|c| c.meta().id != "sample-signed-with-weak-secret");
    scan_served(served, &all.collect::<Vec<_>>()).await
}

fn above_notes(scan: &Scan) -> BTreeSet<&str> {
    scan.findings.iter().filter(|f| f.severity < Severity::Info).map(|f| f.check.as_str()).collect()
}

fn note_of(scan: &Scan) -> &str {
    assert!(matches!(scan.outcome, Outcome::FellShort { .. }), "{:?}", scan.outcome);
    &scan.identities[0].note
}

#[tokio::test(start_paused = true)]
async fn a_captured_signature_is_tried_on_other_requests() {
    let scan = scanned(Defect::RunTogether, 5).await;
    assert_eq!(above_notes(&scan), BTreeSet::from(["query-not-signed"]), "{:#?}", scan.coverage.rows);
    assert!(scan.findings.iter().all(|f| f.signing_mode == Some(SigningMode::Sample)), "{:#?}", scan.findings);
    let needs: BTreeSet<&str> = scan
        .coverage
        .rows
        .iter()
        .filter(|row| row.reason.as_deref() == Some("it needs the secret"))
        .map(|row| row.check.as_str())
        .collect();
    for check in ["method-not-signed", "signed-parts-run-together", "old-timestamp-accepted", "wide-replay-window"] {
        assert!(needs.contains(check), "{check}: {needs:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sound_scheme_that_keeps_no_nonces_has_notes_only() {
    let scan = scanned(Defect::Replay, 5).await;
    assert_eq!(above_notes(&scan), BTreeSet::new());
    let covered = |check: &str| scan.coverage.rows.iter().any(|row| row.check == check && row.verdict == "pass");
    for check in ["query-not-signed", "path-not-signed", "timestamp-not-signed", "nonce-not-signed"] {
        assert!(covered(check), "{check}: {:#?}", scan.coverage.rows);
    }
}

#[tokio::test(start_paused = true)]
async fn a_sample_that_works_once_or_no_more_says_so() {
    assert!(note_of(&scanned(Defect::Nothing, 5).await).contains("works once only"));
    assert_eq!(note_of(&scanned(Defect::Replay, 3600).await), "the sample was refused (401): capture a fresh one");
}

#[tokio::test(start_paused = true)]
async fn no_record_holds_a_signature() {
    for age_s in [5, 3600] {
        let scan = scanned(Defect::RunTogether, age_s).await;
        for exchange in scan.exchanges.values() {
            // What is no mask is too short to be a signature.
            let sent = exchange.request.headers.first("x-signature").unwrap_or_default();
            assert!(sent.len() < 12 || sent.starts_with("{{alice.signature:"), "{sent}");
        }
    }
}
