//! A whole scan: survey, observe, judge, and the record of it. Always returns one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use futures_util::stream;
use model::finding::exchange_ids;
use model::gate::GateResult;
use model::scan::{
    Coverage, CoverageRow, Covered, IdentitySummary, InventorySummary, RequestCounts, SCHEMA_VERSION, TargetSummary,
    Tool, Untested, Warning,
};
use model::score::Basis;
use model::{
    Assessment, Category, Exchange, Finding, Gate, Mode, Outcome, Purpose, Recorded, Response, Scan, SignatureCoverage,
    SignedPart, SubjectKey, Suppression, Verdict, findings, score,
};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::check::{AnyCheck, Requests, Unobserved};
use crate::door::{Door, DoorParts, Limits};
use crate::event::{Event, Events, Phase};
use crate::identities::Identities;
use crate::logs::{LogSource, LogWatch};
use crate::session::Session;
use crate::subject::{self, AnySubject};
use crate::survey::{Protection, Reach, Survey, survey};
use crate::target::Target;
use crate::transport::{Settings, Transport};

/// Failing and inconclusive observations kept per check and reason.
///
/// **Source**: docs of the record's size in ARCHITECTURE.md; more than people read.
const KEPT_PER_REASON: usize = 20;

/// A finding that the user chose to live with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Id of the check.
    pub check: String,
    /// Operation, as `GET /path`; none for all.
    pub operation: Option<String>,
    /// The user's words, and until when.
    pub suppression: Suppression,
}

/// How a scan goes about it.
#[derive(Clone, Debug)]
pub struct Options {
    /// What may be sent, how fast, how much.
    pub limits: Limits,
    /// Seed of everything random.
    pub seed: u64,
    /// Conditions that the scan must meet.
    pub gate: Gate,
    /// Findings that do not count.
    pub ignored: Vec<Ignored>,
    /// What the target writes to its logs.
    pub logs: Vec<LogSource>,
    /// Keep all exchanges and assessments in the record.
    pub complete: bool,
    /// Becomes true when the user wants to stop.
    pub interrupt: watch::Receiver<bool>,
}

