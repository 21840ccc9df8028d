//! `accuracy`: what a scan says of servers whose truth is known, as a document.
//!
//! Each finding of medium or worse on an application must be justified, by a line in
//! `e2e/justified.txt`; the command fails where one is not.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use engine::testing::scan_served;
use lab::signed::Told;
use lab::verifiers::{Shown, Truth};
use lab::{apps, trial};
use model::{Scan, Severity, SignedPart};

use crate::{ci, root, say};

/// What is true of VAmPI and can be seen in safe mode, by the keys of its authors: the check, and
/// whether each form has it.
///
/// **Source**: erev0s/VAmPI, README, "List of Vulnerabilities", and its source.
const VAMPI: [(&str, &str, bool, bool); 4] = [
    ("`_debug` shows passwords", "sensitive-field", true, true),
    ("debug mode", "exposed-internals", true, true),
    ("JWT secret", "jwt-weak-secret", true, true),
    ("no rate limit on login", "unlimited-guessing", true, true),
];

/// Scans everything and writes docs/accuracy.md.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let folder = match arguments {
        [] => None,
        ["--vampi", folder] => Some(Path::new(folder)),
        _ => bail!("accuracy takes nothing, or --vampi DIR"),
    };
    ci::set_up()?;
    let mut text = String::from(
        "# Accuracy\n\n<!-- Written by `cargo xtask accuracy`; do not edit. -->\n\n\
         Servers whose truth is known, and what one scan in safe mode with every check says of them.\n",
    );
    let paused = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    paused.block_on(async {
        pairs(&mut text).await;
        zoo(&mut text).await;
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let justified = justifications()?;
    runtime.block_on(signed(&mut text))?;
    let mut missing = runtime.block_on(others(&mut text))?;
    missing.extend(runtime.block_on(applications(&mut text, folder, &justified))?);
    missing.dedup();
    std::fs::write(root().join("docs/accuracy.md"), text).context("cannot write docs/accuracy.md")?;
    if !missing.is_empty() {
        bail!("not justified in e2e/justified.txt or e2e/verifiers/truth.toml:\n  {}", missing.join("\n  "));
    }
    say("wrote docs/accuracy.md");
    Ok(())
}

/// Each check on its vulnerable and its fixed server.
async fn pairs(text: &mut String) {
    let all = checks::all();
    let (mut right, mut wrong, mut missed) = (0, 0, 0);
    let mut rows = String::new();
    for pair in checks::FOLDERS.iter().flat_map(|folder| (folder.pairs)()) {
        let has = |scan: &Scan| scan.findings.iter().any(|f| f.check == pair.check);
        let found = has(&scan_served(pair.vulnerable, &all).await);
        let silent = !has(&scan_served(pair.fixed, &all).await);
        right += u32::from(found);
        missed += u32::from(!found);
        wrong += u32::from(!silent);
        let word = |good: bool| if good { "yes" } else { "**no**" };
        _ = writeln!(rows, "| `{}` | {} | {} |", pair.check, word(found), word(silent));
    }
    _ = write!(
        text,
        "\n## Vulnerable and fixed servers of each check\n\nPrecision {:.2}, recall {:.2} over {} pairs.\n\n\
         | Check | Found on the vulnerable | Silent on the fixed |\n|---|---|---|\n{rows}",
        ratio(right, right + wrong),
        ratio(right, right + missed),
        right + missed,
    );
}

/// The misleading servers.
async fn zoo(text: &mut String) {
    let all = checks::all();
    let specimens = lab::zoo::specimens();
    _ = write!(
        text,
        "\n## Misleading servers\n\n{} servers that fool a scanner which trusts a status, a body, a time or a path.\n\n\
         | Server | Why it misleads | Findings above info |\n|---|---|---|\n",
        specimens.len()
    );
    for specimen in specimens {
        let scan = scan_served((specimen.serve)(), &all).await;
        let above: BTreeSet<String> =
            scan.findings.iter().filter(|f| f.severity < Severity::Info).map(|f| format!("`{}`", f.check)).collect();
        let deserved: BTreeMap<&str, &str> = specimen.deserves.iter().copied().collect();
        let shown = if above.is_empty() { "none".into() } else { above.into_iter().collect::<Vec<_>>().join(", ") };
        let why = if deserved.is_empty() {
            String::new()
        } else {
            format!(" ({})", deserved.values().copied().collect::<Vec<_>>().join("; "))
        };
        _ = writeln!(text, "| {} | {} | {shown}{why} |", specimen.name, specimen.why_misleading);
    }
}

/// The verifiers of signed requests, each with one defect or none.
async fn signed(text: &mut String) -> anyhow::Result<()> {
    let verifiers = lab::signed::verifiers().map_err(|e| anyhow!(e))?;
    let told = lab::signed::tell(&verifiers).await.map_err(|e| anyhow!(e))?;
    let (mut right, mut missed, mut wrong, mut sound, mut silent) = (0, 0, 0, 0, 0);
    let mut rows = String::new();
    for Told { verifier, found, wrong: more, .. } in &told {
        wrong += u32::try_from(more.len()).unwrap_or(u32::MAX);
        if verifier.is_sound() {
            sound += 1;
            silent += u32::from(more.is_empty());
        } else {
            right += u32::from(!found.is_empty());
            missed += u32::from(found.is_empty());
        }
        let list = |ids: &BTreeSet<String>| ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        let found = match (verifier.is_sound(), found.is_empty()) {
            (true, _) => String::new(),
            (false, true) => "**missed**".into(),
            (false, false) => list(found),
        };
        let shows = verifier.shows.replace('|', "\\|");
        _ = writeln!(
            rows,
            "| `{}` | {} | {} | {} | {shows} | {found} | {} |",
            verifier.name,
            verifier.language,
            verifier.scheme,
            verifier.defect,
            list(more)
        );
    }
    _ = write!(
        text,
        "\n## Verifiers of signed requests\n\nReal processes in Python and Node.js, written from the vendors' documents; see \
         e2e/signing/README.md. Of {} defects {right} are found under their own name: recall {:.2}. {wrong} findings above \
         info are not deserved: precision {:.2}. Of {sound} sound verifiers {silent} get nothing above info but what \
         their scheme itself leaves open.\n\n\
         | Verifier | Language | Scheme | Defect | It shows | Found by | Wrong |\n|---|---|---|---|---|---|---|\n{rows}",
        right + missed,
        ratio(right, right + missed),
        ratio(right, right + wrong),
    );
    Ok(())
}

/// The verifiers that others wrote. Returns what e2e/verifiers/truth.toml does not say of them.
async fn others(text: &mut String) -> anyhow::Result<Vec<String>> {
    text.push_str(
        "\n## Verifiers that others wrote\n\nLibraries as released, each mounted as its own document shows, as real processes on \
         loopback; see e2e/verifiers/README.md. The map says which parts of a request its signatures cover, as shown by \
         requests; what is in neither column cannot be shown there: a GET has no body, a scheme no nonce.\n",
    );
    let truths = lab::verifiers::truths().map_err(|e| anyhow!(e))?;
    let verifiers = lab::verifiers::verifiers().map_err(|e| anyhow!(e))?;
    let mut missing = Vec::new();
    for shown in lab::verifiers::show(&verifiers).await.map_err(|e| anyhow!(e))? {
        let verifier = &shown.verifier;
        let truth = truths.get(&verifier.name).with_context(|| format!("{} is not in truth.toml", verifier.name))?;
        _ = write!(
            text,
            "\n### {}\n\n`{}` {}, in {}, as in [its document]({}).\n\n| Operation | Covered | Not covered |\n|---|---|---|\n",
            verifier.name, verifier.library, verifier.version, verifier.framework, verifier.document
        );
        for (operation, map) in &shown.map {
            let differs = if truth.map.get(operation) == Some(map) { "" } else { " (**not true**)" };
            _ = writeln!(text, "| {operation} | {} | {}{differs} |", parts(&map.covered), parts(&map.not_covered));
        }
        if shown.map != truth.map {
            missing.push(format!("{}: the map", verifier.name));
        }
        _ = writeln!(text, "\n{} ({})", truth.why, truth.source);
        missing.extend(found(text, &shown, truth));
    }
    Ok(missing)
}

/// The findings of a verifier, each with what makes it true. Returns those that nothing does, and those
/// that are true and were not found.
fn found(text: &mut String, shown: &Shown, truth: &Truth) -> Vec<String> {
    let name = &shown.verifier.name;
    let mut missing = Vec::new();
    let not_found: Vec<(&str, bool)> =
        truth.checks().filter(|(check, _)| !shown.findings.contains_key(*check)).collect();
    if shown.findings.is_empty() && not_found.is_empty() {
        text.push_str("\nNo finding above info.\n");
        return missing;
    }
    text.push_str("\n| Severity | Check | Why it is true |\n|---|---|---|\n");
    for (check, severity) in &shown.findings {
        let why = truth.why_found(check).unwrap_or_else(|| {
            missing.push(format!("{name}: `{check}`"));
            "**not justified**"
        });
        _ = writeln!(text, "| {severity} | `{check}` | {why} |");
    }
    for (check, missed) in not_found {
        _ = writeln!(text, "| **missed** | `{check}` | {} |", truth.why_found(check).unwrap_or_default());
        if !missed {
            missing.push(format!("{name}: `{check}` was not found"));
        }
    }
    missing
}

fn parts(parts: &BTreeSet<SignedPart>) -> String {
    parts.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(", ")
}

/// Applications as real processes. Returns the findings that nobody has justified.
async fn applications(
    text: &mut String,
    vampi: Option<&Path>,
    justified: &BTreeMap<(String, String), String>,
) -> anyhow::Result<Vec<String>> {
    let mut missing = Vec::new();
    text.push_str("\n## Applications\n\nReal processes on loopback; see e2e/README.md. Findings of low and worse, each with what makes it true.\n");
    for (name, scan) in trial::python_applications().await.map_err(|e| anyhow!(e))? {
        missing.extend(application(text, name, &scan, justified));
    }
    let Some(folder) = vampi else {
        text.push_str("\nVAmPI was not scanned in this run: `--vampi DIR`.\n");
        return Ok(missing);
    };
    let mut scans = Vec::new();
    for (name, vulnerable) in [("vampi-vulnerable", true), ("vampi-secure", false)] {
        let app = apps::vampi(folder, vulnerable).map_err(|e| anyhow!(e))?;
        let scan = trial::vampi(&app).await.map_err(|e| anyhow!(e))?;
        missing.extend(application(text, name, &scan, justified));
        scans.push(scan);
    }
    text.push_str("\n### VAmPI by key\n\n| Key | Check | vulnerable=1 | vulnerable=0 |\n|---|---|---|---|\n");
    for (key, check, one, zero) in VAMPI {
        let cell = |scan: &Scan, wanted: bool| {
            let found = scan.findings.iter().any(|f| f.check == check);
            format!("{}{}", if found { "found" } else { "silent" }, if found == wanted { "" } else { " (**wrong**)" })
        };
        let cells: Vec<String> = scans.iter().zip([one, zero]).map(|(scan, wanted)| cell(scan, wanted)).collect();
        _ = writeln!(text, "| {key} | `{check}` | {} |", cells.join(" | "));
        for (scan, wanted) in scans.iter().zip([one, zero]) {
            if scan.findings.iter().any(|f| f.check == check) != wanted {
                missing.push(format!("VAmPI: {key}"));
            }
        }
    }
    Ok(missing)
}

fn application(
    text: &mut String,
    name: &str,
    scan: &Scan,
    justified: &BTreeMap<(String, String), String>,
) -> Vec<String> {
    let grade = scan.score.grade.map_or("no grade".into(), |g| format!("grade {g}"));
    let points = scan.score.points.map_or("no points".into(), |points| format!("{points} points"));
    _ = write!(
        text,
        "\n### {name}\n\n{points}, {grade}, coverage {:.2}, {} requests.\n\n| Severity | Check | Where | Why it is true |\n|---|---|---|---|\n",
        scan.coverage.ratio, scan.requests.total
    );
    let mut missing = Vec::new();
    for finding in scan.findings.iter().filter(|f| f.severity < Severity::Info) {
        let why = justified.get(&(name.to_owned(), finding.check.clone()));
        let place =
            finding.occurrences.first().and_then(|o| o.operation.as_ref()).map(ToString::to_string).unwrap_or_default();
        let more = if finding.total > 1 { format!(" and {} more", finding.total - 1) } else { String::new() };
        let why = match why {
            Some(why) => why.as_str(),
            None if finding.severity < Severity::Low => {
                missing.push(format!("{name} | {} | {}", finding.check, finding.message));
                "**not justified**"
            }
            None => "",
        };
        _ = writeln!(text, "| {} | `{}` | {place}{more} | {why} |", finding.severity, finding.check);
    }
    missing
}

/// `application | check | why`, one per line.
fn justifications() -> anyhow::Result<BTreeMap<(String, String), String>> {
    let text = std::fs::read_to_string(root().join("e2e/justified.txt")).context("cannot read e2e/justified.txt")?;
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let parts: Vec<&str> = line.splitn(3, '|').map(str::trim).collect();
            match parts.as_slice() {
                [application, check, why] => Ok((((*application).to_owned(), (*check).to_owned()), (*why).to_owned())),
                _ => bail!("`{line}` is not `application | check | why`"),
            }
        })
        .collect()
}

fn ratio(part: u32, whole: u32) -> f64 {
    if whole == 0 { 1.0 } else { f64::from(part) / f64::from(whole) }
}
