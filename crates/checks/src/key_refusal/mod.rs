#![doc = include_str!("README.md")]

use engine::controls::{Standing, standing, volatile};
use engine::{
    AnyCheck, Baseline, Check, Draft, NotApplicable, Requests, Session, Survey, SurveyedIdentity, Unobserved, check,
    subject,
};
use model::{Category, Flaw, Meta, Mode, Need, Owasp, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

mod guess;
#[cfg(any(test, feature = "targets"))]
pub mod target;
mod timing;

pub(crate) use guess::key_position;

use crate::key_comparison::{form, is_refused};
use crate::key_in_query::{alike, said_apart};

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<KeyRefusalOracle>(), check::<timing::KeyIdTiming>()];

/// What no key of any API looks like.
const MALFORMED: &str = "-";

const REVOKED: Variant =
    Variant { name: "revoked", when: "a revoked key is refused in other words than an unknown one", cvss: None };

const KNOWN_ID: Variant = Variant {
    name: "known-id",
    when: "a wrong secret is refused in other words where the id of the key exists",
    cvss: None,
};

const META: Meta = Meta {
    id: "key-refusal-oracle",
    title: "A refusal tells which API keys exist",
    category: Category::ApiKeys,
    owasp: &[Owasp::Api8],
    cwe: &[204, 203],
    variants: &[REVOKED, KNOWN_ID],
    mode: Mode::Safe,
    needs: &[Need::RevokedKey],
    remedy: Some(&crate::remedies::API_KEY_LOOKUP),
    reference: &["KEY-021"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Does a refusal tell which keys exist?
pub struct KeyRefusalOracle;

/// How several wrong keys are refused.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// A random key.
    unknown: Recorded,
    /// Another random key.
    unknown_again: Recorded,
    /// What is no key.
    malformed: Option<Recorded>,
    /// The key that its owner says is revoked.
    revoked: Option<Recorded>,
    /// A random secret for the key's own id.
    wrong_secret: Option<Recorded>,
}

impl Check for KeyRefusalOracle {
    const META: Meta = META;
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        working(&identity.0, survey)?;
        if !identity.0.has_revoked_key && survey.mode < Mode::Active {
            return Err(NotApplicable::new("no revoked key of it is given, and a wrong secret needs --mode active"));
        }
        Ok(Requests { expected: 4, most: 5 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (_, draft) = working(&identity.0, survey)?;
        let mut random = session.random();
        let held = guess::held(&identity.0, session);
        let position = key_position(&identity.0);
        let revoked = session.revoked_key(&identity.0.name);
        // One wrong secret for an id that exists, and only where the user allows more than reading.
        let wrong_secret = held
            .as_ref()
            .filter(|_| survey.mode >= Mode::Active)
            .and_then(|(credentials, parts)| parts.known(&draft, credentials, &mut random));
        if wrong_secret.is_none() && revoked.is_none() {
            return Err(NotApplicable::new("its key has no id beside a secret").into());
        }
        let mut unknown = || match (&held, position) {
            (Some((credentials, parts)), _) => parts.unknown(&draft, credentials, &mut random),
            (None, Some(position)) => {
                let credentials = session.credentials(&identity.0.name);
                let key = credentials.get(position)?.value.expose();
                Some(draft.clone().replacing(position, &form::twin(key, &mut random), None))
            }
            (None, None) => None,
        };
        let (Some(first), Some(second)) = (unknown(), unknown()) else {
            return Err(NotApplicable::new("its credential is no API key").into());
        };
        let mut seen = Observation {
            unknown: session.send(&first).await?,
            unknown_again: session.send(&second).await?,
            malformed: None,
            revoked: None,
            wrong_secret: None,
        };
        if let Some(position) = position {
            seen.malformed = Some(session.send(&draft.clone().replacing(position, MALFORMED, None)).await?);
            if let Some(revoked) = revoked {
                let draft = draft.clone().replacing(position, revoked.value.expose(), None);
                seen.revoked = Some(session.send(&draft).await?);
            }
        }
        if let Some(draft) = wrong_secret {
            seen.wrong_secret = Some(session.send(&draft).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let refusal = |exchange: &'_ Recorded| exchange.response().filter(|_| is_refused(exchange)).cloned();
        let (Some(unknown), Some(again)) = (refusal(&seen.unknown), refusal(&seen.unknown_again)) else {
            return Verdict::inconclusive("a random key is not plainly refused");
        };
        let changes = volatile(&unknown, &again);
        if !alike(&unknown, &again, &changes) {
            return Verdict::inconclusive("each refusal is another text");
        }
        let other = |exchange: &Option<Recorded>| -> Option<Response> {
            exchange.as_ref().and_then(refusal).filter(|answer| !alike(&unknown, answer, &changes))
        };
        let mut flaws = Vec::new();
        if let Some(answer) = other(&seen.revoked) {
            let (own, usual) = said_apart(&answer, &unknown);
            let message = format!("a revoked key is refused with {own}, an unknown one with {usual}");
            flaws.push(Flaw::new(&REVOKED, "revoked-told", message).mark("revoked", status(&answer)));
        }
        if let Some(answer) = other(&seen.wrong_secret) {
            let (own, usual) = said_apart(&answer, &unknown);
            let message =
                format!("a wrong secret gives {own} where the key's id exists, and {usual} where it does not");
            flaws.push(Flaw::new(&KNOWN_ID, "id-told", message).mark("wrong_secret", status(&answer)));
        }
        if !flaws.is_empty() {
            return Verdict::of_flaws(flaws);
        }
        if ![&seen.revoked, &seen.wrong_secret].into_iter().flatten().any(is_refused) {
            return Verdict::inconclusive("no key that exists was refused");
        }
        let note = other(&seen.malformed).map(|_| "what is no key is told from a key, as a checksum allows".into());
        Verdict::Pass { note }
    }
}

fn status(answer: &Response) -> String {
    format!("HTTP {}", answer.status)
}

/// The request that shows whether the identity works.
fn working<'a>(identity: &SurveyedIdentity, survey: &'a Survey) -> Result<(&'a Baseline, Draft), NotApplicable> {
    if identity.signs {
        return Err(NotApplicable::new("its requests are signed: another key is refused for the signature"));
    }
    let operation = identity
        .canary
        .as_ref()
        .and_then(|key| survey.operation(key))
        .ok_or(NotApplicable::new("no operation answers it and refuses a request without credentials"))?;
    let baseline = operation.baseline_of(&identity.name).filter(|baseline| baseline.standing == Standing::Works);
    let baseline = baseline.ok_or(NotApplicable::new("no request of it works"))?;
    Ok((baseline, baseline.draft(&operation.key)))
}

/// True if it is refused and no sign says that guessing is being stopped.
fn is_plain_refusal(exchange: &Recorded) -> bool {
    is_refused(exchange)
        && exchange.response().is_some_and(|answer| {
            answer.status != 423 && standing(answer) != Standing::Limited && !answer.headers.contains("retry-after")
        })
}
