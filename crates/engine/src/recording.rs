//! From what a run saw to the record of the scan: findings, coverage, score, outcome.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::finding::exchange_ids;
use model::gate::GateResult;
use model::scan::{
    Coverage, CoverageRow, Covered, IdentitySummary, InventorySummary, RequestCounts, SCHEMA_VERSION, TargetSummary,
    Tool, Untested, Warning,
};
use model::score::Basis;
use model::{
    Assessment, Category, Exchange, Finding, Mode, Outcome, Purpose, Scan, Shortfall, SignatureCoverage, SignedPart,
    SigningMode, SubjectKey, Verdict, findings, score,
};

use crate::door::Door;
use crate::scan::{Options, Run};
use crate::survey::{Protection, Reach, Survey};
use crate::target::Target;

/// Failing and inconclusive observations kept per check and reason.
///
/// **Source**: docs of the record's size in ARCHITECTURE.md; more than people read.
const KEPT_PER_REASON: usize = 20;

/// Everything that a record is made of.
pub(crate) struct Recording<'a> {
    pub(crate) target: &'a Target,
    pub(crate) options: &'a Options,
    pub(crate) door: Option<&'a Door>,
    pub(crate) survey: Option<&'a Survey>,
}

impl Recording<'_> {
    pub(crate) fn scan(&self, run: Run<'_>, id: String, started_at: String) -> Scan {
        let checks = run.checks;
        let metas: BTreeMap<&str, _> = checks.iter().map(|c| (c.meta().id, c.meta())).collect();
        let mut warnings = Vec::new();
        let mut findings = findings(&run.assessments, |id| metas.get(id).copied());
        for finding in findings.iter_mut().filter(|f| f.category == Category::RequestIntegrity) {
            finding.signing_mode = Some(self.signing_mode(finding));
        }
        self.ignore(&mut findings, &mut warnings);
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
        let mut score =
            score(&findings, Basis { coverage: &coverage, locked_out: self.is_locked_out(), decided: &decided });
        if self.options.limits.mode == Mode::Description {
            score.grade = None;
            score.note = Some("no grade: only the description was read".into());
        }
        let gate = self.options.gate.judge(&score, &findings);
        let outcome = self.outcome(&score, &coverage, &gate, checks.is_empty());
        let signature_coverage = signature_coverage(&run, self.survey);
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
            },
            started_at,
            duration_ms: 0,
            mode: self.options.limits.mode,
            seed: self.options.seed,
            gate,
            outcome,
            requests: self.requests(),
            identities: self.identities(),
            inventory: self.inventory(),
            signature_coverage,
            replay_windows,
            set_aside: self.set_aside(),
            coverage,
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

    fn coverage(&self, run: &Run<'_>) -> Coverage {
        let mut counts: BTreeMap<(String, String, Option<String>), BTreeSet<SubjectKey>> = BTreeMap::new();
        for ((check, verdict, reason), subjects) in &run.passed {
            counts.insert(((*check).into(), (*verdict).into(), reason.clone()), subjects.clone());
        }
        for assessment in &run.assessments {
            let reason = match &assessment.verdict {
                Verdict::Inconclusive { reason } => Some(reason.clone()),
                Verdict::Pass { .. } | Verdict::Fail { .. } | Verdict::NotApplicable { .. } => None,
            };
            let key = (assessment.check.clone(), assessment.verdict.word().to_owned(), reason);
            counts.entry(key).or_default().insert(assessment.subject.clone());
        }
        let count = |wanted: &[&str]| -> usize {
            counts.iter().filter(|((_, verdict, _), _)| wanted.contains(&verdict.as_str())).map(|(_, s)| s.len()).sum()
        };
        let (decided, inconclusive) = (count(&["pass", "fail"]), count(&["inconclusive"]));
        let operations = self.survey.map(|s| s.operations.as_slice()).unwrap_or_default();
        let sendable = operations.iter().filter(|o| !matches!(o.reach, Reach::SetAside(_))).count();
        let working = operations.iter().filter(|o| o.reach == Reach::Working).count();
        let refused = operations.iter().filter(|o| o.reach == Reach::Refused).count();
        let nothing_to_send = self.options.limits.mode == Mode::Description;
        let operations_ratio = if nothing_to_send { 1.0 } else { ratio(working + refused, sendable) };
        let assessments_ratio = if run.checks.is_empty() { 1.0 } else { ratio(decided, decided + inconclusive) };
        let by_verdict = |wanted: &[&str]| -> BTreeSet<&str> {
            counts
                .keys()
                .filter(|(_, verdict, _)| wanted.contains(&verdict.as_str()))
                .map(|(c, ..)| c.as_str())
                .collect()
        };
        Coverage {
            ratio: operations_ratio * assessments_ratio,
            assessments_ratio,
            operations_ratio,
            sendable,
            working,
            refused,
            checks_decided: by_verdict(&["pass", "fail"]).len(),
            checks_asked: by_verdict(&["pass", "fail", "inconclusive"]).len(),
            unreachable: operations
                .iter()
                .filter_map(|o| match &o.reach {
                    Reach::Unreachable(reason) => Some(Untested { operation: o.key.clone(), reason: reason.clone() }),
                    Reach::Working | Reach::Refused | Reach::SetAside(_) => None,
                })
                .collect(),
            rows: counts
                .into_iter()
                .map(|((check, verdict, reason), subjects)| {
                    let count = u32::try_from(subjects.len()).unwrap_or(u32::MAX);
                    CoverageRow { check, verdict, reason, count }
                })
                .collect(),
            untested: self.untested(),
        }
    }

    /// What was not tested at all and how to change that.
    fn untested(&self) -> Vec<String> {
        let Some(survey) = self.survey else { return Vec::new() };
        let mut untested = Vec::new();
        let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
        for operation in &survey.operations {
            if let Reach::SetAside(reason) = &operation.reach {
                *by_reason.entry(reason).or_default() += 1;
            }
        }
        for (reason, count) in by_reason {
            untested.push(format!("{count} operation{} set aside ({reason})", if count == 1 { "" } else { "s" }));
        }
        if survey.identities.is_empty() && self.options.limits.mode > Mode::Description {
            untested.push("everything behind a sign-in: add -H 'NAME: VALUE' or identities in middlebrick.yaml".into());
        }
        if self.options.logs.is_empty() && self.options.limits.mode >= Mode::Safe {
            untested.push("key logging (--log-file app.log)".into());
        }
        if !survey.identities.iter().any(|i| i.signs) && self.options.limits.mode > Mode::Description {
            untested.push(match recognized(survey) {
                Some(seen) => format!(
                    "request signing: {seen}; give the secret under `signing:` of an identity, or a captured request by --sample"
                ),
                None => "request signing: no identity signs its requests".into(),
            });
        }
        untested.push("authorization between users: no check of this version asks".into());
        untested
    }

    fn is_locked_out(&self) -> bool {
        let Some(survey) = self.survey else { return false };
        let sendable = survey.operations.iter().filter(|o| !matches!(o.reach, Reach::SetAside(_)));
        let declared = sendable.filter(|o| o.protection == Protection::Declared).count();
        declared > 0 && !survey.identities.iter().any(|i| i.alive)
    }

    fn outcome(&self, score: &model::Score, coverage: &Coverage, gate: &GateResult, survey_only: bool) -> Outcome {
        let cannot = |cause, reason: String, hint: &str| Outcome::fell_short(cause, reason, Some(hint));
        let (Some(door), Some(survey)) = (self.door, self.survey) else {
            return cannot(Shortfall::Unreachable, "nothing was sent".into(), "check the network options");
        };
        if door.is_interrupted() {
            return Outcome::Interrupted;
        }
        if self.options.limits.mode == Mode::Description {
            return match gate.0.is_empty() {
                true => Outcome::Done,
                false => cannot(
                    Shortfall::Coverage,
                    "a gate needs more than the description".into(),
                    "use --mode passive or safe",
                ),
            };
        }
        let exchanges = door.exchanges();
        if let (Some(error), true) = (first_error(&exchanges), exchanges.iter().all(|e| e.response().is_none())) {
            return cannot(
                Shortfall::Unreachable,
                format!("cannot reach {}: {error}", survey.origin),
                "is it running, and is the address right?",
            );
        }
        if let Some(dead) = survey.identities.iter().find(|i| !i.alive) {
            let hint = match dead.mode {
                SigningMode::Sample => {
                    "a sample must be sent within its window, to the operation and host it was made for"
                }
                SigningMode::None | SigningMode::Secret => {
                    "check the credential and where it goes; middlebrick survey shows what each identity gets"
                }
            };
            return cannot(Shortfall::Identity, format!("identity `{}` does not work: {}", dead.name, dead.note), hint);
        }
        if let Some(died) = door.identities.iter().find(|l| l.has_died()) {
            let hint = match died.sample() {
                Some(_) => "the sample grew old: capture a fresh one, and scan within its window",
                None => "give a login instead of a token, so that the scan can sign in again, or a longer-lived token",
            };
            return cannot(
                Shortfall::Identity,
                format!("identity `{}` stopped working during the scan", died.name),
                hint,
            );
        }
        if survey_only {
            return Outcome::Done;
        }
        match (&score.grade, &score.note) {
            (None, note) => {
                let reason = note.clone().unwrap_or_else(|| "too little was tested".into());
                let hint = match (survey.identities.is_empty(), coverage.unreachable.first()) {
                    (true, _) if self.is_locked_out() => {
                        "add credentials: -H 'NAME: VALUE', or identities in middlebrick.yaml".to_owned()
                    }
                    (_, Some(first)) => format!("{}: {}", first.operation, first.reason),
                    (..) => "middlebrick survey shows what was answered".to_owned(),
                };
                Outcome::FellShort { cause: Shortfall::Coverage, reason, hint: Some(hint) }
            }
            (Some(_), _) => Outcome::Done,
        }
    }

    fn requests(&self) -> RequestCounts {
        let exchanges = self.door.map(Door::exchanges).unwrap_or_default();
        let of = |purpose| u32::try_from(exchanges.iter().filter(|e| e.purpose == purpose).count()).unwrap_or(u32::MAX);
        RequestCounts {
            total: self.door.map(Door::requests).unwrap_or_default(),
            sign_in: of(Purpose::SignIn),
            survey: of(Purpose::Survey),
            check: of(Purpose::Check),
        }
    }

    fn identities(&self) -> Vec<IdentitySummary> {
        let surveyed = self.survey.map(|s| s.identities.as_slice()).unwrap_or_default();
        surveyed
            .iter()
            .map(|i| IdentitySummary {
                name: i.name.to_string(),
                role: i.role.clone(),
                credentials: i.places.iter().map(ToString::to_string).collect(),
                alive: i.alive,
                note: i.note.clone(),
            })
            .collect()
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

    fn set_aside(&self) -> Vec<Untested> {
        let operations = self.survey.map(|s| s.operations.as_slice()).unwrap_or_default();
        let mut aside: Vec<Untested> = operations
            .iter()
            .filter_map(|o| match &o.reach {
                Reach::SetAside(reason) => Some(Untested { operation: o.key.clone(), reason: reason.clone() }),
                Reach::Working | Reach::Refused | Reach::Unreachable(_) => None,
            })
            .collect();
        aside.sort();
        aside
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

/// What signatures cover, pivoted from the verdicts of the checks that decide one part each.
fn signature_coverage(run: &Run<'_>, survey: Option<&Survey>) -> Vec<SignatureCoverage> {
    let Some(survey) = survey else { return Vec::new() };
    let parts: BTreeMap<&str, SignedPart> = run.checks.iter().filter_map(|c| Some((c.meta().id, c.part()?))).collect();
    let passed = run.passed.iter().flat_map(|((check, verdict, reason), subjects)| {
        let covered = if *verdict == "pass" { Covered::Covered } else { Covered::NotTestable };
        subjects.iter().map(move |subject| (*check, subject, covered, reason.clone()))
    });
    let others = run.assessments.iter().map(|assessment| {
        let (covered, why) = match &assessment.verdict {
            Verdict::Pass { .. } => (Covered::Covered, None),
            Verdict::Fail { flaws } => (Covered::NotCovered, flaws.first().map(|f| f.message.clone())),
            Verdict::Inconclusive { reason } | Verdict::NotApplicable { reason } => {
                (Covered::NotTestable, Some(reason.clone()))
            }
        };
        (assessment.check.as_str(), &assessment.subject, covered, why)
    });
    let mut rows: Vec<SignatureCoverage> = passed
        .chain(others)
        .filter_map(|(check, subject, covered, why)| {
            let SubjectKey::Operation(operation) = subject else { return None };
            let part = *parts.get(check)?;
            let (_, identity) = survey.signed(survey.operation(operation)?)?;
            let identity = identity.name.to_string();
            Some(SignatureCoverage { identity, operation: operation.clone(), part, covered, why })
        })
        .collect();
    rows.sort();
    rows
}

/// Headers that name a scheme, and the preset of it.
///
/// **Source**: the documents of the presets, RFC 9421, RFC 9449.
const SCHEMES: [(&str, &str); 12] = [
    ("x-hub-signature-256", "github"),
    ("stripe-signature", "stripe"),
    ("x-slack-signature", "slack"),
    ("webhook-signature", "standard-webhooks"),
    ("x-shopify-hmac-sha256", "shopify"),
    ("x-twilio-signature", "twilio"),
    ("signature-input", "rfc9421"),
    ("dpop", "dpop"),
    ("cb-access-sign", "coinbase"),
    ("api-sign", "kraken"),
    ("x-amz-date", "sigv4"),
    ("x-mbx-apikey", "binance"),
];

/// The signing scheme that the description or a refusal names, in words.
fn recognized(survey: &Survey) -> Option<String> {
    let declared = survey.inventory.security_schemes.values().filter_map(|scheme| match scheme {
        inventory::SecurityScheme::ApiKey { name, .. } => Some(name.as_str()),
        _ => None,
    });
    let parameters = survey.operations.iter().flat_map(|o| &o.operation.parameters);
    let headers = parameters.filter(|p| p.location == inventory::ParameterLocation::Header).map(|p| p.name.as_str());
    let names: BTreeSet<&str> = declared.chain(headers).collect();
    for name in &names {
        if let Some((_, preset)) = SCHEMES.iter().find(|(header, _)| name.eq_ignore_ascii_case(header)) {
            return Some(format!("the description names `{name}`, which belongs to the preset `{preset}`"));
        }
    }
    if let Some(name) = names.iter().find(|name| name.to_ascii_lowercase().contains("signature")) {
        return Some(format!("the description names `{name}`"));
    }
    let answers = survey.operations.iter().flat_map(|o| &o.baselines).filter_map(|b| b.exchange.response());
    let challenge = answers.flat_map(|r| r.headers.all("www-authenticate").map(ToOwned::to_owned).collect::<Vec<_>>());
    let known = ["Signature", "HMAC", "Hawk", "OAuth", "AWS4-HMAC-SHA256", "DPoP"];
    let scheme = challenge.filter_map(|c| known.iter().find(|k| c.split(' ').next() == Some(**k)).copied()).next()?;
    Some(format!("a refusal asks for the scheme `{scheme}`"))
}

fn recount(finding: &mut Finding) {
    finding.total = finding.occurrences.len();
    let operations: BTreeSet<_> = finding.occurrences.iter().filter_map(|o| o.operation.as_ref()).collect();
    finding.operations = operations.len();
}

fn first_error(exchanges: &[Arc<Exchange>]) -> Option<String> {
    exchanges.iter().find_map(|e| match &e.answer {
        model::Answer::Error(error) => Some(error.to_string()),
        model::Answer::Response(_) => None,
    })
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
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
