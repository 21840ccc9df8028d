//! No finding on a misleading server: all checks in one scan each, against the committed list of what
//! each deserves.

use engine::testing::scan_served;
use lab::zoo::specimens;
use model::{Grade, Severity};

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

#[tokio::test(start_paused = true)]
async fn the_hardened_api_is_graded_a() {
    let checks = checks::all();
    let scan = scan_served(lab::hardened::hardened(), &checks).await;
    let above: Vec<_> = scan.findings.iter().filter(|f| f.severity < Severity::Info).collect();
    assert!(above.is_empty(), "{above:#?}");
    let undecided: Vec<_> = scan.coverage.rows.iter().filter(|r| r.verdict == "inconclusive").collect();
    assert!(
        scan.coverage.ratio >= 0.9,
        "coverage {}: {:#?} {undecided:#?}",
        scan.coverage.ratio,
        scan.coverage.unreachable
    );
    assert_eq!(scan.score.grade, Some(Grade::A), "{:?} {:?}", scan.outcome, scan.score);
}