/// Scans a target with these checks.
pub async fn scan(target: Target, checks: &[&'static dyn AnyCheck], options: Options, events: Arc<dyn Events>) -> Scan {
    let started_at = chrono::Utc::now();
    let started = Instant::now();
    let id = uuid::Uuid::now_v7().to_string();
    let settings = Settings {
        timeout: options.limits.timeout,
        user_agent: format!("middlebrick/{} (scan {id})", env!("CARGO_PKG_VERSION")),
        ..target.settings.clone()
    };
    let opened = Transport::new(settings)
        .map_err(|error| Outcome::CannotTell { reason: error.to_string(), hint: "check the network options".into() })
        .and_then(|transport| {
            let logs = LogWatch::open(&options.logs).map_err(|error| {
                let hint = "--log-file takes a file that the target writes to, a named pipe, or - for standard input";
                Outcome::CannotTell { reason: error.to_string(), hint: hint.into() }
            })?;
            Ok(Arc::new(Door::new(parts(&target, transport, logs, &options, &events))))
        });
    let (door, failure) = match opened {
        Ok(door) => (Some(door), None),
        Err(outcome) => (None, Some(outcome)),
    };
    let mut run = Run { checks, assessments: Vec::new(), passed: BTreeMap::new(), asked: BTreeSet::new() };
    let mut surveyed = None;
    if let Some(door) = &door {
        let seen = Arc::new(Seen::new(&target));
        let listening = seen.clone();
        door.listen(Box::new(move |recorded, raw| listening.take(recorded, raw)));
        let survey = survey(door, &target.inventory, &target.configured).await;
        run.passive(door, &survey, &seen).await;
        run.active(door, &survey).await;
        run.passive(door, &survey, &seen).await;
        surveyed = Some(survey);
    }
    let record = Recording { target: &target, options: &options, door: door.as_deref(), survey: surveyed.as_ref() };
    let mut scan = record.scan(run, id, started_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    if let Some(outcome) = failure {
        scan.outcome = outcome;
    }
    scan.duration_ms = started.elapsed().as_millis() as u64;
    scan
}

/// The survey alone: what works, for whom, what stayed unreachable.
pub async fn survey_only(target: Target, options: Options, events: Arc<dyn Events>) -> Scan {
    scan(target, &[], options, events).await
}

fn parts(
    target: &Target,
    transport: Transport,
    logs: LogWatch,
    options: &Options,
    events: &Arc<dyn Events>,
) -> DoorParts {
    DoorParts {
        transport,
        origin: target.origin.clone(),
        base_path: target.base_path.clone(),
        headers: target.headers.clone(),
        repeatable: target.repeatable.clone(),
        identities: Identities::new(target.identities.clone()),
        limits: options.limits.clone(),
        seed: options.seed,
        interrupt: options.interrupt.clone(),
        events: events.clone(),
        logs,
    }
}

/// Operation, the identity that asked, status, digest of the body.
type AnswerKey = (Option<model::OperationKey>, Option<String>, u16, u64);

/// What was recorded and not yet shown to the checks that only look.
struct Seen {
    operations: BTreeMap<model::OperationKey, Arc<inventory::Operation>>,
    waiting: Mutex<Vec<subject::Exchange>>,
    answers: Mutex<BTreeSet<AnswerKey>>,
}

impl Seen {
    fn new(target: &Target) -> Self {
        let key = |o: &inventory::Operation| model::OperationKey { method: o.method.clone(), path: o.path.clone() };
        Self {
            operations: target.inventory.operations.iter().map(|o| (key(o), o.clone())).collect(),
            waiting: Mutex::default(),
            answers: Mutex::default(),
        }
    }

    /// Keeps an exchange unless its operation gave the same identity, or nobody, the same answer before.
    fn take(&self, recorded: &Recorded, raw: Option<&Arc<Response>>) {
        let Some(raw) = raw else { return };
        if recorded.purpose == Purpose::SignIn {
            return;
        }
        let answer = (recorded.operation.clone(), recorded.identity.clone(), raw.status, digest(raw));
        if !self.answers.lock().expect("no holder panics").insert(answer) {
            return;
        }
        let operation = recorded.operation.as_ref().and_then(|key| self.operations.get(key)).cloned();
        let subject = subject::Exchange::new(recorded.clone(), raw.clone(), operation);
        self.waiting.lock().expect("no holder panics").push(subject);
    }
}

fn digest(response: &Response) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = std::hash::DefaultHasher::new();
    response.body.hash(&mut hasher);
    hasher.finish()
}

/// Assessments as they come in. Those that pass are only counted.
struct Run<'c> {
    checks: &'c [&'static dyn AnyCheck],
    assessments: Vec<Assessment>,
    passed: BTreeMap<(&'static str, &'static str, Option<String>), BTreeSet<SubjectKey>>,
    asked: BTreeSet<&'static str>,
}

