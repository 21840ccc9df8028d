//! The signed order API, its comparison of signatures broken in one way.

use crate::Pair;
use crate::signature_coverage::verifier::{Defect, Style, serve};

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair =
        |check, defect, style| Pair { check, vulnerable: serve(defect, style), fixed: serve(Defect::Nothing, style) };
    vec![
        pair("signature-ignored", Defect::Ignored, Style::Text),
        pair("empty-signature-accepted", Defect::Empty, Style::Json),
        pair("partial-signature-accepted", Defect::Prefix, Style::Envelope),
        pair("partial-signature-accepted", Defect::FirstEight, Style::Json),
        pair("signature-missing-accepted", Defect::Missing, Style::Json),
    ]
}
