//! An order API whose verifier leaves one part out, in three styles of saying no.

use model::SignedPart;

use super::verifier::{Defect, Style, serve};
use crate::Pair;

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair =
        |check, defect, style| Pair { check, vulnerable: serve(defect, style), fixed: serve(Defect::Nothing, style) };
    let unsigned = |check, part, style| pair(check, Defect::Unsigned(part), style);
    vec![
        unsigned("query-not-signed", SignedPart::Query, Style::Json),
        unsigned("path-not-signed", SignedPart::Path, Style::Envelope),
        Pair {
            check: "path-prefix-not-signed",
            vulnerable: serve(Defect::Mounted, Style::Json),
            fixed: serve(Defect::Foreign, Style::Json),
        },
        pair("path-spelling-not-signed", Defect::LoweredPath, Style::Json),
        unsigned("method-not-signed", SignedPart::Method, Style::Text),
        unsigned("host-not-signed", SignedPart::Host, Style::Json),
        pair("forwarded-host-trusted", Defect::ForwardedHost, Style::Envelope),
        unsigned("body-not-signed", SignedPart::Body, Style::Text),
        pair("form-not-signed", Defect::ConsumedForm, Style::Json),
        pair("rewritten-json-accepted", Defect::RewrittenJson, Style::Text),
        pair("bytes-sign-alike", Defect::TextBody, Style::Json),
        unsigned("content-type-not-signed", SignedPart::ContentType, Style::Json),
        Pair {
            check: "header-not-signed",
            vulnerable: serve(Defect::Override, Style::Json),
            fixed: serve(Defect::SignedOverride, Style::Json),
        },
        pair("scope-header-not-signed", Defect::ScopeHeader, Style::Text),
        unsigned("timestamp-not-signed", SignedPart::Timestamp, Style::Envelope),
        unsigned("nonce-not-signed", SignedPart::Nonce, Style::Text),
        pair("signed-parts-run-together", Defect::RunTogether, Style::Json),
    ]
}