impl Run<'_> {
    /// Shows what was recorded to the checks that only look.
    async fn passive(&mut self, door: &Arc<Door>, survey: &Survey, seen: &Seen) {
        let waiting = std::mem::take(&mut *seen.waiting.lock().expect("no holder panics"));
        for exchange in waiting {
            let subject = AnySubject::Exchange(exchange);
            for check in self.checks {
                let meta = check.meta();
                let Some(Ok(_)) = check.plan(&subject, survey) else { continue };
                let session = Session::new(door.clone(), Purpose::Check, meta.id, Requests::NONE);
                let came = check.run(&subject, survey, &session).await;
                self.take(*check, &subject, came, door);
            }
        }
    }

    async fn active(&mut self, door: &Arc<Door>, survey: &Survey) {
        let subjects = subjects(survey);
        let mut planned = Vec::new();
        for subject in &subjects {
            for check in self.checks {
                let meta = check.meta();
                match check.plan(subject, survey) {
                    None => {}
                    Some(Err(not)) => self.take(*check, subject, Err(not.into()), door),
                    Some(Ok(_)) if meta.mode > door.limits.mode => {
                        let reason = format!("it needs --mode {}", meta.mode);
                        self.take(*check, subject, Err(Unobserved::NotApplicable(reason.into())), door);
                    }
                    Some(Ok(requests)) => planned.push((*check, subject, requests)),
                }
            }
        }
        // What can be worst for the fewest requests goes first: a budget then cuts the least.
        planned.sort_by_key(|(check, _, requests)| (check.meta().worst(), requests.expected));
        let (disturbing, gentle): (Vec<_>, Vec<_>) = planned.into_iter().partition(|(check, ..)| check.meta().disturbs);
        let expected = gentle.iter().chain(&disturbing).map(|(.., r)| r.expected).sum();
        door.events.event(Event::Phase(Phase::Checks));
        door.events.event(Event::Planned { observations: gentle.len() + disturbing.len(), requests: expected });
        let observing = gentle.into_iter().map(|(check, subject, requests)| async move {
            (check, subject, observe(check, subject, requests, survey, door).await)
        });
        let mut observed = stream::iter(observing).buffer_unordered(door.limits.concurrency);
        while let Some((check, subject, came)) = observed.next().await {
            self.take(check, subject, came, door);
        }
        drop(observed);
        if !disturbing.is_empty() {
            door.events.event(Event::Phase(Phase::DisturbingChecks));
        }
        for (check, subject, requests) in disturbing {
            let came = observe(check, subject, requests, survey, door).await;
            self.take(check, subject, came, door);
        }
    }

    fn take(
        &mut self,
        check: &'static dyn AnyCheck,
        subject: &AnySubject,
        came: Result<crate::check::Judged, Unobserved>,
        door: &Door,
    ) {
        let meta = check.meta();
        let key = subject.key();
        let (observation, verdict) = match came {
            Ok(judged) => (Some(judged.observation), judged.verdict),
            Err(Unobserved::NotApplicable(reason)) => (None, Verdict::NotApplicable { reason: reason.into() }),
            Err(Unobserved::Inconclusive(reason)) => (None, Verdict::inconclusive(reason)),
            Err(Unobserved::Interrupted) => (None, Verdict::inconclusive("the scan was stopped")),
        };
        self.asked.insert(meta.id);
        door.events.event(Event::Assessed { check: meta.id, subject: &key, verdict: verdict.word() });
        match verdict {
            Verdict::Pass { .. } => {
                // Many answers of one operation are one thing that was looked at.
                let key = match key {
                    SubjectKey::Exchange { operation: Some(operation), .. } => SubjectKey::Operation(operation),
                    SubjectKey::Exchange { operation: None, .. } => SubjectKey::Target,
                    other => other,
                };
                self.passed.entry((meta.id, "pass", None)).or_default().insert(key);
            }
            Verdict::NotApplicable { reason } => {
                self.passed.entry((meta.id, "not-applicable", Some(reason))).or_default().insert(key);
            }
            Verdict::Fail { .. } | Verdict::Inconclusive { .. } => {
                self.assessments.push(Assessment { check: meta.id.into(), subject: key, observation, verdict });
            }
        }
    }
}

/// Observes and judges one subject. Counts only if each identity in it is alive afterwards; where one
/// had to sign in again, it is observed once more.
async fn observe(
    check: &'static dyn AnyCheck,
    subject: &AnySubject,
    requests: Requests,
    survey: &Survey,
    door: &Arc<Door>,
) -> Result<crate::check::Judged, Unobserved> {
    let name = format!("{} {}", check.meta().id, serde_json::to_string(&subject.key()).unwrap_or_default());
    let mut again = false;
    loop {
        let session = Session::new(door.clone(), Purpose::Check, &name, requests);
        let generations = |names: &[Arc<str>]| -> Vec<u32> {
            names.iter().filter_map(|n| door.identities.by_name(n)).map(|l| l.generation().number).collect()
        };
        let all: Vec<Arc<str>> = door.identities.iter().map(|l| l.name.clone()).collect();
        let before = generations(&all);
        let judged = check.run(subject, survey, &session).await?;
        debug_assert!(session.sent() <= requests.most, "{name} sent {} of {}", session.sent(), requests.most);
        let end = Instant::now();
        for name in session.identities() {
            if let Some(live) = door.identities.by_name(&name) {
                live.confirm(door, end).await?;
            }
        }
        if generations(&all) == before || again {
            return Ok(judged);
        }
        again = true;
    }
}

