//! One finding with everything that proves it.

use std::fmt::Write as _;

use model::{Answer, Finding, Scan, Severity};

use crate::curl::curl;
use crate::remedy::named;
use crate::requirements::requirements;
use crate::visible::visible;

/// Longest part of a body that is shown.
///
/// **Source**: chosen; what matters is marked, and the record has the rest.
const BODY: usize = 600;

/// A finding with the exchanges of its first occurrence, each as a command to run.
pub fn proof(scan: &Scan, finding: &Finding) -> String {
    let mut text = format!("{}\n", finding.title);
    _ = writeln!(
        text,
        "  {} {}, {}, finding {}",
        finding.severity, finding.category, finding.confidence, finding.fingerprint
    );
    let cwe: Vec<String> = finding.cwe.iter().map(|n| format!("CWE-{n}")).collect();
    let owasp: Vec<&str> = finding.owasp.iter().map(|o| o.name()).collect();
    _ = writeln!(
        text,
        "  {}",
        [owasp.join(", "), cwe.join(", "), finding.cvss.clone().unwrap_or_default()].join("   ").trim()
    );
    if let Some(mode) = finding.signing_mode {
        _ = writeln!(text, "  mode: {mode}");
    }
    let touched = requirements(&finding.compliance);
    if !touched.is_empty() {
        let what = if finding.severity < Severity::Info { "evidence of a gap in" } else { "belongs to" };
        _ = writeln!(text, "  {what}");
    }
    for line in touched {
        _ = writeln!(text, "    {line}");
    }
    for occurrence in &finding.occurrences {
        let place =
            occurrence.operation.as_ref().map(ToString::to_string).or(occurrence.identity.clone()).unwrap_or_default();
        let location = occurrence.location.to_string();
        let place = [place, location].into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ");
        _ = writeln!(text, "\n{}{}{}", place, if place.is_empty() { "" } else { ": " }, occurrence.message);
    }
    let origin = scan.target.origin.as_ref();
    let evidence = finding.occurrences.first().map(|o| o.evidence.as_slice()).unwrap_or_default();
    for piece in evidence {
        let role = piece.role.replace('_', " ");
        if let Some(fact) = &piece.fact {
            _ = writeln!(text, "\n{role}: {fact}");
        }
        let Some((exchange, origin)) = piece.exchange.and_then(|id| scan.exchanges.get(&id)).zip(origin) else {
            continue;
        };
        _ = writeln!(text, "\n{role}");
        _ = writeln!(text, "  {}", curl(origin, &exchange.request));
        match &exchange.answer {
            Answer::Error(error) => _ = writeln!(text, "  no response: {error}"),
            Answer::Response(response) => {
                _ = writeln!(
                    text,
                    "  {} {} bytes in {} ms",
                    response.status, response.body_bytes, exchange.duration_ms
                );
                let body = response.body.text();
                let shown: String = body.chars().take(BODY).collect();
                for line in shown.lines() {
                    _ = writeln!(text, "  | {line}");
                }
                if body.chars().count() > BODY {
                    _ = writeln!(text, "  | …");
                }
            }
        }
        for mark in &piece.marks {
            _ = writeln!(text, "  look at: {}", mark.replace('\n', " "));
        }
    }
    _ = writeln!(text, "\nfix: {}", finding.remediation);
    if let Some(remedy) = &finding.remedy {
        _ = writeln!(text, "code: {}: middlebrick explain {}", named(remedy), remedy.name);
    }
    visible(&text).into_owned()
}
