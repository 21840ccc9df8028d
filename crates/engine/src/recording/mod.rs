//! From what a run saw to the record of the scan: findings, coverage, score, outcome.

mod coverage;
mod outcome;
mod signatures;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::finding::exchange_ids;
use model::scan::{IdentitySummary, InventorySummary, RequestCounts, SCHEMA_VERSION, TargetSummary, Tool, Warning};
use model::score::Basis;
use model::{Assessment, Category, Exchange, Finding, Method, Purpose, Scan, SigningMode, Verdict, findings, score};

use crate::door::Door;
use crate::scan::{Options, Run};
use crate::survey::{Survey, SurveyedIdentity};
use crate::target::Target;
use crate::trouble::Trouble;

/// Failing and inconclusive observations kept per check and reason.
///
/// **Source**: chosen; more than people read.
const KEPT_PER_REASON: usize = 20;

/// Everything that a record is made of.
pub(crate) struct Recording<'a> {
    pub(crate) target: &'a Target,
    pub(crate) options: &'a Options,
    pub(crate) door: Option<&'a Door>,
    pub(crate) survey: Option<&'a Survey>,
    /// How the target stopped responding, if it did.
    pub(crate) stopped: Option<Trouble>,
}

impl Recording<'_> {
    pub(crate) fn scan(&self, run: Run<'_>, id: String, started_at: String) -> Scan {
        let checks = run.checks;
        let metas: BTreeMap<&str, _> = checks.iter().map(|c| (c.meta().id, c.meta())).collect();
        let notice = |message: &String| Warning { place: None, message: message.clone() };
        let mut warnings: Vec<Warning> = self.target.notices.iter().map(notice).collect();
        let mut findings = findings(&run.assessments, |id| metas.get(id).copied());
        for finding in findings.iter_mut().filter(|f| f.category == Category::RequestIntegrity) {
            finding.signing_mode = Some(self.signing_mode(finding));
        }
        self.ignore(&mut findings, &mut warnings);
        warnings.extend(self.twins());
        let coverage = self.coverage(&run);
        let decided: BTreeSet<Category> = run
            .passed
            .keys()
            .filter(|(_, verdict, _)| *verdict == "pass")
            .map(|(check, ..)| *check)
            .chain(run.assessments.iter().filter(|a| a.verdict.word() == "fail").map(|a| a.check.as_str()))
            .filter_map(|check| metas.get(check).map(|m| m.category))
            .collect();
        let decided: Vec<Category> = decided.into_iter().collect();
        let ended = self.ended(&run, &coverage);
        let ungraded = match self.options.method {
            // A part of the API was graded as if it were all of it.
            Method::One if matches!(ended, model::Outcome::Partial { .. }) => None,
            Method::One | Method::Two => self.ungraded(&ended),
        };
        let basis = Basis {
            coverage: &coverage,
            ungraded: ungraded.as_deref(),
            decided: &decided,
            method: self.options.method,
        };
        let score = score(&findings, basis);
        let outcome = self.outcome(ended, &score, &coverage);
        let gate = self.options.gate.judge(&score, &findings, &outcome);
        let signature_coverage = signatures::coverage(&run, self.survey);
        let mut replay_windows = run.windows;
        replay_windows.sort();
        let assessments = if self.options.complete { run.assessments } else { trimmed(run.assessments) };
        let exchanges = self.exchanges(&findings, &assessments);
        Scan {
            schema_version: SCHEMA_VERSION,
            id,
            tool: Tool { name: "middlebrick".into(), version: env!("CARGO_PKG_VERSION").into() },
            target: TargetSummary {
                given: self.target.given.clone(),
                origin: Some(self.target.origin.clone()),
                base_path: self.target.base_path.clone(),
                loopback: self.target.origin.is_loopback(),
                configuration: self.target.configuration.clone(),
            },
            started_at,
            duration_ms: 0,
            mode: self.options.limits.mode,
            seed: self.options.seed,
            gate,
            outcome,
            requests: self.requests(),
            identities: self.identities(),
            headers: self.door.map(Door::plain_headers).unwrap_or_default(),
            inventory: self.inventory(),
            signature_coverage,
            replay_windows,
            set_aside: self.set_aside(),
            coverage,
            masks: BTreeMap::new(),
            leftovers: Vec::new(),
            score,
            findings,
            exchanges,
            warnings,
            assessments,
        }
    }

    /// What was known of the signing of the surest occurrence.
    fn signing_mode(&self, finding: &Finding) -> SigningMode {
        let (Some(survey), Some(first)) = (self.survey, finding.occurrences.first()) else { return SigningMode::None };
        let by_name = first.identity.as_deref().and_then(|name| survey.identity(name));
        let by_operation = first.operation.as_ref().and_then(|key| survey.signed(survey.operation(key)?));
        match (by_name, by_operation) {
            (Some(identity), _) => identity.mode,
            (None, Some((_, identity))) => identity.mode,
            (None, None) => survey.identities.iter().map(|identity| identity.mode).max().unwrap_or_default(),
        }
    }

    /// Takes out of each finding what the user chose to live with, as a finding of its own.
    fn ignore(&self, findings: &mut Vec<Finding>, warnings: &mut Vec<Warning>) {
        let today = chrono::Utc::now().format("%Y-%m-%d").to_string();
        for ignored in &self.options.ignored {
            if ignored.suppression.until.as_ref().is_some_and(|until| *until < today) {
                let message = format!("the suppression of {} has expired", ignored.check);
                warnings.push(Warning { place: None, message });
                continue;
            }
            let mut suppressed = Vec::new();
            for finding in findings.iter_mut().filter(|f| f.check == ignored.check && f.suppressed.is_none()) {
                let matches = |o: &model::Occurrence| match &ignored.operation {
                    Some(wanted) => o.operation.as_ref().is_some_and(|own| own.to_string() == *wanted),
                    None => true,
                };
                let (taken, left): (Vec<_>, Vec<_>) = finding.occurrences.drain(..).partition(matches);
                if left.is_empty() {
                    finding.occurrences = taken;
                    finding.suppressed = Some(ignored.suppression.clone());
                    continue;
                }
                finding.occurrences = left;
                if !taken.is_empty() {
                    let mut other = finding.clone();
                    other.suppressed = Some(ignored.suppression.clone());
                    other.occurrences = taken;
                    recount(&mut other);
                    recount(finding);
                    suppressed.push(other);
                }
            }
            findings.append(&mut suppressed);
        }
    }

    fn requests(&self) -> RequestCounts {
        let exchanges = self.door.map(Door::exchanges).unwrap_or_default();
        let of = |purpose| u32::try_from(exchanges.iter().filter(|e| e.purpose == purpose).count()).unwrap_or(u32::MAX);
        RequestCounts {
            total: self.door.map(Door::requests).unwrap_or_default(),
            description: of(Purpose::Description),
            sign_in: of(Purpose::SignIn),
            survey: of(Purpose::Survey),
            check: of(Purpose::Check),
        }
    }

    fn identities(&self) -> Vec<IdentitySummary> {
        let surveyed = self.survey.map(|s| s.identities.as_slice()).unwrap_or_default();
        let summary = |i: &SurveyedIdentity, name: &str, note: String| IdentitySummary {
            name: name.to_owned(),
            role: i.role.clone(),
            credentials: i.places.iter().map(ToString::to_string).collect(),
            alive: i.alive,
            note,
        };
        let mut identities = Vec::new();
        for identity in surveyed {
            identities.push(summary(identity, &identity.name, identity.note.clone()));
            for twin in &identity.same_as {
                let note = format!("it has the same credential as {}: for the API both are one", identity.name);
                identities.push(summary(identity, &twin.name, note));
            }
        }
        identities
    }

    /// Identities that cannot be compared, because they are one.
    fn twins(&self) -> Vec<Warning> {
        let surveyed = self.survey.map(|s| s.identities.as_slice()).unwrap_or_default();
        let of = |identity: &std::sync::Arc<SurveyedIdentity>| {
            let names: Vec<String> = std::iter::once(&identity.name)
                .chain(identity.same_as.iter().map(|twin| &twin.name))
                .map(|name| format!("`{name}`"))
                .collect();
            (names.len() > 1).then(|| Warning {
                place: None,
                message: format!(
                    "the identities {} have the same credential: for the API they are one, and nothing compares them",
                    names.join(" and ")
                ),
            })
        };
        surveyed.iter().filter_map(of).collect()
    }

    fn inventory(&self) -> InventorySummary {
        let inventory = &self.target.inventory;
        InventorySummary {
            format: inventory.is_described().then(|| inventory.format.to_string()),
            title: inventory.title.clone(),
            version: inventory.version.clone(),
            operations: inventory.operations.len(),
            reading: inventory
                .operations
                .iter()
                .filter(|o| matches!(o.method.as_str(), "GET" | "HEAD" | "QUERY"))
                .count(),
            references: inventory.counts.references,
            warnings: self.target.warnings.clone(),
        }
    }

    fn exchanges(&self, findings: &[Finding], assessments: &[Assessment]) -> BTreeMap<u32, Arc<Exchange>> {
        let mut wanted = Vec::new();
        for finding in findings {
            wanted.extend(finding.occurrences.iter().flat_map(|o| &o.evidence).filter_map(|e| e.exchange));
        }
        for assessment in assessments {
            assessment.observation.iter().for_each(|o| exchange_ids(o, &mut wanted));
        }
        let wanted: BTreeSet<u32> = wanted.into_iter().collect();
        let all = self.door.map(Door::exchanges).unwrap_or_default();
        all.into_iter().filter(|e| self.options.complete || wanted.contains(&e.id)).map(|e| (e.id, e)).collect()
    }
}

fn recount(finding: &mut Finding) {
    finding.total = finding.occurrences.len();
    let operations: BTreeSet<_> = finding.occurrences.iter().filter_map(|o| o.operation.as_ref()).collect();
    finding.operations = operations.len();
}

/// Keeps the first [`KEPT_PER_REASON`] of each check and reason.
fn trimmed(assessments: Vec<Assessment>) -> Vec<Assessment> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    assessments
        .into_iter()
        .filter(|assessment| {
            let reason = match &assessment.verdict {
                Verdict::Inconclusive { reason } => reason.clone(),
                Verdict::Pass { .. } | Verdict::Fail { .. } | Verdict::NotApplicable { .. } => String::new(),
            };
            let count = counts.entry((assessment.check.clone(), reason)).or_default();
            *count += 1;
            *count <= KEPT_PER_REASON
        })
        .collect()
}
