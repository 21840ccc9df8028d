//! A whole scan: survey, observe, judge, and the record of it. Always returns one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use futures_util::stream;
use model::{
    Assessment, Gate, Method, OperationKey, Outcome, Purpose, Recorded, ReplayWindow, Request, Response, Scan,
    Shortfall, SubjectKey, Suppression, Verdict,
};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::budget::{Budget, Limits};
use crate::check::{AnyCheck, Requests, Unobserved};
use crate::door::{self, Door, DoorParts};
use crate::draft::Draft;
use crate::event::{Event, Events, Phase};
use crate::guard;
use crate::identities::Identities;
use crate::logs::{LogSource, LogWatch};
use crate::recording::Recording;
use crate::session::Session;
use crate::subject::{self, AnySubject};
use crate::survey::{Survey, survey};
use crate::target::Target;
use crate::transport::{Settings, Transport};
use crate::trouble::Trouble;

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

/// What the user left out of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Checks or categories that were asked for alone; empty for all.
    pub only: Vec<String>,
    /// Checks or categories that were not to be asked.
    pub skip: Vec<String>,
    /// Operations of the description that are not in the target's inventory.
    pub left_out: Vec<OperationKey>,
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
    /// The rules of the score.
    pub method: Method,
    /// What the user left out.
    pub selection: Selection,
    /// Findings that do not count.
    pub ignored: Vec<Ignored>,
    /// What the target writes to its logs.
    pub logs: Vec<LogSource>,
    /// Keep all exchanges and assessments in the record.
    pub complete: bool,
    /// Becomes true when the user wants to stop.
    pub interrupt: watch::Receiver<bool>,
}

impl Options {
    /// A budget of these limits, of which nothing is spent; its time runs from here on.
    pub fn budget(&self) -> Arc<Budget> {
        Arc::new(Budget::new(self.limits.clone(), self.interrupt.clone()))
    }
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
        .map_err(|error| {
            Outcome::fell_short(Shortfall::Unreachable, error.to_string(), Some("check the network options"))
        })
        .and_then(|transport| {
            let logs = LogWatch::open(&options.logs).map_err(|error| {
                let hint = "--log-file takes a file that the target writes to, a named pipe, or - for standard input";
                Outcome::usage(error.to_string(), Some(hint.into()))
            })?;
            Ok(Arc::new(Door::new(parts(&target, transport, logs, &options, &events))))
        });
    let (door, mut failure) = match opened {
        Ok(door) => (Some(door), None),
        Err(outcome) => (None, Some(outcome)),
    };
    let mut run =
        Run { checks, assessments: Vec::new(), passed: BTreeMap::new(), windows: Vec::new(), failed: BTreeSet::new() };
    let mut surveyed = None;
    let mut stopped = None;
    if let Some(door) = &door {
        let seen = Arc::new(Seen::new(&target));
        let listening = seen.clone();
        door.listen(Box::new(move |recorded, raw| listening.take(recorded, raw)));
        door.keep_looked_up(target.looked_up.iter().flat_map(|looked_up| looked_up.exchanges.iter().cloned()));
        if let Ok(survey) = guard::future(survey(door, &target.inventory, &target.configured)).await {
            run.passive(door, &survey, &seen).await;
            run.active(door, &survey).await;
            run.passive(door, &survey, &seen).await;
            stopped = still_there(door, &survey).await;
            surveyed = Some(survey);
        } else {
            let hint = Some("this is a defect of middlebrick, please report it");
            failure = Some(Outcome::fell_short(Shortfall::Check, "the survey failed by itself", hint));
        }
    }
    let record =
        Recording { target: &target, options: &options, door: door.as_deref(), survey: surveyed.as_ref(), stopped };
    let mut scan = record.scan(run, id, started_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    if let Some(outcome) = failure {
        scan.outcome = outcome;
    }
    scan.duration_ms = started.elapsed().as_millis() as u64;
    match &door {
        Some(door) => door.masked_scan(scan),
        None => scan,
    }
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
        gate: door::Gate::new(&target.inventory, &target.base_path, target.repeatable.clone()),
        identities: Identities::new(target.identities.clone()),
        known: target.known.clone(),
        budget: target.looked_up.as_ref().map_or_else(|| options.budget(), |looked_up| looked_up.budget.clone()),
        seed: options.seed,
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
pub(crate) struct Run<'c> {
    pub(crate) checks: &'c [&'static dyn AnyCheck],
    pub(crate) assessments: Vec<Assessment>,
    pub(crate) passed: BTreeMap<(&'static str, &'static str, Option<String>), BTreeSet<SubjectKey>>,
    /// How long signed requests live, as measured.
    pub(crate) windows: Vec<ReplayWindow>,
    /// Checks that failed by themselves.
    pub(crate) failed: BTreeSet<&'static str>,
}

