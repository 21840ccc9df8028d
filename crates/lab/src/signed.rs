//! The verifiers of `e2e/signing` as real processes: what is wrong with each, and what a scan says.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use model::{Meta, Scan, Severity};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::apps::{self, App};
use crate::trial;

/// Verifiers that are scanned at once.
///
/// **Source**: chosen; each is one process that mostly waits, on a machine of two cores.
const AT_ONCE: usize = 8;

/// A verifier, as `--list` describes it; see e2e/signing/README.md.
#[derive(Clone, Debug, Deserialize)]
pub struct Verifier {
    /// Its name.
    pub name: String,
    /// What it is written in: `python` or `node`.
    pub language: String,
    /// What it verifies.
    pub scheme: String,
    /// The row of its defect, such as `SIG-004`, or `none`.
    pub defect: String,
    /// Rows that requests cannot tell from the defect.
    pub also: Vec<String>,
    /// Rows that follow from the scheme as its document has it.
    pub gaps: Vec<String>,
    /// The defect in a sentence.
    pub shows: String,
    identities: BTreeMap<String, Value>,
    repeatable: Vec<String>,
    description: String,
}

/// What a scan said of a verifier.
pub struct Told {
    /// The verifier.
    pub verifier: Verifier,
    /// Ids of the checks that found the defect, `also` included.
    pub found: BTreeSet<String>,
    /// Findings above info that nothing of the verifier's truth deserves: severity and id.
    pub wrong: BTreeSet<String>,
    /// The scan.
    pub scan: Scan,
}

impl Verifier {
    /// True if nothing is wrong with it.
    pub fn is_sound(&self) -> bool {
        self.defect == "none"
    }

    /// The configuration that a user of its API writes.
    fn configuration(&self) -> Value {
        json!({ "identities": self.identities, "repeatable": self.repeatable })
    }

    fn start(&self) -> Result<App, String> {
        apps::signed(&self.language, &self.name)
    }

    /// Starts it and scans it in safe mode with every check.
    ///
    /// # Errors
    /// It does not start, or its configuration or description cannot be read.
    pub async fn told(&self, metas: &BTreeMap<&str, &Meta>) -> Result<Told, String> {
        let named = |e: String| format!("{}: {e}", self.name);
        let app = self.start().map_err(named)?;
        let url = format!("{}{}", app.base, self.description);
        let scan = trial::scan_configured(&url, &self.configuration().to_string()).await.map_err(named)?;
        let deserved: BTreeSet<&str> = self.also.iter().chain(&self.gaps).chain([&self.defect]).map(|r| &**r).collect();
        let defect: BTreeSet<&str> = self.also.iter().chain([&self.defect]).map(|r| &**r).collect();
        let rows = |check: &str| metas.get(check).map_or(&[] as &[&str], |meta| meta.reference);
        let (mut found, mut wrong) = (BTreeSet::new(), BTreeSet::new());
        for finding in &scan.findings {
            let rows = rows(&finding.check);
            if rows.iter().any(|row| defect.contains(row)) {
                found.insert(finding.check.clone());
            } else if finding.severity < Severity::Info && !rows.iter().any(|row| deserved.contains(row)) {
                wrong.insert(format!("{} {}", finding.severity, finding.check));
            }
        }
        Ok(Told { verifier: self.clone(), found, wrong, scan })
    }
}

/// All verifiers, in the order of their lists.
///
/// # Errors
/// A list cannot be read.
pub fn verifiers() -> Result<Vec<Verifier>, String> {
    let mut all = Vec::new();
    for language in ["python", "node"] {
        let listed = apps::signed_command(language)?.arg("--list").output().map_err(|e| e.to_string())?;
        let list: Vec<Verifier> = serde_json::from_slice(&listed.stdout).map_err(|e| format!("{language}: {e}"))?;
        all.extend(list);
    }
    Ok(all)
}

/// Scans verifiers, a few at once, and tells each in the order given.
///
/// # Errors
/// Those that cannot be scanned, a line each.
pub async fn tell(verifiers: &[Verifier]) -> Result<Vec<Told>, String> {
    let all = checks::all();
    let metas: BTreeMap<&str, &Meta> = all.iter().map(|check| (check.meta().id, check.meta())).collect();
    let scans = verifiers.iter().enumerate().map(|(position, verifier)| {
        let metas = &metas;
        async move { (position, verifier.told(metas).await) }
    });
    // Some take much longer than others.
    let mut told: Vec<(usize, Result<Told, String>)> = stream::iter(scans).buffer_unordered(AT_ONCE).collect().await;
    told.sort_by_key(|(position, _)| *position);
    let (told, failed): (Vec<_>, Vec<_>) = told.into_iter().map(|(_, told)| told).partition(Result::is_ok);
    match failed.into_iter().filter_map(Result::err).collect::<Vec<_>>() {
        failed if failed.is_empty() => Ok(told.into_iter().flatten().collect()),
        failed => Err(failed.join("\n")),
    }
}
