//! What is let out: by the mode, by what a request does, and by its bytes.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use inventory::{Inventory, is_of_template};
use model::{Mode, OperationKey, Purpose, Request, Response};

use super::Door;
use crate::check::Unobserved;
use crate::draft::{Draft, Intent};
use crate::edit::apply;
use crate::effect::{self, Effect, NotSent};
use crate::transport::allowed;

/// Tries to sign in as a random user that safe mode allows in one scan.
///
/// **Source**: docs/safety.md.
pub const RANDOM_SIGN_INS: u32 = 10;

/// Server errors in all after which a remote target is left alone.
///
/// **Source**: docs/safety.md; they wake people.
const SERVER_ERRORS_REMOTE: u32 = 20;

/// What the gate knows of the target, and counts.
#[derive(Debug)]
pub(crate) struct Gate {
    base_path: String,
    repeatable: BTreeSet<OperationKey>,
    /// Reading operations that do more by their description, with what they do.
    described: Vec<(OperationKey, Effect)>,
    /// Paths with a word that changes state, of operations that read by their description.
    reading: Vec<String>,
    random_sign_ins: AtomicU32,
    server_errors: AtomicU32,
}

impl Gate {
    pub(crate) fn new(inventory: &Inventory, base_path: &str, repeatable: BTreeSet<OperationKey>) -> Self {
        let described = inventory.operations.iter().filter_map(|operation| {
            let effect = effect::described(operation);
            let key = || OperationKey { method: operation.method.clone(), path: operation.path.clone() };
            (effect > Effect::Reads).then(|| (key(), effect))
        });
        let reading = inventory.operations.iter().filter(|operation| {
            let says = || effect::effect(&Request::new(&operation.method, &operation.path));
            effect::reads_by_description(operation) && says() == Effect::Changes
        });
        Self {
            base_path: base_path.to_owned(),
            described: described.collect(),
            reading: reading.map(|operation| operation.path.clone()).collect(),
            repeatable,
            random_sign_ins: AtomicU32::new(0),
            server_errors: AtomicU32::new(0),
        }
    }

    pub(crate) fn is_repeatable(&self, key: &OperationKey) -> bool {
        self.repeatable.contains(key)
    }

