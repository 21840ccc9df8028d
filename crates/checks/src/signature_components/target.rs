//! An order API whose verifier believes what the request states.

use super::server::{Defect, messages, proofs};
use crate::Pair;

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let signed = |check, defect| Pair { check, vulnerable: messages(defect), fixed: messages(Defect::Nothing) };
    let proven = |check, defect| Pair { check, vulnerable: proofs(defect), fixed: proofs(Defect::Nothing) };
    vec![
        signed("content-digest-not-compared", Defect::DigestNotCompared),
        signed("content-digest-not-required", Defect::DigestNotRequired),
        signed("signed-components-not-required", Defect::AnyComponents),
        signed("second-signature-trusted", Defect::LastKeyId),
        proven("bound-token-accepted-as-bearer", Defect::Bearer),
        proven("token-hash-not-required", Defect::NoTokenHash),
    ]
}
