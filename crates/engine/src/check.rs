//! What a check is: it observes, then judges.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use model::{Meta, SignedPart, Verdict, WindowBounds};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::session::Session;
use crate::subject::{AnySubject, Subject};
use crate::survey::Survey;

/// Requests that observing one subject takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requests {
    /// What it usually takes; the estimate of a scan adds these up.
    pub expected: u32,
    /// What it never exceeds; the session refuses more.
    pub most: u32,
}

impl Requests {
    /// Observing sends nothing.
    pub const NONE: Self = Self { expected: 0, most: 0 };

    /// Observing takes exactly this many.
    pub fn exactly(count: u32) -> Self {
        Self { expected: count, most: count }
    }

    /// Observing takes at most this many.
    pub fn at_most(count: u32) -> Self {
        Self { expected: count, most: count }
    }
}

/// The question does not arise, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotApplicable(pub Cow<'static, str>);

impl NotApplicable {
    /// A reason in one sentence without a full stop.
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}

/// Why there is no observation of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unobserved {
    /// The question does not arise.
    NotApplicable(Cow<'static, str>),
    /// Something went another way than planned: no response, budget used up, refused by the mode.
    Inconclusive(Cow<'static, str>),
    /// The user stopped the scan.
    Interrupted,
    /// The check failed by itself.
    Panicked,
}

impl From<NotApplicable> for Unobserved {
    fn from(NotApplicable(reason): NotApplicable) -> Self {
        Self::NotApplicable(reason)
    }
}

/// One question about one kind of subject.
pub trait Check: Send + Sync + 'static {
    /// What programs know about it.
    const META: Meta;
    /// The part of a request whose cover by signatures it decides; none for all other checks.
    const PART: Option<SignedPart> = None;
    /// What it is asked of.
    type Subject: Subject;
    /// What it saw: a struct whose fields are exchanges ([`model::Recorded`]) under their roles,
    /// and plain facts.
    type Observation: Serialize + DeserializeOwned + Send;

    /// Requests that observing this subject takes, or why the question does not arise. Pure.
    ///
    /// # Errors
    /// The question does not arise for this subject.
    fn plan(subject: &Self::Subject, survey: &Survey) -> Result<Requests, NotApplicable>;

    /// Sends what it needs, and writes down what it saw.
    ///
    /// # Errors
    /// There is no observation, and why.
    fn observe(
        subject: &Self::Subject,
        survey: &Survey,
        session: &Session,
    ) -> impl Future<Output = Result<Self::Observation, Unobserved>> + Send;

    /// How far a timestamp may be off into the past and into the future, where it was measured.
    fn window(_: &Self::Observation) -> Option<(WindowBounds, WindowBounds)> {
        None
    }

    /// Decides from the observation alone. Pure: the same input gives the same verdict, live or
    /// from a stored scan.
    fn judge(observation: &Self::Observation) -> Verdict;
}

/// An observation with its verdict.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The observation as JSON, exchanges as ids.
    pub observation: Value,
    /// The verdict.
    pub verdict: Verdict,
    /// [`Check::window`].
    pub window: Option<(WindowBounds, WindowBounds)>,
}

type Observing<'a> = Pin<Box<dyn Future<Output = Result<Judged, Unobserved>> + Send + 'a>>;

/// A check with its types erased, so that one list can hold all of them.
pub trait AnyCheck: Send + Sync {
    /// What programs know about it.
    fn meta(&self) -> &'static Meta;
    /// [`Check::PART`].
    fn part(&self) -> Option<SignedPart>;
    /// [`Check::plan`]; `None` if the check is not asked of this kind of subject.
    fn plan(&self, subject: &AnySubject, survey: &Survey) -> Option<Result<Requests, NotApplicable>>;
    /// [`Check::observe`], then [`Check::judge`]. The subject is one that `plan` accepted.
    fn run<'a>(&'a self, subject: &'a AnySubject, survey: &'a Survey, session: &'a Session) -> Observing<'a>;
    /// Judges a stored observation; exchanges come from [`model::Recorded::resolving`].
    ///
    /// # Errors
    /// The value is no observation of this check.
    fn judge(&self, observation: &Value) -> Result<Verdict, serde_json::Error>;
}

struct Erased<C>(std::marker::PhantomData<fn() -> C>);

struct MetaOf<C>(std::marker::PhantomData<C>);

impl<C: Check> MetaOf<C> {
    const META: &'static Meta = &C::META;
}

impl<C: Check> AnyCheck for Erased<C> {
    fn meta(&self) -> &'static Meta {
        MetaOf::<C>::META
    }

    fn part(&self) -> Option<SignedPart> {
        C::PART
    }

    fn plan(&self, subject: &AnySubject, survey: &Survey) -> Option<Result<Requests, NotApplicable>> {
        C::Subject::of(subject).map(|subject| C::plan(subject, survey))
    }

    fn run<'a>(&'a self, subject: &'a AnySubject, survey: &'a Survey, session: &'a Session) -> Observing<'a> {
        Box::pin(async move {
            let Some(subject) = C::Subject::of(subject) else {
                return Err(Unobserved::NotApplicable("the check is asked of another kind of subject".into()));
            };
            let observation = C::observe(subject, survey, session).await?;
            let verdict = C::judge(&observation);
            let window = C::window(&observation);
            let mut observation = serde_json::to_value(&observation).unwrap_or_default();
            session.mask_value(&mut observation);
            Ok(Judged { observation, verdict: session.masked_verdict(verdict), window })
        })
    }

    fn judge(&self, observation: &Value) -> Result<Verdict, serde_json::Error> {
        serde_json::from_value(observation.clone()).map(|observation| C::judge(&observation))
    }
}

/// A check, to be put into a list.
pub const fn check<C: Check>() -> &'static dyn AnyCheck {
    &Erased::<C>(std::marker::PhantomData)
}