impl Run<'_> {
    /// Shows what was recorded to the checks that only look.
    async fn passive(&mut self, door: &Arc<Door>, survey: &Survey, seen: &Seen) {
        let waiting = std::mem::take(&mut *seen.waiting.lock().expect("no holder panics"));
        for exchange in waiting {
            let subject = AnySubject::Exchange(exchange);
            for check in self.checks {
                let meta = check.meta();
                let came = match guard::call(|| check.plan(&subject, survey)) {
                    Ok(Some(Ok(_))) => {
                        let session = Session::new(door.clone(), Purpose::Check, meta.id, Requests::NONE);
                        run_guarded(*check, &subject, survey, &session).await
                    }
                    Ok(Some(Err(_)) | None) => continue,
                    Err(guard::Panicked) => Err(Unobserved::Panicked),
                };
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
                let Ok(plan) = guard::call(|| check.plan(subject, survey)) else {
                    self.take(*check, subject, Err(Unobserved::Panicked), door);
                    continue;
                };
                match plan {
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
        if let (Ok(judged), SubjectKey::Identity(identity)) = (&came, &key)
            && let Some((past, future)) = judged.window
        {
            self.windows.push(ReplayWindow { identity: identity.to_string(), past, future });
        }
        let (observation, verdict) = match came {
            Ok(judged) => (Some(judged.observation), judged.verdict),
            Err(Unobserved::NotApplicable(reason)) => (None, Verdict::NotApplicable { reason: reason.into() }),
            Err(Unobserved::Inconclusive(reason)) => (None, Verdict::inconclusive(reason)),
            Err(Unobserved::Interrupted) => (None, Verdict::inconclusive("the scan was stopped")),
            Err(Unobserved::Panicked) => {
                self.failed.insert(meta.id);
                (None, Verdict::inconclusive("the check failed by itself"))
            }
        };
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

/// Asks once more what the survey asked first: how the target stopped responding in between, if it did. A
/// limit is none: checks that disturb may have met it.
async fn still_there(door: &Door, survey: &Survey) -> Option<Trouble> {
    let first = survey.unknown_path.as_ref()?;
    if Trouble::of(&first.answer).is_some_and(|trouble| !matches!(trouble, Trouble::Missing(_))) {
        return None;
    }
    let draft = Draft::anonymous(Request::get(&format!("{}/{}", door.base_path, survey.unknown_word)));
    let last = door.send(&draft, Purpose::Survey, &|| Ok(())).await.ok()?;
    match Trouble::of(&last.recorded.answer) {
        Some(Trouble::Limited(_) | Trouble::Missing(_) | Trouble::Elsewhere(_)) | None => None,
        trouble => trouble,
    }
}

/// Observes and judges; a check that panics says nothing.
async fn run_guarded(
    check: &'static dyn AnyCheck,
    subject: &AnySubject,
    survey: &Survey,
    session: &Session,
) -> Result<crate::check::Judged, Unobserved> {
    // The call that makes the future is guarded too.
    guard::future(async { check.run(subject, survey, session).await }).await.unwrap_or(Err(Unobserved::Panicked))
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
        let judged = run_guarded(check, subject, survey, &session).await?;
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
