//! What works, for whom, and what stayed unreachable.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::{Purpose, Scan};

use crate::visible::visible;

/// The survey of a scan, one line per identity and per operation.
pub fn survey(scan: &Scan) -> String {
    let mut text =
        format!("{}   {}\n", scan.target.given, scan.inventory.format.as_deref().unwrap_or("no description"));
    if let Some(reason) = scan.outcome.reason() {
        _ = writeln!(text, "{reason}");
    }
    if let Some(hint) = scan.outcome.hint() {
        _ = writeln!(text, "hint: {hint}");
    }
    text.push('\n');
    for identity in &scan.identities {
        let state = if identity.alive { "works" } else { "does not work" };
        _ = writeln!(text, "{:<12}{state}: {} ({})", identity.name, identity.note, identity.credentials.join(", "));
    }
    let mut answers: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for exchange in scan.exchanges.values().filter(|e| e.purpose == Purpose::Survey) {
        let Some(operation) = &exchange.operation else { continue };
        let who = exchange.identity.clone().unwrap_or_else(|| "anonymous".into());
        let status = exchange.status().map_or_else(|| "no response".into(), |s| s.to_string());
        answers.entry(operation.to_string()).or_default().insert(who, status);
    }
    text.push('\n');
    for (operation, by) in &answers {
        let answered: Vec<String> = by.iter().map(|(who, status)| format!("{who} {status}")).collect();
        _ = writeln!(text, "{operation:<50} {}", answered.join(", "));
    }
    for untested in scan.coverage.unreachable.iter() {
        _ = writeln!(text, "{:<50} no working request: {}", untested.operation.to_string(), untested.reason);
    }
    for untested in &scan.set_aside {
        _ = writeln!(text, "{:<50} set aside: {}", untested.operation.to_string(), untested.reason);
    }
    let coverage = &scan.coverage;
    _ = writeln!(
        text,
        "\n{} of {} operations tested, {} requests",
        coverage.tested, coverage.described, scan.requests.total
    );
    visible(&text).into_owned()
}
