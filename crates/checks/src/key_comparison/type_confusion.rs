//! Lists and operators where the query holds a key.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::controls::{Standing, standing};
use engine::{Baseline, Check, NotApplicable, Requests, Session, Survey, SurveyedOperation, Unobserved, subject};
use inventory::{ParameterLocation, Security, SecurityScheme};
use model::{Flaw, Location, Meta, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{How, META as FAMILY, asked::is_suitable, form, how, is_refused};

pub(super) const ACCEPTED: Variant = Variant {
    name: "accepted",
    when: "another type of value is accepted in place of a key",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

pub(super) const FAILS: Variant = Variant {
    name: "server-error",
    when: "another type of value in place of a key is a server error",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Is a list or an operator accepted in place of a key in the query?
pub(super) struct KeyTypeConfusion;

/// A working request, and the same with a random key in the query in several types. The real key is in
/// none of them, unless the user put it into the query.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// With the key in its place.
    owner: Recorded,
    /// Without any.
    without_key: Recorded,
    /// With a random key as text.
    random: Recorded,
    /// With an operator on a parameter that cannot exist.
    operator_in_unknown: Recorded,
    /// With a list of a random key.
    list: Recorded,
    /// With the operator "is not" on a random key.
    operator: Recorded,
    /// What was accepted or failed, again, each after a working request.
    #[serde(default)]
    repeated: Vec<Recorded>,
    /// Those working requests.
    #[serde(default)]
    controls: Vec<Recorded>,
    /// The query parameter.
    parameter: String,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for KeyTypeConfusion {
    const META: Meta = Meta {
        id: "key-type-confusion",
        title: "A list or an operator in place of an API key is not refused",
        cwe: &[843, 943],
        variants: &[ACCEPTED, FAILS],
        reference: &["KEY-018"],
        ..FAMILY
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        if asked(operation, survey).is_none() {
            return Err(NotApplicable::new("another operation stands for it, or it takes no key in the query"));
        }
        Ok(Requests { expected: 6, most: 10 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let (baseline, parameter) =
            asked(operation, survey).ok_or(NotApplicable::new("it takes no key in the query"))?;
        let owner = baseline.draft(&operation.key);
        let without = owner.clone().without_credentials();
        let own = baseline.identity.as_ref().and_then(|name| session.credentials(name).into_iter().next());
        let own = own.ok_or(NotApplicable::new("the identity has no key"))?;
        let key = form::twin(own.value.expose(), &mut session.random());
        let with = |name: String| {
            let mut draft = without.clone();
            Place::Query { name }.put(&mut draft.request, &key);
            draft
        };
        let list = with(format!("{parameter}[]"));
        let operator = with(format!("{parameter}[$ne]"));
        let mut seen = Observation {
            owner: session.recall(&owner).await?,
            without_key: session.recall(&without).await?,
            random: session.recall(&with(parameter.clone())).await?,
            operator_in_unknown: session.recall(&with(format!("{}[$ne]", survey.unknown_word))).await?,
            list: session.recall(&list).await?,
            operator: session.recall(&operator).await?,
            repeated: Vec::new(),
            controls: Vec::new(),
            parameter,
            volatile: baseline.volatile.clone(),
        };
        let odd = [(&seen.list, list), (&seen.operator, operator)];
        let odd = odd.into_iter().find(|(answer, _)| seen.shows(answer).is_some()).map(|(_, draft)| draft);
        if let Some(draft) = odd {
            for _ in 0..2 {
                seen.controls.push(session.send(&owner).await?);
                seen.repeated.push(session.send(&draft).await?);
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let controls = [&seen.without_key, &seen.random, &seen.operator_in_unknown];
        if seen.without_key.response().is_some_and(|answer| standing(answer) == Standing::Works) {
            return Verdict::NotApplicable { reason: "it answers without a key too".into() };
        }
        if !controls.into_iter().all(is_refused) {
            return Verdict::inconclusive("a random key, none, or an unknown parameter is not plainly refused");
        }
        let tries = [("list", "[]", &seen.list), ("operator", "[$ne]", &seen.operator)];
        for (role, suffix, answer) in tries {
            let Some(variant) = seen.shows(answer) else { continue };
            let again = seen.repeated.iter().filter(|again| seen.shows(again) == Some(variant)).count();
            let alive = seen.controls.iter().all(|c| how(c, &seen.owner, &seen.volatile) == How::Accepted);
            if again < 2 || !alive {
                return Verdict::inconclusive("what a list or an operator gives differs from time to time");
            }
            let status = answer.response().map_or(0, |answer| answer.status);
            let name = &seen.parameter;
            let message = match variant.cvss == ACCEPTED.cvss {
                true => format!("`{name}{suffix}` with a random key is accepted; `{name}` with it is refused"),
                false => format!("`{name}{suffix}` with a random key gives {status}; `{name}` with it is refused"),
            };
            return Verdict::fail(
                Flaw::new(variant, "key-type-confusion", message)
                    .at(Location::Parameter(name.clone()))
                    .mark(role, format!("HTTP {status}")),
            );
        }
        match is_refused(&seen.list) && is_refused(&seen.operator) {
            true => Verdict::pass(),
            false => Verdict::inconclusive("a list or an operator is neither accepted nor refused"),
        }
    }
}

impl Observation {
    /// What an answer would show of the API; nothing where it is a refusal or fits no class. Errors of
    /// gateways show nothing.
    fn shows(&self, exchange: &Recorded) -> Option<&'static Variant> {
        let status = exchange.response()?.status;
        match how(exchange, &self.owner, &self.volatile) {
            How::Accepted => Some(&ACCEPTED),
            How::Unclear if matches!(status, 500 | 501 | 505..=599) => Some(&FAILS),
            How::Unclear | How::Refused => None,
        }
    }
}

/// The working request and the query parameter, if this is the first operation that takes a key there.
fn asked<'a>(operation: &'a SurveyedOperation, survey: &'a Survey) -> Option<(&'a Baseline, String)> {
    let parameter = parameter(operation, survey)?;
    let is_first = |other: &&Arc<SurveyedOperation>| self::parameter(other, survey).as_ref() == Some(&parameter);
    let first = survey.operations.iter().find(is_first)?;
    (first.key == operation.key).then_some((operation.baseline()?, parameter))
}

fn parameter(operation: &SurveyedOperation, survey: &Survey) -> Option<String> {
    let identity = survey.identity(operation.baseline()?.identity.as_deref()?)?;
    if !is_suitable(operation) || identity.signs {
        return None;
    }
    let configured = identity.places.iter().find_map(|place| match place {
        Place::Query { name } => Some(name.clone()),
        Place::Header { .. } | Place::Cookie { .. } => None,
    });
    configured.or_else(|| declared(operation, survey))
}

fn declared(operation: &SurveyedOperation, survey: &Survey) -> Option<String> {
    let Security::Required { alternatives, .. } = &operation.operation.security else { return None };
    alternatives.iter().flatten().find_map(|requirement| {
        match survey.inventory.security_schemes.get(&requirement.scheme) {
            Some(SecurityScheme::ApiKey { location: ParameterLocation::Query, name }) => Some(name.clone()),
            Some(_) | None => None,
        }
    })
}
