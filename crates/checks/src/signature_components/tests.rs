//! The order API with each defect: exactly the findings that it deserves.

use std::collections::BTreeSet;

use engine::testing::{Served, scan_served};
use model::{Category, Meta};

use super::server::{Defect, messages, proofs};

async fn found(served: Served) -> BTreeSet<String> {
    // That answers are not signed holds here as nearly everywhere.
    let asks = |meta: &Meta| meta.category == Category::RequestIntegrity && meta.id != "answers-not-signed";
    let checks: Vec<_> = crate::all().into_iter().filter(|c| asks(c.meta())).collect();
    scan_served(served, &checks).await.findings.into_iter().map(|f| f.check).collect()
}

fn ids<const N: usize>(ids: [&str; N]) -> BTreeSet<String> {
    ids.into_iter().map(Into::into).collect()
}

/// A proof covers neither query nor body.
const PROOF_GAPS: [&str; 3] = ["body-not-signed", "content-type-not-signed", "query-not-signed"];

#[tokio::test(start_paused = true)]
async fn each_defect_of_signed_messages_gets_exactly_its_findings() {
    let deserved: [(Defect, &[&str]); 6] = [
        (Defect::Nothing, &[]),
        (Defect::DigestNotCompared, &["body-not-signed", "content-digest-not-compared"]),
        (Defect::DigestNotRequired, &["content-digest-not-required"]),
        (Defect::AnyComponents, &["content-digest-not-required", "signed-components-not-required"]),
        (Defect::LastKeyId, &["second-signature-trusted"]),
        (Defect::AlgorithmNone, &["signature-check-switched-off"]),
    ];
    for (defect, deserved) in deserved {
        let mut found = found(messages(defect)).await;
        // The content type is no part of what this API has signed.
        found.remove("content-type-not-signed");
        assert_eq!(found, deserved.iter().map(|id| (*id).to_owned()).collect(), "{defect:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_defect_of_proofs_gets_exactly_its_findings() {
    for (defect, deserved) in [
        (Defect::Nothing, ids([])),
        (Defect::Bearer, ids(["bound-token-accepted-as-bearer"])),
        (Defect::NoTokenHash, ids(["token-hash-not-required"])),
    ] {
        let mut found = found(proofs(defect)).await;
        for gap in PROOF_GAPS {
            assert!(found.remove(gap), "{defect:?}: {gap} {found:?}");
        }
        assert_eq!(found, deserved, "{defect:?}");
    }
}
