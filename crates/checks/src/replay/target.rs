//! The signed order API with a clock, a window and a store of nonces, each broken in turn.

use crate::Pair;
use crate::signature_coverage::verifier::{Defect, Style, serve};

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair =
        |check, defect, style| Pair { check, vulnerable: serve(defect, style), fixed: serve(Defect::Nothing, style) };
    vec![
        pair("old-timestamp-accepted", Defect::Timeless, Style::Json),
        pair("old-timestamp-accepted", Defect::NoNumber, Style::Envelope),
        pair("wide-replay-window", Defect::Window(1800), Style::Envelope),
        pair("future-timestamp-accepted", Defect::PastOnly, Style::Text),
        pair("respelled-replay-accepted", Defect::Spelling, Style::Json),
        pair("concurrent-replay-accepted", Defect::Race, Style::Envelope),
        pair("nonce-reuse-accepted", Defect::NonceOfPath, Style::Json),
        pair("replay-accepted", Defect::Replay, Style::Text),
        pair("malformed-signature-crashes", Defect::Crash, Style::Json),
        pair("malformed-signature-crashes", Defect::LengthCrash, Style::Text),
    ]
}
