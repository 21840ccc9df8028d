//! `middlebrick explain`.

use std::process::ExitCode;

use model::compliance::requirements_of;
use model::{Finding, Scan};

use crate::output::{data, hinted};
use crate::shell::store;

/// Explains a check by its README, or a finding of the last scan with its proof.
pub(crate) fn run(what: &str) -> anyhow::Result<ExitCode> {
    let last = store().load("last").ok();
    if let Some(check) = checks::all().iter().find(|c| c.meta().id == what) {
        let meta = check.meta();
        let mut text = format!("{}\n\n## Requirements it belongs to\n\n", meta.readme.trim_end());
        for line in report::requirements(&requirements_of(meta.category, meta.cwe)) {
            text.push_str(&format!("- {line}\n"));
        }
        if let Some((scan, finding)) = found(last.as_ref(), |f| f.check == what) {
            text.push_str(&format!("\n## In the last scan of {}\n\n", scan.target.given));
            text.push_str(&report::proof(scan, finding));
        }
        return data(&text);
    }
    let by_fingerprint =
        |f: &Finding| f.fingerprint.starts_with(what) || f.occurrences.iter().any(|o| o.fingerprint.starts_with(what));
    if let (Some((scan, finding)), true) = (found(last.as_ref(), by_fingerprint), what.len() >= 4) {
        return data(&report::proof(scan, finding));
    }
    let nearest = checks::all()
        .iter()
        .map(|c| c.meta().id)
        .find(|id| id.contains(what))
        .map(|id| format!("did you mean `{id}`?"));
    let hint = nearest.or(Some("middlebrick checks lists the checks".into()));
    Err(hinted(format!("`{what}` is neither a check nor a finding of the last scan"), hint))
}

fn found(scan: Option<&Scan>, which: impl Fn(&Finding) -> bool) -> Option<(&Scan, &Finding)> {
    scan.and_then(|scan| Some((scan, scan.findings.iter().find(|f| which(f))?)))
}
