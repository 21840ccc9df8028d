//! Verifiers that others wrote, of `e2e/verifiers`, as real processes: what a scan shows of each, and
//! what is true of it by the library's own code.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use model::scan::Covered;
use model::{Scan, Severity, SignedPart};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{apps, trial};

/// Verifiers that are scanned at once.
///
/// **Source**: chosen; each is one process that mostly waits, on a machine of two cores.
const AT_ONCE: usize = 4;

/// A mounted verifier, as `--list` describes it; see e2e/verifiers/README.md.
#[derive(Clone, Debug, Deserialize)]
pub struct Verifier {
    /// Its name.
    pub name: String,
    /// What it is written in: `python` or `node`.
    pub language: String,
    /// What it is mounted in.
    pub framework: String,
    /// The package that verifies.
    pub library: String,
    /// Its version.
    pub version: String,
    /// What the mounting follows.
    pub document: String,
    signing: Value,
    repeatable: Vec<String>,
    description: String,
}

/// What is true of a verifier, from e2e/verifiers/truth.toml.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// Why its map is right, in a sentence.
    pub why: String,
    /// Where that stands: a file of the library, or a document.
    pub source: String,
    /// What its signatures cover, by operation.
    pub map: BTreeMap<String, Map>,
    /// What a scan finds above info.
    #[serde(default)]
    pub findings: Vec<Findings>,
}

/// What the signatures of an operation's requests cover. A part in neither list is not testable there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Map {
    /// The parts that are covered.
    pub covered: BTreeSet<SignedPart>,
    /// The parts that are not.
    #[serde(default)]
    pub not_covered: BTreeSet<SignedPart>,
}

/// Findings that have one reason.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Findings {
    /// Ids of the checks.
    pub checks: BTreeSet<String>,
    /// What makes them true, in a sentence.
    pub why: String,
    /// True where a scan is not known to find them; one that does is right.
    #[serde(default)]
    pub missed: bool,
}

impl Truth {
    /// Why a finding of this check is true.
    pub fn why_found(&self, check: &str) -> Option<&str> {
        self.findings.iter().find(|f| f.checks.contains(check)).map(|f| f.why.as_str())
    }

    /// The checks that find something, each with whether a scan is not known to.
    pub fn checks(&self) -> impl Iterator<Item = (&str, bool)> {
        self.findings.iter().flat_map(|f| f.checks.iter().map(|check| (check.as_str(), f.missed)))
    }
}

/// What a scan showed of a verifier.
pub struct Shown {
    /// The verifier.
    pub verifier: Verifier,
    /// What its signatures cover, by operation; those where nothing is testable are left out.
    pub map: BTreeMap<String, Map>,
    /// Findings above info, by their check.
    pub findings: BTreeMap<String, Severity>,
    /// The scan.
    pub scan: Scan,
}

impl Verifier {
    /// Starts it and scans it in safe mode with every check.
    ///
    /// # Errors
    /// It does not start, or its configuration or description cannot be read.
    pub async fn shown(&self) -> Result<Shown, String> {
        let named = |e: String| format!("{}: {e}", self.name);
        let app = apps::verifier(&self.language, &self.name).map_err(named)?;
        let configuration =
            json!({ "identities": { "client": { "signing": self.signing } }, "repeatable": self.repeatable });
        let url = format!("{}{}", app.base, self.description);
        let scan = trial::scan_configured(&url, &configuration.to_string()).await.map_err(named)?;
        let above = scan.findings.iter().filter(|f| f.severity < Severity::Info);
        let findings = above.map(|f| (f.check.clone(), f.severity)).collect();
        Ok(Shown { verifier: self.clone(), map: map_of(&scan), findings, scan })
    }
}

fn map_of(scan: &Scan) -> BTreeMap<String, Map> {
    let mut all: BTreeMap<String, Map> = BTreeMap::new();
    for row in &scan.signature_coverage {
        let map = match row.covered {
            Covered::NotTestable => continue,
            Covered::Covered | Covered::NotCovered => all.entry(row.operation.to_string()).or_default(),
        };
        let parts = if row.covered == Covered::Covered { &mut map.covered } else { &mut map.not_covered };
        parts.insert(row.part);
    }
    all
}

/// All verifiers, in the order of their lists.
///
/// # Errors
/// A list cannot be read.
pub fn verifiers() -> Result<Vec<Verifier>, String> {
    let mut all = Vec::new();
    for language in ["python", "node"] {
        let listed = apps::verifier_command(language)?.arg("--list").output().map_err(|e| e.to_string())?;
        let words = || String::from_utf8_lossy(&listed.stderr).trim().to_owned();
        let list: Vec<Verifier> =
            serde_json::from_slice(&listed.stdout).map_err(|e| format!("{language}: {e}: {}", words()))?;
        all.extend(list);
    }
    Ok(all)
}

/// What is true of each verifier, by name.
///
/// # Errors
/// e2e/verifiers/truth.toml cannot be read.
pub fn truths() -> Result<BTreeMap<String, Truth>, String> {
    let path = apps::root().join("e2e/verifiers/truth.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Scans verifiers, a few at once, and shows each in the order given.
///
/// # Errors
/// Those that cannot be scanned, a line each.
pub async fn show(verifiers: &[Verifier]) -> Result<Vec<Shown>, String> {
    let shown: Vec<Result<Shown, String>> =
        stream::iter(verifiers).map(Verifier::shown).buffered(AT_ONCE).collect().await;
    let (shown, failed): (Vec<_>, Vec<_>) = shown.into_iter().partition(Result::is_ok);
    match failed.into_iter().filter_map(Result::err).collect::<Vec<_>>() {
        failed if failed.is_empty() => Ok(shown.into_iter().flatten().collect()),
        failed => Err(failed.join("\n")),
    }
}
