//! No finding on a misleading server: all checks in one scan each, against the committed list of what
//! each deserves.

use std::collections::BTreeSet;

use engine::testing::scan_served;
use lab::hardened::{hardened, hardened_over_tls};
use lab::zoo::specimens;
use model::{Grade, Mode, Need, Severity};

#[tokio::test(start_paused = true)]
async fn no_finding_above_info_on_a_misleading_server() {
    let checks = checks::all();
    let mut wrong = Vec::new();
    for specimen in specimens() {
        let scan = scan_served((specimen.serve)(), &checks).await;
        for finding in scan.findings.iter().filter(|f| f.severity < Severity::Info) {
            if !specimen.deserves.iter().any(|(id, _)| *id == finding.check) {
                wrong.push(format!("{}: {} {}: {}", specimen.name, finding.severity, finding.check, finding.message));
            }
        }
        for (id, reason) in specimen.deserves {
            if !scan.findings.iter().any(|f| f.check == *id) {
                wrong.push(format!("{}: {id} not found, although {reason}", specimen.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Checks that no scan of a sound server decides, each with the reason. Their vulnerable and fixed
/// servers, whose secret is a word, show them decided.
const UNDECIDABLE: [(&str, &str); 12] = [
    ("dynamodb-expression-injection", "no parameter of it names a field or a filter"),
    ("jwt-expired-accepted", "another end cannot be signed where the secret is not guessed"),
    ("jwt-not-before-ignored", "another beginning cannot be signed where the secret is not guessed"),
    ("jwt-audience-not-checked", "another audience cannot be signed where the secret is not guessed"),
    ("jwt-issuer-not-checked", "another issuer cannot be signed where the secret is not guessed"),
    ("key-type-confusion", "it takes no key in the query"),
    ("key-in-log", "it writes no log that the scan can read"),
    ("key-sent-by-referrer", "it has no page whose address holds a key"),
    ("key-shared-cache", "nothing of it comes from a cache"),
    ("repeated-token", "nobody signs in to it"),
    ("declared-signature-not-required", "its description declares no signature"),
    ("writes-by-key-alone", "it writes and nobody signs, which is a note"),
];

#[tokio::test(start_paused = true)]
async fn the_hardened_api_is_graded_a() {
    let checks = checks::all();
    let mut passed = BTreeSet::new();
    for (form, served) in [("http", hardened()), ("https", hardened_over_tls())] {
        let scan = scan_served(served, &checks).await;
        let above: Vec<_> = scan.findings.iter().filter(|f| f.severity < Severity::Info).collect();
        assert!(above.is_empty(), "{form}: {above:#?}");
        let undecided: Vec<_> = scan.coverage.rows.iter().filter(|r| r.verdict == "inconclusive").collect();
        assert!(
            scan.coverage.sendable_ratio * scan.coverage.assessments_ratio >= 0.9,
            "{form}: coverage {}: {:#?} {undecided:#?}",
            scan.coverage.ratio,
            scan.coverage.unreachable
        );
        assert_eq!(scan.score.grade, Some(Grade::A), "{form}: {:?} {:?}", scan.outcome, scan.score);
        passed.extend(scan.coverage.rows.into_iter().filter(|row| row.verdict == "pass").map(|row| row.check));
    }
    // Nobody signs requests to it, and no key of it was revoked; such checks are decided on servers of
    // their own.
    let elsewhere = |need: &Need| matches!(need, Need::Signing | Need::RevokedKey);
    let asked = checks.iter().map(|check| check.meta()).filter(|meta| !meta.needs.iter().any(elsewhere));
    let safe = asked.filter(|meta| meta.mode <= Mode::Safe);
    let undecided: Vec<&str> = safe.map(|meta| meta.id).filter(|id| !passed.contains(*id)).collect();
    assert_eq!(undecided, UNDECIDABLE.map(|(id, _)| id));
}
