#![doc = include_str!("README.md")]

use std::collections::BTreeSet;

use engine::controls::{Sameness, Standing, content, form as form_of, standing};
use engine::{
    AnyCheck, Authenticate, Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, check, subject,
};
use model::{Category, Confidence, Flaw, Meta, Mode, Need, Owasp, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

mod alias;
pub(crate) mod asked;
mod body_confusion;
mod duplicate;
pub(crate) mod form;
#[cfg(any(test, feature = "targets"))]
pub mod target;
mod type_confusion;

use asked::{Asked, asked};

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<KeyComparedByPart>(),
    check::<KeyCaseIgnored>(),
    check::<alias::KeyHeaderAlias>(),
    check::<duplicate::DuplicateKeyAccepted>(),
    check::<type_confusion::KeyTypeConfusion>(),
    check::<body_confusion::KeyInBodyTypeConfusion>(),
];

/// Characters of a key up to which everybody finds an accepted part by trying.
///
/// **Source**: KEY-016 of docs/rows.md.
const FEW: usize = 4;

/// Length below which a part of a key is most of it.
///
/// **Source**: chosen; the guessing of such short keys is the matter of another check.
const SHORTEST_KEY: usize = 8;

const FEW_CHARACTERS: Variant = Variant {
    name: "few-characters",
    when: "an empty key or at most four characters are accepted",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const PART: Variant = Variant {
    name: "part",
    when: "a part of a key, or a key with something after it, is accepted",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const OTHER_CASE: Variant =
    Variant { name: "other-case", when: "letters of the key are accepted in either case", cvss: None };

const META: Meta = Meta {
    id: "key-compared-by-part",
    title: "A part of an API key is accepted in its place",
    category: Category::ApiKeys,
    owasp: &[Owasp::Api2],
    cwe: &[187, 697, 287],
    variants: &[FEW_CHARACTERS, PART],
    mode: Mode::Safe,
    needs: &[Need::Identity],
    remedy: Some(&crate::remedies::API_KEY_LOOKUP),
    reference: &["KEY-016"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Is a part of a key accepted?
pub struct KeyComparedByPart;

/// Is the case of a key's letters ignored?
pub struct KeyCaseIgnored;

/// A working request, and the same with values that derive from its key.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// With the key.
    owner: Recorded,
    /// Without any.
    without_key: Recorded,
    /// With an empty one.
    empty: Option<Recorded>,
    /// With its first characters.
    first_characters: Option<Recorded>,
    /// Without its last character.
    shortened: Option<Recorded>,
    /// With one more character.
    extended: Option<Recorded>,
    /// With its letters in the other case.
    other_case: Option<Recorded>,
    /// With what was accepted, again.
    repeated: Option<Recorded>,
    /// With a random value of the form that was accepted.
    twin: Option<Recorded>,
    /// With the key, after each of the others.
    #[serde(default)]
    controls: Vec<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for KeyComparedByPart {
    const META: Meta = META;
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = plan(operation, survey)?;
        Ok(if asked.first { Requests { expected: 8, most: 12 } } else { Requests { expected: 3, most: 6 } })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = plan(operation, survey)?;
        let key = own_key(&asked, session)?;
        let mut tries = Tries::begin(operation, &asked, session).await?;
        if !tries.can_tell() {
            return Ok(tries.seen);
        }
        let mut random = session.random();
        let label = format!("{}.key-part", asked.identity.name);
        let twin = form::twin(&key, &mut random);
        let first: String = key.chars().take(FEW).collect();
        let mut forms: Vec<(Role, String, String, Option<&str>)> = Vec::new();
        if asked.first {
            forms.push((|seen| &mut seen.empty, String::new(), twin.clone(), None));
        }
        // No label: four characters are what providers show of a key, and a mask would eat words.
        let random_first = form::scrambled(&first, &mut random);
        forms.push((|seen| &mut seen.first_characters, first, random_first, None));
        if asked.first && !form::has_id(&key) {
            if !form::is_base64(&key) {
                let cut = |key: &str| key.chars().take(key.chars().count() - 1).collect::<String>();
                forms.push((|seen| &mut seen.shortened, cut(&key), cut(&twin), Some(&label)));
            }
            forms.push((|seen| &mut seen.extended, format!("{key}x"), format!("{twin}x"), Some(&label)));
        }
        for (role, value, twin, label) in forms {
            if !tries.one(role, &value, &twin, label).await? {
                break;
            }
        }
        Ok(tries.seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        judge(
            seen,
            &[
                (&seen.empty, "empty", &FEW_CHARACTERS, "an empty key is accepted"),
                (
                    &seen.first_characters,
                    "first_characters",
                    &FEW_CHARACTERS,
                    "the first four characters of a key are accepted in its place",
                ),
                (&seen.shortened, "shortened", &PART, "a key is accepted without its last character"),
                (&seen.extended, "extended", &PART, "a key is accepted with one more character after it"),
            ],
            "key-compared-by-part",
        )
    }
}

impl Check for KeyCaseIgnored {
    const META: Meta = Meta {
        id: "key-case-ignored",
        title: "The case of an API key's letters is ignored",
        cwe: &[178],
        variants: &[OTHER_CASE],
        reference: &["KEY-017"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        only_first(plan(operation, survey)?)?;
        Ok(Requests { expected: 4, most: 7 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = plan(operation, survey)?;
        let key = own_key(&asked, session)?;
        if form::has_id(&key) {
            return Err(NotApplicable::new("a part of the key may be its name, and wrong secrets lock it").into());
        }
        let other = form::in_other_case(&key).ok_or(NotApplicable::new("the key is a number, where case is free"))?;
        let mut tries = Tries::begin(operation, &asked, session).await?;
        if tries.can_tell() {
            let twin = form::twin(&other, &mut session.random());
            let label = format!("{}.key-in-other-case", asked.identity.name);
            tries.one(|seen| &mut seen.other_case, &other, &twin, Some(&label)).await?;
        }
        Ok(tries.seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let message = "a key is accepted with its letters in the other case";
        judge(seen, &[(&seen.other_case, "other_case", &OTHER_CASE, message)], "key-case-ignored")
    }
}

fn plan<'a>(operation: &'a subject::Operation, survey: &'a Survey) -> Result<Asked<'a>, NotApplicable> {
    asked(operation, survey)
        .ok_or(NotApplicable::new("another operation stands for it, or no key in a header opens it"))
}

fn only_first(asked: Asked<'_>) -> Result<(), NotApplicable> {
    asked.first.then_some(()).ok_or(NotApplicable::new("another operation stands for it"))
}

/// The key of the identity, if it is one that can be compared.
pub(crate) fn own_key(asked: &Asked<'_>, session: &Session) -> Result<String, NotApplicable> {
    let credentials = session.credentials(&asked.identity.name);
    let key = credentials.get(asked.position).ok_or(NotApplicable::new("it has no key"))?.value.expose();
    if form::is_token(key) {
        return Err(NotApplicable::new("the credential is a signed token"));
    }
    if key.len() < SHORTEST_KEY || !key.is_ascii() {
        return Err(NotApplicable::new("the key is too short to be taken apart"));
    }
    Ok(key.to_owned())
}

/// A field of the observation.
type Role = fn(&mut Observation) -> &mut Option<Recorded>;

/// Sends derived values, each between working requests.
struct Tries<'a> {
    session: &'a Session,
    draft: Draft,
    position: usize,
    seen: Observation,
}

impl<'a> Tries<'a> {
    async fn begin(
        operation: &subject::Operation,
        asked: &Asked<'_>,
        session: &'a Session,
    ) -> Result<Self, Unobserved> {
        let draft = asked.baseline.draft(&operation.key);
        let seen = Observation {
            owner: session.recall(&draft).await?,
            without_key: session.recall(&draft.clone().without_credentials()).await?,
            empty: None,
            first_characters: None,
            shortened: None,
            extended: None,
            other_case: None,
            repeated: None,
            twin: None,
            controls: Vec::new(),
            volatile: asked.baseline.volatile.clone(),
        };
        Ok(Self { session, draft, position: asked.position, seen })
    }

    fn can_tell(&self) -> bool {
        is_refused(&self.seen.without_key)
    }

    /// Sends a derived value, and where it is accepted its random twin; then a working request. False
    /// where nothing more is to be sent: it was accepted, or the key stopped working.
    async fn one(&mut self, role: Role, value: &str, twin: &str, label: Option<&str>) -> Result<bool, Unobserved> {
        let draft = self.with(value, label);
        let answer = self.session.recall(&draft).await?;
        let accepted = how(&answer, &self.seen.owner, &self.seen.volatile) == How::Accepted;
        *role(&mut self.seen) = Some(answer);
        if accepted {
            self.seen.twin = Some(self.session.recall(&self.with(twin, None)).await?);
            self.seen.repeated = Some(self.session.send(&draft).await?);
        }
        let control = self.session.send(&self.draft).await?;
        let works = how(&control, &self.seen.owner, &self.seen.volatile) == How::Accepted;
        self.seen.controls.push(control);
        Ok(works && !accepted)
    }

    fn with(&self, value: &str, label: Option<&str>) -> Draft {
        let (value, label) = (model::Secret::new(value), label.map(Into::into));
        self.draft.clone().authenticate(Authenticate::Replacing { position: self.position, value, label })
    }
}

/// How an answer stands to the owner's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It works, in the form of the owner's.
    Accepted,
    /// It was refused.
    Refused,
    /// Neither.
    Unclear,
}

/// How an answer stands to the owner's. Its content may be another: a part of a key may stand for
/// nobody, or for somebody else.
pub(crate) fn how(answer: &Recorded, owner: &Recorded, volatile: &BTreeSet<String>) -> How {
    let (Some(answer), Some(owner)) = (answer.response(), owner.response()) else { return How::Unclear };
    match standing(answer) {
        Standing::Refused | Standing::Missing | Standing::Invalid => How::Refused,
        Standing::Works => {
            let alike = form_of(answer) == form_of(owner) || content(answer, owner, volatile) == Sameness::Same;
            if alike && standing(owner) == Standing::Works { How::Accepted } else { How::Unclear }
        }
        Standing::Limited | Standing::Failed | Standing::Redirected | Standing::Unclear => How::Unclear,
    }
}

/// True if it was refused, not merely unanswered.
pub(crate) fn is_refused(exchange: &Recorded) -> bool {
    exchange
        .response()
        .is_some_and(|answer| matches!(standing(answer), Standing::Refused | Standing::Missing | Standing::Invalid))
}

/// A derived value: its exchange, the exchange's role, what it would show, and in words.
type Derived<'a> = (&'a Option<Recorded>, &'a str, &'a Variant, &'a str);

fn judge(seen: &Observation, derived: &[Derived<'_>], cause: &str) -> Verdict {
    let Some(without) = seen.without_key.response() else {
        return Verdict::inconclusive("no response to a request without a key");
    };
    if standing(without) == Standing::Works {
        return Verdict::NotApplicable { reason: "it answers without a key too".into() };
    }
    if !is_refused(&seen.without_key) {
        return Verdict::inconclusive(format!("a request without a key was answered with {}", without.status));
    }
    if seen.controls.iter().any(|control| how(control, &seen.owner, &seen.volatile) != How::Accepted) {
        return Verdict::inconclusive("the key itself stopped working between the tries");
    }
    let mut undecided = None;
    let mut decided = false;
    for (exchange, role, variant, message) in derived {
        let Some(exchange) = exchange else { continue };
        match how(exchange, &seen.owner, &seen.volatile) {
            How::Accepted => return judge_accepted(seen, exchange, role, variant, message, cause),
            How::Refused => decided = true,
            How::Unclear => undecided = Some(unclear(exchange.response())),
        }
    }
    match undecided {
        Some(reason) => Verdict::inconclusive(reason),
        None if decided => Verdict::pass(),
        None => Verdict::inconclusive("no derived value was sent"),
    }
}

fn judge_accepted(
    seen: &Observation,
    accepted: &Recorded,
    role: &str,
    variant: &Variant,
    message: &str,
    cause: &str,
) -> Verdict {
    let is = |exchange: &Option<Recorded>, wanted| {
        exchange.as_ref().is_some_and(|exchange| how(exchange, &seen.owner, &seen.volatile) == wanted)
    };
    if is(&seen.twin, How::Accepted) {
        return Verdict::inconclusive("a random value of the same form is accepted too");
    }
    if !is(&seen.twin, How::Refused) {
        return Verdict::inconclusive("a random value of the same form is neither accepted nor refused");
    }
    if !is(&seen.repeated, How::Accepted) {
        return Verdict::inconclusive("it was accepted once only");
    }
    let (Some(answer), Some(owner)) = (accepted.response(), seen.owner.response()) else {
        return Verdict::inconclusive("no response");
    };
    let (confidence, content) = match content(answer, owner, &seen.volatile) {
        Sameness::Same => (Confidence::Confirmed, ""),
        Sameness::Empty => (Confidence::Likely, ""),
        Sameness::Different => (Confidence::Likely, ", with other content"),
    };
    Verdict::fail(
        Flaw::new(variant, cause, format!("{message}{content}; a random value of the same form is refused"))
            .with_confidence(confidence)
            .mark(role, format!("HTTP {}", answer.status)),
    )
}

fn unclear(answer: Option<&Response>) -> String {
    match answer {
        Some(answer) => format!("a derived value was answered with {}", answer.status),
        None => "no response to a derived value".into(),
    }
}
