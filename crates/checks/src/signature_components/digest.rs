//! A signature that covers a digest covers the body only if the server compares the two.

use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Body, Forgery, Meta, Place, SignedPart, Verdict};
use serde_json::Value;

use super::{Exchanges, FREE, META};
use crate::signature_coverage::asked::{Asked, asked};

/// Is a body accepted that is not the one whose digest is signed?
pub(super) struct DigestNotCompared;

impl Check for DigestNotCompared {
    const META: Meta = META;
    const PART: Option<SignedPart> = None;
    type Subject = subject::Operation;
    type Observation = Exchanges;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        other_digest(&asked(operation, survey)?, &survey.unknown_word)?;
        Ok(Requests { expected: 3, most: 5 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Exchanges, Unobserved> {
        let asked = asked(operation, survey)?;
        let mutation = other_digest(&asked, &survey.unknown_word)?;
        Exchanges::of(&asked, mutation, session).await
    }

    fn judge(seen: &Exchanges) -> Verdict {
        seen.judge(&FREE, Self::META.id, "a body is accepted under a signed digest that is another body's")
    }
}

/// Is a body accepted that no digest speaks for?
pub(super) struct DigestNotRequired;

impl Check for DigestNotRequired {
    const META: Meta = Meta {
        id: "content-digest-not-required",
        title: "The client may leave the digest of the body out of its signature",
        cwe: &[354, 353],
        reference: &["SIG-035", "SIG-036"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Exchanges;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        no_digest(&asked(operation, survey)?, &survey.unknown_word)?;
        Ok(Requests { expected: 3, most: 5 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Exchanges, Unobserved> {
        let asked = asked(operation, survey)?;
        let mutation = no_digest(&asked, &survey.unknown_word)?;
        Exchanges::of(&asked, mutation, session).await
    }

    fn judge(seen: &Exchanges) -> Verdict {
        seen.judge(&FREE, Self::META.id, "a body is accepted that neither the signature nor a digest covers")
    }
}

/// The working body under a signature over the digest of another one.
fn other_digest(asked: &Asked<'_>, word: &str) -> Result<Draft, NotApplicable> {
    if asked.identity.digest().is_none() {
        return Err(NotApplicable::new("the scheme signs no digest in place of the body"));
    }
    other_body(asked.draft.clone(), word)
}

/// The working body under a signature that leaves out the digest, which is not sent either.
fn no_digest(asked: &Asked<'_>, word: &str) -> Result<Draft, NotApplicable> {
    let Some(Place::Header { name, .. }) = asked.identity.digest().map(|digest| digest.place) else {
        return Err(NotApplicable::new("no header states the digest of the body"));
    };
    let mut components =
        asked.identity.components().ok_or(NotApplicable::new("the client has no choice of what it signs"))?;
    components.retain(|component| !component.eq_ignore_ascii_case(&name));
    let forgery = Forgery { components: Some(components), ..Forgery::default() };
    if !asked.identity.can_forge(&forgery) {
        return Err(NotApplicable::new("the client has no choice of what it signs"));
    }
    Ok(other_body(asked.draft.clone().forged(forgery), word)?.edit(Edit::RemoveHeader(name)))
}

/// Name of the member that is signed and not sent.
const INERT_NAME: &str = "_ic";

/// Signed with another body than it is sent with; the other one is never sent.
fn other_body(mut draft: Draft, word: &str) -> Result<Draft, NotApplicable> {
    let body = draft.request.body.clone();
    if body.is_empty() {
        return Err(NotApplicable::new("its request has no body"));
    }
    draft.request.body = match body.json() {
        Some(Value::Object(mut fields)) => {
            fields.insert(INERT_NAME.into(), word.into());
            Value::Object(fields).to_string().into()
        }
        Some(_) | None => Body::from([body.bytes(), word.as_bytes()].concat()),
    };
    Ok(draft.edit(Edit::Body(body)))
}
