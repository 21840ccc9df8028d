//! What a scan says of the requirements of one standard, as a page in Markdown.
//!
//! A scan sees gaps and never their absence, so a requirement ends in one of three words: evidence of
//! a gap, no gap seen by these checks, not tested.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use model::compliance::{Framework, merge, notes_on, requirements_of, rows};
use model::{ComplianceRow, Finding, Meta, Outcome, Scan, Severity};

use crate::visible::visible;

/// Operations of one list that are named; the rest is counted.
///
/// **Source**: chosen; the JSON has all of them.
const MOST_LISTED: usize = 20;

/// The evidence page of a scan for a standard. `metas` are all checks of the program: those that the
/// scan did not decide make a requirement "not tested".
pub fn evidence(scan: &Scan, framework: Framework, metas: &[&Meta]) -> String {
    let mut text = format!("# {}: evidence from a scan\n\n", framework.name());
    text.push_str(
        "Made by automated checks from outside. The page names evidence of gaps; it does not say that a requirement \
         is met, and it replaces no assessment.\n",
    );
    scope(scan, &mut text);
    not_tested(scan, &mut text);
    table(scan, framework, metas, &mut text);
    text.push_str("\n## Notes\n\n");
    for note in notes_on(framework) {
        _ = writeln!(text, "- {}", note.text);
    }
    visible(&text).into_owned()
}

fn scope(scan: &Scan, text: &mut String) {
    let coverage = &scan.coverage;
    let identities: Vec<String> = scan.identities.iter().map(|identity| escaped(&identity.name)).collect();
    let outcome = match &scan.outcome {
        Outcome::Done => "done".to_owned(),
        Outcome::Partial { reason } => format!("partial, by request: {}", escaped(reason)),
        Outcome::Interrupted => "interrupted: this is what was seen until then".to_owned(),
        Outcome::FellShort { reason, .. } | Outcome::Usage { reason, .. } => {
            format!("fell short of a verdict: {}", escaped(reason))
        }
    };
    let origin = scan.target.origin.as_ref().map(|origin| escaped(&origin.to_string()));
    let place = if scan.target.loopback {
        "this machine: what is seen of TLS and rate limits is a note here, and says nothing of production"
    } else {
        ""
    };
    let facts = [
        ("Target", escaped(&scan.target.given)),
        ("Requests went to", origin.unwrap_or_else(|| "nowhere".into())),
        ("Place", place.to_owned()),
        ("API", scan.inventory.title.as_deref().map(escaped).unwrap_or_default()),
        ("Date", escaped(&scan.started_at)),
        ("Scan", format!("{}, {} {}", escaped(&scan.id), escaped(&scan.tool.name), escaped(&scan.tool.version))),
        ("Mode", scan.mode.to_string()),
        ("Identities", if identities.is_empty() { "none".into() } else { identities.join(", ") }),
        (
            "Coverage",
            format!(
                "{:.2}: {} of {} operations tested, {} of {} checks decided",
                coverage.ratio, coverage.tested, coverage.described, coverage.checks_decided, coverage.checks_asked
            ),
        ),
        ("Outcome", outcome),
    ];
    text.push_str("\n## Scope\n\n| | |\n|---|---|\n");
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        _ = writeln!(text, "| {name} | {value} |");
    }
}

fn not_tested(scan: &Scan, text: &mut String) {
    text.push_str("\n## What was not tested\n\n");
    let mut lines: Vec<String> = scan.coverage.untested.iter().map(|untested| escaped(untested)).collect();
    for (what, operations) in [("no answer", &scan.coverage.unreachable), ("set aside", &scan.set_aside)] {
        for untested in operations.iter().take(MOST_LISTED) {
            let operation = escaped(&untested.operation.to_string());
            lines.push(format!("{operation}: {what}, {}", escaped(&untested.reason)));
        }
        if operations.len() > MOST_LISTED {
            lines.push(format!("{} more operations: {what}", operations.len() - MOST_LISTED));
        }
    }
    if lines.is_empty() {
        lines.push("Nothing that the mode and the checks of this version cover was left out.".into());
    }
    for line in lines {
        _ = writeln!(text, "- {line}");
    }
}

fn table(scan: &Scan, framework: Framework, metas: &[&Meta], text: &mut String) {
    text.push_str("\n## Requirements\n\n| Requirement | Result | Findings | Checks decided |\n|---|---|---|---|\n");
    let all = merge(rows().iter().flat_map(|row| &row.requirements).filter(|r| framework.lists(r.framework)));
    let decided: BTreeSet<&str> = scan
        .coverage
        .rows
        .iter()
        .filter(|row| matches!(row.verdict.as_str(), "pass" | "fail"))
        .map(|row| row.check.as_str())
        .collect();
    for requirement in &all {
        let findings: Vec<&Finding> = scan.findings.iter().filter(|f| touches(&f.compliance, requirement)).collect();
        let checks: Vec<&str> = metas
            .iter()
            .filter(|meta| touches(&requirements_of(meta.category, meta.cwe), requirement))
            .map(|meta| meta.id)
            .collect();
        let of_them = checks.iter().filter(|check| decided.contains(**check)).count();
        let listed: Vec<String> = findings.iter().map(|finding| one_finding(finding)).collect();
        _ = writeln!(
            text,
            "| {} | {} | {} | {of_them} of {} |",
            escaped(&requirement.label()),
            result(scan, &findings, of_them),
            if listed.is_empty() { "–".into() } else { listed.join("<br>") },
            checks.len()
        );
    }
}

/// The word that a requirement ends in. A finding that the user chose to live with is a gap all the
/// same; a note is none. A scan that cannot tell sees gaps but not their absence.
fn result(scan: &Scan, findings: &[&Finding], decided: usize) -> &'static str {
    if findings.iter().any(|finding| finding.severity < Severity::Info) {
        return "evidence of a gap";
    }
    if matches!(scan.outcome, Outcome::FellShort { .. } | Outcome::Usage { .. }) || decided == 0 {
        return "not tested";
    }
    if findings.is_empty() { "no gap seen by these checks" } else { "no gap seen by these checks, but notes" }
}

fn one_finding(finding: &Finding) -> String {
    let mut text = format!(
        "{}, {}: {} ({})",
        finding.severity,
        finding.confidence,
        escaped(&finding.title),
        escaped(&finding.fingerprint)
    );
    if let Some(suppression) = &finding.suppressed {
        _ = write!(text, ", suppressed: {}", escaped(&suppression.reason));
    }
    text
}

fn touches(rows: &[ComplianceRow], requirement: &ComplianceRow) -> bool {
    rows.iter().any(|row| (row.framework, &row.requirement) == (requirement.framework, &requirement.requirement))
}

/// Text of the target on one line of a table cell, without a meaning in Markdown or HTML.
///
/// **Source**: CommonMark 0.31 sections 2.4 (backslash escapes) and 2.5 (entities); GFM 0.29 section
/// 4.10 (tables).
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '\\' | '`' | '|' | '*' | '_' | '[' | ']' | '!' | '~' | '#' => safe.extend(['\\', c]),
            c if c.is_whitespace() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe.trim().to_owned()
}