    pub(super) fn learn(&self, response: Option<&Response>) {
        if response.is_some_and(|response| response.status >= 500) {
            self.server_errors.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What a request does: by its method and overrides, by the words of its path below the base path and
    /// of its query, and by what the description says of its operation.
    pub(crate) fn effect(&self, request: &Request, operation: Option<&OperationKey>) -> Effect {
        let below = request.target.strip_prefix(self.base_path.as_str()).unwrap_or(&request.target);
        let below = Request { target: below.to_owned(), ..request.clone() };
        if operation.is_some_and(|key| self.is_repeated(key, &below)) {
            return Effect::Reads;
        }
        let by_bytes = match effect::effect(&below) {
            Effect::Changes if self.is_reading(&below) => Effect::Reads,
            other => other,
        };
        by_bytes.max(self.described(&below, operation))
    }

    /// True if it is the path alone that says that a request changes state, and the path is that of an
    /// operation that reads by its description.
    fn is_reading(&self, below: &Request) -> bool {
        let query = Request { target: format!("/?{}", below.query().unwrap_or_default()), ..below.clone() };
        effect::effect(&query) == Effect::Reads
            && self.reading.iter().any(|template| is_of_template(template, below.path()))
    }

    /// True if the user lets the operation be sent, and the request does nothing that its operation does
    /// not: no override names another method, and its path says no more than the template.
    fn is_repeated(&self, key: &OperationKey, below: &Request) -> bool {
        let says = |path: &str| effect::effect(&Request::get(path));
        self.repeatable.contains(key)
            && key.method == below.method
            && effect::overridden(below) <= Effect::Reads
            && says(below.path()) <= says(&key.path)
    }

    fn described(&self, below: &Request, operation: Option<&OperationKey>) -> Effect {
        if !matches!(below.method.as_str(), "GET" | "HEAD" | "QUERY") {
            return Effect::Reads;
        }
        let concerned = self.described.iter().filter(|(key, _)| {
            Some(key) == operation || is_of_template(key.path.trim_end_matches('/'), below.path().trim_end_matches('/'))
        });
        concerned
            .filter(|(key, _)| !self.repeatable.contains(key))
            .map(|(_, effect)| *effect)
            .max()
            .unwrap_or(Effect::Reads)
    }
}

impl Door {
    /// What a draft does, its edits in place.
    pub(super) fn effect_of(&self, draft: &Draft) -> Effect {
        if draft.intent == Intent::RandomSignIn {
            return Effect::SignsIn;
        }
        let mut request = draft.request.clone();
        apply(&draft.after_signing, &mut request, None, None);
        self.gate.effect(&request, draft.operation.as_ref())
    }

    /// Whether the mode lets a request of an operation out.
    pub(crate) fn may_send(&self, request: &Request, operation: Option<&OperationKey>) -> Result<Effect, NotSent> {
        let effect = self.gate.effect(request, operation);
        effect::permit(self.limits.mode, effect).map(|()| effect)
    }

    /// Whether checks may send anything.
    pub(super) fn permit_checks(&self) -> Result<(), Unobserved> {
        match self.limits.mode {
            Mode::Description => Err(Unobserved::Inconclusive("description mode sends nothing".into())),
            Mode::Passive => Err(Unobserved::Inconclusive("passive mode sends nothing for checks".into())),
            Mode::Safe | Mode::Active | Mode::Destructive => Ok(()),
        }
    }

    /// Whether the mode and what was seen so far let a draft out.
    pub(super) fn permit(&self, draft: &Draft, purpose: Purpose) -> Result<(), Unobserved> {
        let refuse = |why: &'static str| Err(Unobserved::Inconclusive(why.into()));
        let effect = match purpose {
            Purpose::Description => Effect::Reads,
            Purpose::SignIn => Effect::SignsIn,
            Purpose::Survey | Purpose::Check => self.effect_of(draft),
        };
        effect::permit(self.limits.mode, effect)
            .map_err(|not_sent| Unobserved::Inconclusive(not_sent.reason.into()))?;
        if draft.request.method == "TRACE" && draft.carries_credentials() {
            return refuse("TRACE is sent without credentials only");
        }
        if purpose == Purpose::Check {
            self.permit_checks()?;
            self.permit_again(draft)?;
        }
        if draft.intent == Intent::RandomSignIn
            && self.limits.mode <= Mode::Safe
            && self.gate.random_sign_ins.fetch_add(1, Ordering::Relaxed) >= RANDOM_SIGN_INS
        {
            return refuse("the tries to sign in as a random user are used up");
        }
        let errors = self.gate.server_errors.load(Ordering::Relaxed);
        if purpose == Purpose::Check && !self.loopback() && errors >= SERVER_ERRORS_REMOTE {
            return refuse("the target answered with too many server errors and is left alone");
        }
        Ok(())
    }

    /// Whether checks may call what the survey has called: each call may cost money, or take something away.
    /// A refusal of a request without credentials does neither, where others are let in.
    fn permit_again(&self, draft: &Draft) -> Result<(), Unobserved> {
        let path = draft.request.path();
        let below = path.strip_prefix(&*self.base_path).unwrap_or(path);
        let is_costly = effect::is_metered(below) || effect::reads_once(below);
        let is_repeatable = draft.operation.as_ref().is_some_and(|key| self.gate.is_repeatable(key));
        let is_own = draft.carries_credentials() || self.identities.iter().next().is_none();
        if is_costly && is_own && !is_repeatable {
            let why =
                "each call may cost money or take something away: an entry under `repeatable` lets checks call it";
            return Err(Unobserved::NotApplicable(why.into()));
        }
        Ok(())
    }

    /// Whether the bytes of a finished request are those of one request, and of the method that was judged:
    /// credentials, signature and common headers add none.
    pub(super) fn permit_bytes(&self, draft: &Draft, request: &Request) -> Result<(), Unobserved> {
        if let Some(why) = allowed::refusal(request) {
            return Err(Unobserved::Inconclusive(format!("the request is not sent: {why}").into()));
        }
        let mut judged = draft.request.clone();
        apply(&draft.after_signing, &mut judged, None, None);
        if request.method != judged.method || effect::overridden(request) > effect::overridden(&judged) {
            return Err(Unobserved::Inconclusive("the request is not sent: a header names another method".into()));
        }
        Ok(())
    }
}
