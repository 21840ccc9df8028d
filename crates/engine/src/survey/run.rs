//! How the survey goes about it: sign in, find a working request per operation, then find out which
//! credentials matter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt;
use futures_util::stream;
use inventory::{Inventory, ParameterLocation, is_of_template};
use model::{OperationKey, Purpose, Recorded, Request, Response, SigningMode};
use tokio::time::Instant;

use super::fill::{ConfiguredValues, Learnt, Sources};
use super::harvest::Harvest;
use super::repair::complaints;
use super::{Baseline, Protection, Reach, Survey, SurveyedIdentity, SurveyedOperation, protection};
use crate::check::Unobserved;
use crate::controls::{self, Sameness, Standing, standing};
use crate::door::{Door, Sent};
use crate::draft::{Authenticate, Draft};
use crate::effect::{self, Effect};
use crate::event::{Event, Phase};
use crate::identities::Live;

/// Requests for one operation and identity before it counts as unreachable.
///
/// **Source**: chosen; three candidate ids, each repaired once or twice.
const ATTEMPTS: usize = 6;

/// Share of the scan's requests and time that the survey may take.
///
/// **Source**: docs/safety.md.
const SHARE_OF_BUDGET: f64 = 0.4;

/// Operations that are tried to find one that refuses a request without credentials.
///
/// **Source**: chosen.
const CANARIES: usize = 6;

/// What the user says of the API.
#[derive(Clone, Debug, Default)]
pub struct Configured {
    /// Values for parameters.
    pub values: ConfiguredValues,
    /// Operations that are open by design.
    pub public: BTreeSet<OperationKey>,
    /// Operations whose objects everyone may read.
    pub shared: BTreeSet<OperationKey>,
}

struct Surveying<'a> {
    door: &'a Arc<Door>,
    inventory: &'a Arc<Inventory>,
    configured: &'a Configured,
    harvest: Mutex<Harvest>,
    unknown: Option<Sent>,
    most_requests: u32,
    until: Instant,
}

/// Finds out what works, for whom. Also returns how each identity came out of signing in.
pub(crate) async fn survey(door: &Arc<Door>, inventory: &Arc<Inventory>, configured: &Configured) -> Survey {
    door.events.event(Event::Phase(Phase::SignIn));
    let mut failures = BTreeMap::new();
    for live in door.identities.iter() {
        if let Err(why) = door.sign_in(live).await {
            failures.insert(live.name.clone(), why);
        }
    }
    door.events.event(Event::Phase(Phase::Survey));
    let unknown_word = format!("mb-{:08x}", door.seed as u32 ^ (door.seed >> 32) as u32);
    let unknown_request = Request::get(&format!("{}/{unknown_word}", door.base_path));
    let unknown = door.recall(&Draft::anonymous(unknown_request), Purpose::Survey, &|| Ok(())).await.ok();
    let budget = &door.limits;
    let surveying = Surveying {
        door,
        inventory,
        configured,
        harvest: Mutex::default(),
        unknown: unknown.clone(),
        most_requests: (f64::from(budget.max_requests) * SHARE_OF_BUDGET) as u32,
        until: door.started + budget.budget.mul_f64(SHARE_OF_BUDGET),
    };
    let lives: Vec<&Arc<Live>> = door.identities.iter().filter(|l| !failures.contains_key(&l.name)).collect();
    let mut operations: Vec<SurveyedOperation> = Vec::new();
    // Lists come before the objects in them, so that ids are known when they are needed.
    let depth = |operation: &inventory::Operation| {
        operation.parameters.iter().filter(|p| p.location == ParameterLocation::Path).count()
    };
    let deepest = inventory.operations.iter().map(|o| depth(o)).max().unwrap_or_default();
    for layer in 0..=deepest {
        let of_layer = inventory.operations.iter().filter(|o| depth(o) == layer);
        let surveyed: Vec<SurveyedOperation> = stream::iter(of_layer.map(|o| surveying.operation(o, &lives)))
            .buffer_unordered(door.limits.concurrency)
            .collect()
            .await;
        operations.extend(surveyed);
    }
    operations.sort_by_key(|o| o.operation.index);
    let mut identities = Vec::new();
    for live in door.identities.iter() {
        let failure = failures.get(&live.name);
        identities.push(Arc::new(surveying.identity(live, failure, &operations).await));
    }
    let signed_in = lives.iter().filter_map(|live| surveying.operation_of(&live.identity.login.as_ref()?.request));
    let signed_in = signed_in.collect();
    Survey {
        signed_in,
        inventory: inventory.clone(),
        origin: door.origin.clone(),
        base_path: door.base_path.clone(),
        mode: door.limits.mode,
        identities,
        operations: operations.into_iter().map(Arc::new).collect(),
        unknown_path: unknown.map(|s| s.recorded),
        unknown_word,
        has_log: !door.logs.is_empty(),
        resources: surveying.harvest.into_inner().expect("no holder panics").into_resources(),
    }
}

