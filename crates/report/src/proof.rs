//! One finding with everything that proves it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use model::{Answer, Evidence, Exchange, Finding, Request, Scan, Severity};

use crate::curl::{command, labels, variable};
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
    variables(scan, evidence, &mut text);
    let mut sent: Vec<&Request> = Vec::new();
    for piece in evidence {
        let role = piece.role.replace('_', " ");
        if let Some(fact) = &piece.fact {
            _ = writeln!(text, "\n{role}: {fact}");
        }
        let Some((exchange, origin)) = piece.exchange.and_then(|id| scan.exchanges.get(&id)).zip(origin) else {
            continue;
        };
        _ = writeln!(text, "\n{role}");
        let configuration = scan.target.configuration.as_deref();
        let is_again = sent.contains(&&exchange.request);
        sent.push(&exchange.request);
        _ = writeln!(text, "  {}", command(origin, exchange, &scan.masks, configuration, is_again));
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
        // A mark stands under the exchange that holds it, of those that have the role.
        let others = evidence.iter().filter(|other| other.role == piece.role);
        let others: Vec<&Exchange> =
            others.filter_map(|o| o.exchange.and_then(|id| scan.exchanges.get(&id)).map(AsRef::as_ref)).collect();
        for mark in &piece.marks {
            if holds(exchange, mark) || !others.iter().any(|other| holds(other, mark)) {
                _ = writeln!(text, "  look at: {}", mark.replace('\n', " "));
            }
        }
    }
    _ = writeln!(text, "\nfix: {}", finding.remediation);
    if let Some(remedy) = &finding.remedy {
        _ = writeln!(text, "code: {}: middlebrick explain {}", named(remedy), remedy.name);
    }
    visible(&text).into_owned()
}

/// Which variables the commands take, and how to set those that the user has not.
fn variables(scan: &Scan, evidence: &[Evidence], text: &mut String) {
    let exchanges = evidence.iter().filter_map(|piece| scan.exchanges.get(&piece.exchange?));
    let all: BTreeSet<String> = exchanges.flat_map(|exchange| labels(exchange, &scan.masks)).collect();
    let taken: Vec<(&String, String, bool)> =
        all.iter().filter_map(|label| variable(label, &scan.masks).map(|(name, own)| (label, name, own))).collect();
    if !taken.is_empty() {
        _ = writeln!(text, "\nvariables of the commands");
    }
    for (label, name, is_own) in taken {
        let what = of_label(label);
        if is_own {
            _ = writeln!(text, "  ${name}: {what}, as it was set for the scan");
        } else {
            _ = writeln!(text, "  ${name}: {what}; set it first: export {name}='...'");
        }
    }
}

/// What a mask hides, in words.
fn of_label(label: &str) -> String {
    let (who, what) = label.split_once('.').unwrap_or(("", label));
    match what.split(':').next().unwrap_or_default() {
        "signature" => format!("a signature of `{who}` that is not valid, or is of one request only"),
        "basic" => format!("base64 of `user:password` of `{who}`"),
        _ if who.is_empty() => format!("`{what}`"),
        what => format!("`{what}` of `{who}`"),
    }
}

/// Whether a text stands in what came back.
fn holds(exchange: &Exchange, mark: &str) -> bool {
    let Some(response) = exchange.response() else { return false };
    let named = |(name, value): (&str, &str)| format!("{name}: {value}").to_ascii_lowercase();
    let lower = mark.to_ascii_lowercase();
    lower == format!("http {}", response.status)
        || response.headers.iter().map(named).any(|header| header.contains(&lower))
        || response.body.text().contains(mark)
        || exchange.request.target.contains(mark)
}