fn subjects(survey: &Survey) -> Vec<AnySubject> {
    let mut subjects =
        vec![AnySubject::Target(subject::Target), AnySubject::Origin(subject::Origin(survey.origin.clone()))];
    subjects.extend(survey.identities.iter().map(|i| AnySubject::Identity(subject::Identity(i.clone()))));
    subjects.extend(survey.operations.iter().map(|o| AnySubject::Operation(subject::Operation(o.clone()))));
    subjects
}

/// Everything that a record is made of.
struct Recording<'a> {
    target: &'a Target,
    options: &'a Options,
    door: Option<&'a Door>,
    survey: Option<&'a Survey>,
}

impl Recording<'_> {
    fn scan(&self, run: Run<'_>, id: String, started_at: String) -> Scan {
        let checks = run.checks;
        let metas: BTreeMap<&str, _> = checks.iter().map(|c| (c.meta().id, c.meta())).collect();
        let mut warnings = Vec::new();
        let mut findings = findings(&run.assessments, |id| metas.get(id).copied());
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
            untested.push("request signing: no identity signs its requests".into());
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
        let cannot = |reason: String, hint: &str| Outcome::CannotTell { reason, hint: hint.into() };
        let (Some(door), Some(survey)) = (self.door, self.survey) else {
            return cannot("nothing was sent".into(), "check the network options");
        };
        if door.is_interrupted() {
            return Outcome::Interrupted;
        }
        if self.options.limits.mode == Mode::Description {
            return match gate.0.is_empty() {
                true => Outcome::Complete,
                false => cannot("a gate needs more than the description".into(), "use --mode passive or safe"),
            };
        }
        let exchanges = door.exchanges();
        if let (Some(error), true) = (first_error(&exchanges), exchanges.iter().all(|e| e.response().is_none())) {
            return cannot(
                format!("cannot reach {}: {error}", survey.origin),
                "is it running, and is the address right?",
            );
        }
        if let Some(dead) = survey.identities.iter().find(|i| !i.alive) {
            let hint = "check the credential and where it goes; middlebrick survey shows what each identity gets";
            return cannot(format!("identity `{}` does not work: {}", dead.name, dead.note), hint);
        }
        if let Some(died) = door.identities.iter().find(|l| l.has_died()) {
            let hint = "give a login instead of a token, so that the scan can sign in again, or a longer-lived token";
            return cannot(format!("identity `{}` stopped working during the scan", died.name), hint);
        }
        if survey_only {
            return Outcome::Complete;
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
                Outcome::CannotTell { reason, hint }
            }
            (Some(_), _) => Outcome::Complete,
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

/// Judges the assessments of a stored scan again, with these checks.
///
/// # Errors
/// An observation does not fit its check any more.
pub fn rejudge(scan: &Scan, checks: &[&'static dyn AnyCheck]) -> Result<Vec<(Assessment, Verdict)>, serde_json::Error> {
    let exchanges = scan.exchanges.clone();
    Recorded::resolving(exchanges, || {
        scan.assessments
            .iter()
            .filter_map(|assessment| {
                let check = checks.iter().find(|c| c.meta().id == assessment.check)?;
                let observation = assessment.observation.as_ref()?;
                Some(check.judge(observation).map(|verdict| (assessment.clone(), verdict)))
            })
            .collect()
    })
}