/// Why there is no baseline.
enum NoBaseline {
    /// The mode keeps every request back that could be built.
    KeptBack(String),
    /// Nothing was sent, and why.
    Unsent(String),
}

impl Surveying<'_> {
    async fn operation(&self, operation: &Arc<inventory::Operation>, lives: &[&Arc<Live>]) -> SurveyedOperation {
        let key = OperationKey { method: operation.method.clone(), path: operation.path.clone() };
        let protection = if self.configured.public.contains(&key) { Protection::Public } else { protection(operation) };
        let mut surveyed = SurveyedOperation {
            operation: operation.clone(),
            protection,
            shared: self.configured.shared.contains(&key),
            repeatable: self.door.gate.is_repeatable(&key),
            reach: Reach::Unreachable(String::new()),
            baselines: Vec::new(),
            key,
        };
        let template = Request::new(&operation.method, &format!("{}{}", self.door.base_path, operation.path));
        if let Err(reason) = self.may_send(&surveyed.key, &template) {
            surveyed.reach = Reach::SetAside(reason);
            return surveyed;
        }
        let can_send =
            |live: &&Arc<Live>| live.sample().is_none_or(|s| self.operation_of(s).as_ref() == Some(&surveyed.key));
        let able: Vec<Option<&Arc<Live>>> = lives.iter().copied().filter(can_send).map(Some).collect();
        if able.is_empty() && !lives.is_empty() {
            surveyed.reach = Reach::SetAside("the captured request is of another operation".into());
            return surveyed;
        }
        let who = if lives.is_empty() { vec![None] } else { able };
        let (mut reasons, mut kept_back) = (Vec::new(), Vec::new());
        let mut working: Option<Request> = None;
        for live in who {
            match self.baseline(operation, &surveyed.key, live, working.as_ref()).await {
                Ok((baseline, why)) => {
                    if baseline.standing == Standing::Works {
                        working.get_or_insert(baseline.request.clone());
                    } else {
                        reasons.push(why);
                    }
                    surveyed.baselines.push(baseline);
                }
                Err(NoBaseline::KeptBack(why)) => kept_back.push(why),
                Err(NoBaseline::Unsent(why)) => reasons.push(why),
            }
        }
        surveyed.baselines.sort_by_key(|b| b.standing != Standing::Works);
        let refused =
            !surveyed.baselines.is_empty() && surveyed.baselines.iter().all(|b| b.standing == Standing::Refused);
        let gone = !surveyed.baselines.is_empty() && surveyed.baselines.iter().all(|b| b.standing == Standing::Missing);
        surveyed.reach = match () {
            () if working.is_some() => Reach::Working,
            () if surveyed.baselines.is_empty() && reasons.is_empty() && !kept_back.is_empty() => {
                Reach::SetAside(kept_back.swap_remove(0))
            }
            () if gone && operation.deprecated => Reach::SetAside("it is deprecated and closed".into()),
            () if refused && !lives.is_empty() => Reach::Refused,
            () if refused => Reach::Unreachable("it needs credentials".into()),
            () => Reach::Unreachable(reasons.into_iter().next().unwrap_or_else(|| "it was not tried".into())),
        };
        surveyed
    }

    fn may_send(&self, key: &OperationKey, request: &Request) -> Result<(), String> {
        let effect = self.door.may_send(request, Some(key)).map_err(|not_sent| not_sent.reason.to_owned())?;
        // Nothing but reading is sent blindly: objects of other people are not the survey's to change.
        if effect >= Effect::Writes {
            return Err(effect::WRITES.to_owned());
        }
        Ok(())
    }

    /// Tries to get a working answer for one identity. Also returns why the last answer is none.
    async fn baseline(
        &self,
        operation: &inventory::Operation,
        key: &OperationKey,
        live: Option<&Arc<Live>>,
        working: Option<&Request>,
    ) -> Result<(Baseline, String), NoBaseline> {
        let mut learnt = Learnt::default();
        let mut kept_back = None;
        let mut tried: Vec<Request> = Vec::new();
        let mut last: Option<(Request, Sent, Standing)> = None;
        let mut candidate = 0;
        for attempt in 0..ATTEMPTS {
            if self.door.requests() >= self.most_requests || Instant::now() >= self.until {
                return last
                    .map(|l| self.done(live, l, None))
                    .ok_or_else(|| NoBaseline::Unsent("the survey's share of the budget is used up".into()));
            }
            let request = match (live.and_then(|live| live.sample()), working) {
                (Some(sample), _) => sample.clone(),
                (None, Some(request)) if attempt == 0 => request.clone(),
                (None, Some(_) | None) => {
                    let harvest = self.harvest.lock().expect("no holder panics");
                    let sources = Sources {
                        inventory: self.inventory,
                        base_path: &self.door.base_path,
                        configured: &self.configured.values,
                        harvest: &harvest,
                        identity: live.map(|l| &*l.name),
                    };
                    sources.request(operation, &learnt, candidate)
                }
            };
            if tried.contains(&request) {
                candidate += 1;
                if candidate > ATTEMPTS {
                    break;
                }
                continue;
            }
            tried.push(request.clone());
            if let Err(reason) = self.may_send(key, &request) {
                kept_back = Some(NoBaseline::KeptBack(reason));
                candidate += 1;
                continue;
            }
            let draft = Baseline::of(live, request.clone()).for_operation(key);
            let sent = match self.door.recall(&draft, Purpose::Survey, &|| Ok(())).await {
                Ok(sent) => sent,
                Err(Unobserved::Inconclusive(why) | Unobserved::NotApplicable(why)) => {
                    return Err(NoBaseline::Unsent(why.into_owned()));
                }
                Err(Unobserved::Interrupted) => return Err(NoBaseline::Unsent("the scan was stopped".into())),
                Err(Unobserved::Panicked) => return Err(NoBaseline::Unsent("the survey failed by itself".into())),
            };
            let standing = self.standing(&sent);
            let raw = sent.raw.clone();
            last = Some((request, sent, standing));
            match standing {
                Standing::Works => {
                    let repeated = self.repeat(&draft, key).await;
                    if let Some(body) = raw.as_ref().and_then(|r| r.json()) {
                        self.harvest.lock().expect("no holder panics").take(&key.path, &body, live.map(|l| &l.name));
                    }
                    let last = last.take().expect("set above");
                    return Ok(self.done(live, last, repeated));
                }
                Standing::Invalid => {
                    let complaints = raw.as_ref().map(|r| complaints(r)).unwrap_or_default();
                    if !learnt.heed(operation, &complaints) {
                        candidate += 1;
                    }
                }
                Standing::Missing | Standing::Failed => candidate += 1,
                Standing::Refused | Standing::Limited | Standing::Redirected | Standing::Unclear => break,
            }
        }
        let none = || kept_back.unwrap_or_else(|| NoBaseline::Unsent("no request could be built".into()));
        last.map(|l| self.done(live, l, None)).ok_or_else(none)
    }

    /// How an answer is to be read; one that a path which cannot exist gets too is none.
    fn standing(&self, sent: &Sent) -> Standing {
        let Some(response) = sent.raw.as_deref() else { return Standing::Failed };
        let unknown = self.unknown.as_ref().and_then(|u| u.raw.as_deref());
        match standing(response) {
            Standing::Works if unknown.is_some_and(|u| same_answer(u, response)) => Standing::Unclear,
            other => other,
        }
    }

    async fn repeat(&self, draft: &Draft, key: &OperationKey) -> Option<Recorded> {
        let is_costly = effect::reads_once(&key.path) || effect::is_metered(&key.path);
        if is_costly && !self.door.gate.is_repeatable(key) {
            return None;
        }
        if self.door.gate.effect(&draft.request, Some(key)) != Effect::Reads {
            return None;
        }
        self.door.send(draft, Purpose::Survey, &|| Ok(())).await.ok().map(|s| s.recorded)
    }

    fn done(
        &self,
        live: Option<&Arc<Live>>,
        last: (Request, Sent, Standing),
        repeated: Option<Recorded>,
    ) -> (Baseline, String) {
        let (request, sent, standing) = last;
        let why = reason(&sent, standing);
        let volatile = match (sent.recorded.response(), repeated.as_ref().and_then(|r| r.response())) {
            // A refusal of the second one is no other content.
            (Some(first), Some(second)) if controls::standing(first) == controls::standing(second) => {
                controls::volatile(first, second)
            }
            _ => BTreeSet::new(),
        };
        let identity = live.map(|l| l.name.clone());
        (Baseline { identity, request, exchange: sent.recorded, standing, repeated, volatile }, why)
    }

    /// Finds out which credentials matter, and an operation that shows whether they still work.
    async fn identity(
        &self,
        live: &Arc<Live>,
        failure: Option<&String>,
        operations: &[SurveyedOperation],
    ) -> SurveyedIdentity {
        let mut surveyed = SurveyedIdentity {
            name: live.name.clone(),
            role: live.identity.role.clone(),
            tenant: live.identity.tenant.clone(),
            places: Vec::new(),
            signs: live.identity.signer.is_some(),
            mode: match (&live.identity.signer, live.sample()) {
                (None, _) => SigningMode::None,
                (Some(_), Some(_)) => SigningMode::Sample,
                (Some(_), None) => SigningMode::Secret,
            },
            signed: live.identity.signer.as_ref().and_then(|s| s.places()),
            is_monotone: live.identity.signer.as_ref().is_some_and(|s| s.is_monotone()),
            has_revoked_key: live.identity.revoked_key.is_some(),
            signer: live.identity.signer.clone(),
            alive: false,
            note: String::new(),
            canary: None,
        };
        let places = || live.generation().credentials.iter().map(|c| c.place.clone()).collect::<Vec<_>>();
        surveyed.places = places();
        if let Some(why) = live.sample().and_then(|sample| self.why_unusable(sample, live, operations)) {
            surveyed.note = why;
            return surveyed;
        }
        if let Some(failure) = failure {
            surveyed.note = failure.clone();
            return surveyed;
        }
        let own: Vec<(&SurveyedOperation, &Baseline)> =
            operations.iter().filter_map(|o| Some((o, o.baseline_of(&live.name)?))).collect();
        let mut works: Vec<_> = own.iter().filter(|(_, b)| b.standing == Standing::Works).copied().collect();
        works.sort_by_key(|(o, _)| {
            let declared = o.protection == Protection::Declared;
            (!declared, !o.is_reading(), o.operation.parameters.len(), o.operation.index)
        });
        for (operation, baseline) in works.iter().take(CANARIES) {
            let draft = baseline.draft(&operation.key);
            let without = self.accepted(&draft.clone().without_credentials(), baseline).await;
            if without != Some(false) {
                continue;
            }
            surveyed.canary = Some(operation.key.clone());
            surveyed.alive = true;
            surveyed.note = format!("{} answers it and refuses a request without credentials", operation.key);
            if surveyed.places.len() > 1 {
                let mut needed = Vec::new();
                for position in 0..surveyed.places.len() {
                    let dropping = draft.clone().authenticate(Authenticate::Dropping(position));
                    if self.accepted(&dropping, baseline).await == Some(false) {
                        needed.push(position);
                    }
                }
                if !needed.is_empty() {
                    live.keep_only(&needed);
                    surveyed.places = places();
                }
            }
            self.learn_replays(live, &surveyed, &draft).await;
            _ = live.canary.set(draft);
            return surveyed;
        }
        let declared = operations.iter().any(|o| o.protection == Protection::Declared);
        let works_protected = works.iter().any(|(o, _)| o.protection == Protection::Declared);
        let refused = own.iter().filter(|(_, b)| b.standing == Standing::Refused).count();
        (surveyed.alive, surveyed.note) = match () {
            () if works.is_empty() && refused > 0 => {
                (false, format!("refused by {refused} operations, answered by none"))
            }
            () if works.is_empty() => (false, "no operation answered it".into()),
            () if works_protected => (true, "protected operations answer it, and without credentials too".into()),
            () if declared && refused > 0 => (false, "every protected operation refuses it".into()),
            () if refused > 0 => (false, "operations that refuse it answer nobody; the others answer everybody".into()),
            () => (true, "no operation asks for credentials".into()),
        };
        if let (Some((operation, baseline)), true) = (works.first(), surveyed.alive) {
            _ = live.canary.set(baseline.draft(&operation.key));
        }
        surveyed
    }

    /// Finds out whether the server refuses a signature that it has seen, where equal requests of one
    /// second carry the same.
    async fn learn_replays(&self, live: &Live, surveyed: &SurveyedIdentity, draft: &Draft) {
        let (Some(signer), Some(places)) = (&live.identity.signer, &surveyed.signed) else { return };
        let path = draft.request.path();
        if !live.signatures.matter(&**signer, places) || effect::reads_once(path) || effect::is_metered(path) {
            return;
        }
        let frozen = draft.clone().frozen(self.door.stamp(draft).await);
        let mut works = [false; 2];
        for works in &mut works {
            let Ok(sent) = self.door.send(&frozen, Purpose::Survey, &|| Ok(())).await else { return };
            let Some(response) = sent.recorded.response() else { return };
            *works = match standing(response) {
                Standing::Works => true,
                Standing::Refused | Standing::Invalid => false,
                Standing::Missing | Standing::Limited | Standing::Failed => return,
                Standing::Redirected | Standing::Unclear => return,
            };
        }
        if let [true, second] = works {
            live.signatures.learn(!second);
        }
    }

    /// The operation of a captured request: its method and the path template with the most fixed segments.
    fn operation_of(&self, sample: &Request) -> Option<OperationKey> {
        let path = sample.path().strip_prefix(self.door.base_path.as_str())?;
        let fits =
            self.inventory.operations.iter().filter(|o| o.method == sample.method && is_of_template(&o.path, path));
        let fixed = |template: &str| template.split('/').filter(|segment| !segment.contains('{')).count();
        let operation = fits.max_by_key(|o| fixed(&o.path))?;
        Some(OperationKey { method: operation.method.clone(), path: operation.path.clone() })
    }

    /// Why a captured request is of no use, if it is of none.
    fn why_unusable(&self, sample: &Request, live: &Live, operations: &[SurveyedOperation]) -> Option<String> {
        let Some(key) = self.operation_of(sample) else {
            return Some("no operation of the description has the sample's method and path".into());
        };
        let operation = operations.iter().find(|o| o.key == key)?;
        if let Reach::SetAside(why) = &operation.reach {
            return Some(format!("the sample is of {key}, which is not sent ({why})"));
        }
        let Some(baseline) = operation.baseline_of(&live.name) else {
            return Some(format!("the sample of {key} was not sent"));
        };
        if baseline.standing != Standing::Works {
            let status = baseline.exchange.status().map(|s| format!(" ({s})")).unwrap_or_default();
            return Some(format!("the sample was refused{status}: capture a fresh one"));
        }
        let again = baseline.repeated.as_ref().and_then(|repeated| repeated.response()).map(standing);
        (again.is_some() && again != Some(Standing::Works)).then(|| {
            "the sample works once only, what it carries is remembered: give the secret under `signing:`".to_owned()
        })
    }

    /// Whether a request is still accepted; `None` where that cannot be told.
    async fn accepted(&self, draft: &Draft, baseline: &Baseline) -> Option<bool> {
        let sent = self.door.recall(draft, Purpose::Survey, &|| Ok(())).await.ok()?;
        let (answer, works) = (sent.recorded.response()?, baseline.exchange.response()?);
        match standing(answer) {
            Standing::Works => (controls::content(answer, works, &baseline.volatile) == Sameness::Same).then_some(true),
            Standing::Refused | Standing::Invalid | Standing::Missing => Some(false),
            Standing::Redirected | Standing::Limited | Standing::Failed | Standing::Unclear => None,
        }
    }
}

