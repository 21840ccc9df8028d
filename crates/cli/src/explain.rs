//! `middlebrick explain`.

use std::process::ExitCode;

use model::compliance::requirements_of;
use model::{Finding, Remedy, Scan};

use crate::output::{chain, data, hinted, words};
use crate::shell::store;

/// Damaged scans that are named; the rest are counted.
///
/// **Source**: chosen; more than a screen takes.
const NAMED: usize = 3;

/// Explains a check by its README and the code of its remedy, a finding of the last scan with its proof,
/// or a remedy.
pub(crate) fn run(what: &str, framework: Option<&str>) -> anyhow::Result<ExitCode> {
    let last = last();
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
        if let Some(remedy) = meta.remedy {
            text.push_str(&code_of(remedy, framework)?);
        }
        return data(&text);
    }
    if let Some(remedy) = checks::remedies::ALL.iter().find(|remedy| remedy.name == what) {
        return data(code_of(remedy, framework)?.trim_start());
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
    Err(hinted(format!("`{what}` is neither a check, nor a remedy, nor a finding of the last scan"), hint))
}

/// A remedy in words and code.
///
/// # Errors
/// It has no code for the framework.
fn code_of(remedy: &Remedy, framework: Option<&str>) -> anyhow::Result<String> {
    let files = remedy.code.iter().filter(|code| framework.is_none_or(|name| code.is_for(name)));
    let text = report::remedy(remedy, files);
    text.ok_or_else(|| {
        let frameworks: Vec<&str> = remedy.code.iter().map(|code| code.framework).collect();
        let what = format!("remedies/{} has no code for `{}`", remedy.name, framework.unwrap_or_default());
        hinted(what, Some(format!("there is some for {}", frameworks.join(", "))))
    })
}

/// The newest scan that can be read. Names those that cannot.
fn last() -> Option<Scan> {
    let newest = store().newest();
    let count = newest.damaged.len();
    for error in newest.damaged.into_iter().take(NAMED) {
        words(&format!("warning: skipped a scan: {}", chain(&error.into())));
    }
    if count > NAMED {
        words(&format!("warning: skipped {} scans more", count - NAMED));
    }
    newest.scan
}

fn found(scan: Option<&Scan>, which: impl Fn(&Finding) -> bool) -> Option<(&Scan, &Finding)> {
    scan.and_then(|scan| Some((scan, scan.findings.iter().find(|f| which(f))?)))
}
