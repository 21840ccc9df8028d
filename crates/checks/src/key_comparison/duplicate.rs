//! Two keys in one request: whose word counts.

use std::collections::BTreeSet;

use engine::{
    Baseline, Check, Draft, Edit, NotApplicable, Requests, Session, Survey, SurveyedIdentity, Unobserved, subject,
};
use model::{Flaw, Location, Meta, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{How, META as FAMILY, asked::asked, form, how, is_refused};

const TWICE: Variant =
    Variant { name: "twice", when: "a request with a wrong key beside the right one is accepted", cvss: None };

/// Is a request accepted that holds another key beside the right one?
pub(super) struct DuplicateKeyAccepted;

/// A working request, and the same with a random key before and behind its own.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// With the key.
    owner: Recorded,
    /// Without any.
    without_key: Recorded,
    /// With the random key in the place of the key.
    random: Recorded,
    /// With the key, then the random one.
    own_first: Option<Recorded>,
    /// With the random key, then the key.
    random_first: Option<Recorded>,
    /// What was accepted, again, in that order.
    #[serde(default)]
    repeated: Vec<Recorded>,
    /// With the key, after all others.
    control: Option<Recorded>,
    /// Where the keys stand.
    place: Location,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for DuplicateKeyAccepted {
    const META: Meta = Meta {
        id: "duplicate-key-accepted",
        title: "A request with two different API keys is accepted",
        cwe: &[235],
        variants: &[TWICE],
        reference: &["KEY-019"],
        ..FAMILY
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        keyed(operation, survey)?;
        Ok(Requests { expected: 4, most: 8 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let Keyed { baseline, identity, position } = keyed(operation, survey)?;
        let place = &identity.places[position];
        let credentials = session.credentials(&identity.name);
        let own = credentials.get(position).ok_or(NotApplicable::new("it has no key"))?.value.expose();
        if form::is_token(own) {
            return Err(NotApplicable::new("the credential is a signed token").into());
        }
        let random = form::twin(own, &mut session.random());
        let draft = baseline.draft(&operation.key);
        let mut seen = Observation {
            owner: session.recall(&draft).await?,
            without_key: session.recall(&draft.clone().without_credentials()).await?,
            random: session.recall(&draft.clone().replacing(position, &random, None)).await?,
            own_first: None,
            random_first: None,
            repeated: Vec::new(),
            control: None,
            place: location(place),
            volatile: baseline.volatile.clone(),
        };
        if !is_refused(&seen.without_key) || !is_refused(&seen.random) {
            return Ok(seen);
        }
        let orders = [both(&draft, place, own, &random), both(&draft, place, &random, own)];
        let mut answers = Vec::new();
        for draft in &orders {
            answers.push(session.send(draft).await?);
        }
        for (draft, answer) in orders.iter().zip(&answers) {
            if how(answer, &seen.owner, &seen.volatile) == How::Accepted {
                seen.repeated.push(session.send(draft).await?);
            }
        }
        seen.random_first = answers.pop();
        seen.own_first = answers.pop();
        seen.control = Some(session.send(&draft).await?);
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let how = |answer: &Recorded| how(answer, &seen.owner, &seen.volatile);
        if how(&seen.without_key) == How::Accepted {
            return Verdict::NotApplicable { reason: "it answers without a key too".into() };
        }
        if !is_refused(&seen.without_key) || !is_refused(&seen.random) {
            return Verdict::inconclusive("a random key, or none, is not plainly refused");
        }
        if !seen.control.as_ref().is_some_and(|control| how(control) == How::Accepted) {
            return Verdict::inconclusive("the key itself stopped working between the tries");
        }
        let (Some(own_first), Some(random_first)) = (&seen.own_first, &seen.random_first) else {
            return Verdict::inconclusive("no request with two keys was sent");
        };
        let (role, counts) = match (how(own_first), how(random_first)) {
            (How::Refused, How::Refused) => return Verdict::pass(),
            (How::Accepted, How::Refused) => ("own_first", "the first of them counts"),
            (How::Refused, How::Accepted) => ("random_first", "the last of them counts"),
            (How::Accepted, How::Accepted) => ("own_first", "whichever is right counts"),
            (How::Unclear, _) | (_, How::Unclear) => {
                return Verdict::inconclusive("a request with two keys is neither accepted nor refused");
            }
        };
        if !seen.repeated.iter().all(|again| how(again) == How::Accepted) {
            return Verdict::inconclusive("a request with two keys was accepted once only");
        }
        let message = format!("a request with a wrong key beside the right one is accepted: {counts}");
        let flaw = Flaw::new(&TWICE, "duplicate-key-accepted", message).at(seen.place.clone());
        Verdict::fail(flaw.mark(role, name(&seen.place)))
    }
}

/// What is asked: a working request, and its key.
struct Keyed<'a> {
    baseline: &'a Baseline,
    identity: &'a SurveyedIdentity,
    position: usize,
}

/// The operation that stands for the API's key headers; or, where the user put the key into the query,
/// the one that shows whether the identity works.
fn keyed<'a>(operation: &'a subject::Operation, survey: &'a Survey) -> Result<Keyed<'a>, NotApplicable> {
    if let Some(asked) = asked(operation, survey).filter(|asked| asked.first) {
        return Ok(Keyed { baseline: asked.baseline, identity: asked.identity, position: asked.position });
    }
    let in_query = survey.identities.iter().find_map(|identity| {
        let position = identity.places.iter().position(|place| matches!(place, Place::Query { .. }))?;
        let stands = !identity.signs && identity.alive && identity.canary.as_ref() == Some(&operation.key);
        let baseline = operation.baseline_of(&identity.name).filter(|_| stands)?;
        Some(Keyed { baseline, identity, position })
    });
    in_query.ok_or(NotApplicable::new("another operation stands for it, or it takes no key"))
}

/// The request with two values in the place of its key, in this order.
fn both(draft: &Draft, place: &Place, first: &str, second: &str) -> Draft {
    match place {
        Place::Header { name, prefix } => draft
            .clone()
            .edit(Edit::SetHeader(name.clone(), format!("{prefix}{first}")))
            .edit(Edit::AddHeader(name.clone(), format!("{prefix}{second}"))),
        Place::Query { name } => {
            let mut request = draft.request.clone();
            place.put(&mut request, first);
            draft.clone().edit(Edit::Target(request.with_query(name, second).target))
        }
        Place::Cookie { .. } => draft.clone(),
    }
}

fn location(place: &Place) -> Location {
    match place {
        Place::Header { name, .. } => Location::RequestHeader(name.clone()),
        Place::Query { name } | Place::Cookie { name } => Location::Parameter(name.clone()),
    }
}

fn name(place: &Location) -> &str {
    match place {
        Location::RequestHeader(name) | Location::Parameter(name) => name,
        Location::Whole | Location::ResponseHeader(_) | Location::ResponseBody(_) | Location::Description(_) => "",
    }
}
