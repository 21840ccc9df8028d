//! The one way out: every byte that a scan sends to its target passes here.
//!
//! In this order: what the request does and whether the mode lets it out (`gate`), budget and pace,
//! credentials, signature and edits (`outgoing`), whether its bytes are those of one request (`gate`),
//! sending, masking, recording.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};

use model::{Answer, Exchange, KnownSecret, Origin, Purpose, Recorded, Response, Scan};
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::budget::{Budget, Limits};
use crate::check::Unobserved;
use crate::draft::{Authenticate, Draft};
use crate::effect::Effect;
use crate::event::{Event, Events};
use crate::identities::{Identities, Live, extract};
use crate::logs::LogWatch;
use crate::mask::Held;
use crate::transport::{HandshakeAnswer, Hello, Transport};

mod gate;
mod masking;
mod outgoing;

pub(crate) use gate::Gate;
pub use gate::RANDOM_SIGN_INS;
use masking::Masking;
use outgoing::Finished;
pub use outgoing::Prepared;

/// What came of sending a draft: the masked record, and the response as it came.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) recorded: Recorded,
    pub(crate) raw: Option<Arc<Response>>,
}

/// Takes every exchange as it is recorded, with the response as it came.
pub(crate) type Listener = dyn Fn(&Recorded, Option<&Arc<Response>>) + Send + Sync;

/// Everything that sessions share.
pub(crate) struct Door {
    pub(crate) transport: Transport,
    pub(crate) origin: Origin,
    pub(crate) base_path: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Headers of identities that turned out to be no credentials.
    pub(crate) learnt_headers: Mutex<Vec<(String, String)>>,
    pub(crate) gate: Gate,
    pub(crate) identities: Identities,
    pub(crate) budget: Arc<Budget>,
    pub(crate) limits: Limits,
    pub(crate) seed: u64,
    pub(crate) started: Instant,
    pub(crate) events: Arc<dyn Events>,
    pub(crate) logs: LogWatch,
    masking: Masking,
    held: Held,
    exchanges: Mutex<Vec<Arc<Exchange>>>,
    remembered: Mutex<HashMap<Draft, Arc<OnceCell<Sent>>>>,
    listener: RwLock<Option<Box<Listener>>>,
}

/// What a [`Door`] is made of.
pub(crate) struct DoorParts {
    pub(crate) transport: Transport,
    pub(crate) origin: Origin,
    pub(crate) base_path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) gate: Gate,
    pub(crate) identities: Identities,
    /// What is secret besides the credentials of the identities.
    pub(crate) known: Vec<KnownSecret>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) seed: u64,
    pub(crate) events: Arc<dyn Events>,
    pub(crate) logs: LogWatch,
}

impl Door {
    pub(crate) fn new(parts: DoorParts) -> Self {
        Self {
            masking: Masking::new(parts.seed, &parts.identities, &parts.known),
            held: Held::default(),
            exchanges: Mutex::default(),
            remembered: Mutex::default(),
            listener: RwLock::default(),
            started: parts.budget.started,
            limits: parts.budget.limits.clone(),
            budget: parts.budget,
            gate: parts.gate,
            transport: parts.transport,
            origin: parts.origin,
            base_path: parts.base_path,
            headers: parts.headers,
            learnt_headers: Mutex::default(),
            identities: parts.identities,
            seed: parts.seed,
            events: parts.events,
            logs: parts.logs,
        }
    }

    /// Masks a value in everything that is recorded from here on.
    pub(crate) fn mask(&self, secret: &str, label: &str) {
        self.masking.add(secret, label);
    }

    /// Masks a value that a check made up; commands that people run may show it.
    pub(crate) fn mask_made_up(&self, value: &str, label: &str) {
        self.masking.add_made_up(value, label);
    }

    /// A text that did not come over HTTP, with credentials and other people's secrets masked.
    pub(crate) fn masked(&self, text: &str) -> String {
        self.masking.text(text)
    }