impl Baseline {
    fn of(live: Option<&Arc<Live>>, request: Request) -> Draft {
        match live {
            Some(live) => Draft::of(&live.name, request),
            None => Draft::anonymous(request),
        }
    }
}

/// True if two answers are the same page: equal bodies, or equal forms of an echo that repeats the
/// path.
fn same_answer(a: &Response, b: &Response) -> bool {
    if a.status != b.status || a.media_type() != b.media_type() {
        return false;
    }
    if a.body == b.body {
        return true;
    }
    let (Some(x), Some(y)) = (a.json(), b.json()) else {
        return !a.media_type().contains("json")
            && a.body.len().abs_diff(b.body.len()) * 20 <= a.body.len().max(b.body.len());
    };
    // An envelope around everything says by its code, and by what it holds, what it stands for.
    if controls::form(a).code != controls::form(b).code {
        return false;
    }
    // Two different things of one API rarely have the very same members, an echo always has.
    let members = |v: &serde_json::Value| {
        let fields = v.as_object()?.iter();
        Some(fields.map(|(name, value)| (name.clone(), value.is_null())).collect::<BTreeSet<_>>())
    };
    members(&x).is_some_and(|m| !m.is_empty() && members(&y) == Some(m))
}

/// Why an answer is no working one, in words.
fn reason(sent: &Sent, standing: Standing) -> String {
    let status = sent.recorded.status().unwrap_or_default();
    match (&sent.recorded.answer, standing) {
        (model::Answer::Error(error), _) => error.to_string(),
        (_, Standing::Works) => String::new(),
        (_, Standing::Refused) => format!("refused ({status})"),
        (_, Standing::Missing) => format!("no working id found ({status}); set one under `values:`"),
        (_, Standing::Invalid) => format!("no accepted values found ({status}); set them under `values:`"),
        (_, Standing::Limited) => format!("too many requests ({status})"),
        (_, Standing::Failed) => format!("the server fails ({status})"),
        (_, Standing::Redirected) => format!("redirected elsewhere ({status})"),
        (_, Standing::Unclear) if (200..300).contains(&status) => {
            "a path that cannot exist gets the same answer".into()
        }
        (_, Standing::Unclear) => format!("an answer that fits no class ({status})"),
    }
}
