//! An order API of two clients, its signatures forgeable in one way.

use super::verifier::{Defect, serve};
use crate::Pair;

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, defect| Pair { check, vulnerable: serve(defect), fixed: serve(Defect::Nothing) };
    vec![
        pair("signature-check-switched-off", Defect::AlgorithmNone),
        pair("keyless-signature-accepted", Defect::PlainHash),
        pair("weaker-signature-accepted", Defect::Sha1),
        pair("empty-secret-accepted", Defect::EmptySecret),
        pair("foreign-key-id-accepted", Defect::AnySecret),
        pair("key-id-read-loosely", Defect::AnyCase),
        pair("well-known-secret", Defect::DefaultSecret),
        pair("signature-elsewhere-accepted", Defect::InQuery),
        pair("signature-extensible", Defect::SecretFirst),
        pair("unsigned-old-version", Defect::OldVersion),
    ]
}