    /// Sends headers of an identity that are no credentials with anonymous requests too, unless another
    /// identity has others. What was learnt of requests with changed credentials is forgotten.
    pub(crate) fn learn_headers(&self, live: &Live) {
        let own = live.headers.lock().expect("no holder panics").clone();
        let mut learnt = self.learnt_headers.lock().expect("no holder panics");
        for (name, value) in own {
            if !learnt.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                learnt.push((name, value));
            }
        }
        let mut remembered = self.remembered.lock().expect("no holder panics");
        remembered.retain(|draft, _| draft.authenticate == Authenticate::Own && draft.identity.is_some());
    }

    /// Names of headers that go with every request and are no credentials.
    pub(crate) fn plain_headers(&self) -> Vec<String> {
        let learnt = self.learnt_headers.lock().expect("no holder panics");
        self.headers.iter().chain(learnt.iter()).map(|(name, _)| name.clone()).collect()
    }

    /// Masks credentials in facts and words of a check.
    pub(crate) fn mask_value(&self, value: &mut Value) {
        self.masking.value(value);
    }

    /// The record of a scan with credentials masked wherever they stand in it.
    pub(crate) fn masked_scan(&self, scan: Scan) -> Scan {
        self.masking.scan(scan)
    }

    /// True if the text holds a credential of the scan.
    pub(crate) fn knows(&self, text: &str) -> bool {
        self.masking.knows(text)
    }

    pub(crate) fn listen(&self, listener: Box<Listener>) {
        *self.listener.write().expect("no holder panics") = Some(listener);
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.budget.is_interrupted()
    }

    pub(crate) fn requests(&self) -> u32 {
        self.budget.requests()
    }

    pub(crate) fn exchanges(&self) -> Vec<Arc<Exchange>> {
        self.exchanges.lock().expect("no holder panics").clone()
    }

    /// Records what the look-up of the description sent before there was a door.
    pub(crate) fn keep_looked_up(&self, looked_up: impl Iterator<Item = Exchange>) {
        for exchange in looked_up {
            self.keep(exchange);
        }
    }

    pub(crate) fn loopback(&self) -> bool {
        self.origin.is_loopback()
    }

    /// Sends a draft. `allowance` is asked once; sending again because the target asked to slow down
    /// counts for the scan, not for the check.
    pub(crate) async fn send(
        &self,
        draft: &Draft,
        purpose: Purpose,
        allowance: &(dyn Fn() -> Result<(), Unobserved> + Send + Sync),
    ) -> Result<Sent, Unobserved> {
        self.permit(draft, purpose)?;
        let live = match &draft.identity {
            Some(name) => Some(
                self.identities
                    .by_name(name)
                    .ok_or_else(|| Unobserved::Inconclusive(format!("there is no identity `{name}`").into()))?,
            ),
            None => None,
        };
        let mut again = false;
        allowance()?;
        loop {
            let turn = self.budget.turn(draft.operation.as_ref(), draft.burst).await?;
            let ordered = match live {
                Some(live) if live.identity.signer.as_ref().is_some_and(|s| s.is_monotone()) => {
                    Some(live.turn.lock().await)
                }
                _ => None,
            };
            let finished = self.finish(draft, live.map(Arc::as_ref)).await;
            let request = &finished.request;
            self.permit_bytes(draft, request)?;
            let origin = request.origin.clone().unwrap_or_else(|| self.origin.clone());
            let started_ms = self.started.elapsed().as_millis() as u64;
            let reads = self.effect_of(draft) <= Effect::SignsIn;
            let exchange = self.transport.exchange(&origin, request, draft.carries_credentials());
            let received = tokio::select! {
                received = exchange => received,
                () = self.budget.stopped(), if reads => return Err(Unobserved::Interrupted),
            };
            drop((ordered, turn));
            let response = match &received.answer {
                Answer::Response(response) => Some(response),
                Answer::Error(_) => None,
            };
            let slow_down =
                !draft.burst && self.budget.pace.learn(draft.operation.as_ref(), response, received.duration);
            self.gate.learn(response);
            let dropped = matches!(&received.answer, Answer::Error(e) if e.kind == model::TransportErrorKind::Closed);
            if !reads {
                self.remembered.lock().expect("no holder panics").clear();
            }
            let sent = self.record(draft, purpose, finished, received, started_ms);
            // Sent again, a frozen request would be its own replay.
            if draft.frozen.is_some() {
                return Ok(sent);
            }
            // A kept-alive connection that the server closed meanwhile says nothing of the request.
            if slow_down {
                continue;
            }
            if dropped && reads && !again {
                again = true;
                continue;
            }
            return Ok(sent);
        }
    }

    /// Sends a draft, or returns what came of an equal one.
    pub(crate) async fn recall(
        &self,
        draft: &Draft,
        purpose: Purpose,
        allowance: &(dyn Fn() -> Result<(), Unobserved> + Send + Sync),
    ) -> Result<Sent, Unobserved> {
        let cell = self.remembered.lock().expect("no holder panics").entry(draft.clone()).or_default().clone();
        cell.get_or_try_init(|| self.send(draft, purpose, allowance)).await.cloned()
    }

    fn record(
        &self,
        draft: &Draft,
        purpose: Purpose,
        finished: Finished,
        mut received: crate::transport::Received,
        started_ms: u64,
    ) -> Sent {
        let raw = match &mut received.answer {
            Answer::Response(response) => {
                self.held.bound(response);
                Some(Arc::new(response.clone()))
            }
            Answer::Error(_) => None,
        };
        let exchange = Exchange {
            id: 0,
            purpose,
            identity: draft.carries_credentials().then(|| draft.identity.as_deref().unwrap_or_default().to_owned()),
            operation: draft.operation.clone(),
            request: finished.request,
            signed_as: finished.signed_as.map(Box::new),
            answer: received.answer,
            started_ms,
            duration_ms: received.duration.as_millis() as u64,
            connection: received.connection,
        };
        let identity = draft.identity.as_deref().unwrap_or_default();
        let recorded = self.keep(self.masking.without_signatures(exchange, identity, &finished.signatures));
        if let Some(listener) = self.listener.read().expect("no holder panics").as_ref() {
            listener(&recorded, raw.as_ref());
        }
        self.events.event(Event::Sent { total: self.requests() });
        Sent { recorded, raw }
    }

    /// Records an exchange, masked, under the next id.
    fn keep(&self, exchange: Exchange) -> Recorded {
        let mut exchange = self.masking.exchange(exchange);
        let mut exchanges = self.exchanges.lock().expect("no holder panics");
        exchange.id = u32::try_from(exchanges.len() + 1).unwrap_or(u32::MAX);
        let exchange = Arc::new(exchange);
        exchanges.push(exchange.clone());
        Recorded::from(exchange)
    }

    /// Gets credentials by the identity's sign-in request, and returns that; `None` where it has none, or
    /// somebody else has just signed in.
    ///
    /// # Errors
    /// Why there are none, in words that repeat no secret.
    pub(crate) async fn sign_in(&self, live: &Live) -> Result<Option<Recorded>, String> {
        let Some(login) = &live.identity.login else { return Ok(None) };
        let generation = live.generation().number;
        let _ordered = live.turn.lock().await;
        if live.generation().number != generation {
            return Ok(None);
        }
        let draft = Draft::anonymous(login.request.clone());
        self.permit(&draft, Purpose::SignIn).map_err(in_words)?;
        let _turn = self.budget.turn(None, false).await.map_err(in_words)?;
        let finished = self.finish(&draft, None).await;
        let request = &finished.request;
        self.permit_bytes(&draft, request).map_err(in_words)?;
        let origin = request.origin.clone().unwrap_or_else(|| self.origin.clone());
        let started_ms = self.started.elapsed().as_millis() as u64;
        let received = tokio::select! {
            received = self.transport.exchange(&origin, request, true) => received,
            () = self.budget.stopped() => return Err(in_words(Unobserved::Interrupted)),
        };
        let taken = match &received.answer {
            Answer::Error(error) => Err(format!("the sign-in request failed: {error}")),
            Answer::Response(response) => extract(&login.extract, response)
                .map_err(|missing| format!("the sign-in request was answered with {}, and {missing}", response.status)),
        };
        let taken = taken.map(|credentials| {
            live.renew(credentials);
            self.masking.add_credentials(live);
        });
        // Whether or not it is what was wanted: nothing that it gives is for others to read.
        if let Answer::Response(response) = &received.answer {
            self.masking.add_issued(live, response);
        }
        let sent = self.record(&draft, Purpose::SignIn, finished, received, started_ms);
        taken.map(|()| Some(sent.recorded))
    }

    /// One hand-made TLS ClientHello.
    pub(crate) async fn handshake(&self, hello: &Hello<'_>) -> Result<HandshakeAnswer, Unobserved> {
        self.permit_checks()?;
        let _turn = self.budget.turn(None, false).await?;
        let answer = tokio::select! {
            answer = self.transport.handshake(&self.origin, hello) => answer,
            () = self.budget.stopped() => return Err(Unobserved::Interrupted),
        };
        self.events.event(Event::Sent { total: self.requests() });
        answer.map_err(|error| Unobserved::Inconclusive(error.to_string().into()))
    }
}

fn in_words(why: Unobserved) -> String {
    match why {
        Unobserved::Inconclusive(why) | Unobserved::NotApplicable(why) => why.into_owned(),
        Unobserved::Interrupted => "the scan was stopped".into(),
        Unobserved::Panicked => "the sign-in failed by itself".into(),
    }
}
