//! The pair of a condition that is false for every row and one that changes nothing, and what
//! follows from the rows that come back.

use std::collections::BTreeSet;

use engine::controls::{Standing, standing};
use engine::{Baseline, Draft, NotApplicable, Session, Survey, SurveyedOperation, Unobserved};
use model::{Recorded, Request};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::candidate::{self, PARAMETERS};
use super::rows::{place, rows};

/// Requests per subject: two plain ones to begin with; per parameter a plain one, one that is false
/// and its control; at the end one that is true, one that is invented, and the plain one again.
pub(super) const MOST: u32 = 2 + 3 * PARAMETERS as u32 + 3;

/// A plain request, and the same with conditions in one of its values.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The parameter or argument.
    parameter: String,
    /// JSON pointer of the list that is compared.
    list: String,
    /// The plain request.
    plain: Recorded,
    /// With a condition that is false for every row.
    never: Recorded,
    /// With a condition of the same form that changes nothing; only where `never` took rows away.
    #[serde(default)]
    same: Option<Recorded>,
    /// With a condition that is true for every row; only where `same` changed nothing.
    #[serde(default)]
    always: Option<Recorded>,
    /// The condition of `never` under an invented argument's name, where arguments are asked for.
    #[serde(default)]
    invented: Option<Recorded>,
    /// The plain request again, after the others.
    #[serde(default)]
    plain_again: Option<Recorded>,
    /// Another identity whose row came with `always`, by what the survey knows of both.
    #[serde(default)]
    owner: Option<String>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

/// What the rows say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The condition was evaluated, and `always` added rows or not.
    Evaluated { grew: bool },
    /// It was not.
    Data,
    /// That cannot be told, and why.
    Unclear(String),
}

impl Observation {
    pub(super) fn parameter(&self) -> &str {
        &self.parameter
    }

    pub(super) fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// What the rows say.
    pub(super) fn outcome(&self) -> Outcome {
        let of = |answer: &Recorded| rows(answer, &self.list, &self.volatile);
        let Some(plain) = of(&self.plain).filter(|rows| !rows.is_empty()) else {
            return unclear("the plain request lists nothing");
        };
        if let Some(outcome) = excluded(&self.never) {
            return outcome;
        }
        let Some(never) = of(&self.never) else { return unclear("a list is missing where a condition is sent") };
        if never == plain {
            return Outcome::Data;
        }
        if !never.is_subset(&plain) {
            return unclear("a condition that is false brought other rows");
        }
        let Some(same) = &self.same else { return unclear("its control was not sent") };
        if let Some(outcome) = excluded(same) {
            return outcome;
        }
        if of(same).as_ref() != Some(&plain) {
            return Outcome::Data;
        }
        if self.plain_again.as_ref().and_then(of).as_ref() != Some(&plain) {
            return unclear("the list changes by itself");
        }
        // An argument that nobody knows and that does the same is no argument of the SDK.
        if self.invented.as_ref().and_then(of).is_some_and(|rows| rows == never) {
            return Outcome::Data;
        }
        match &self.always {
            None => Outcome::Evaluated { grew: false },
            Some(always) => match of(always) {
                Some(rows) if rows.is_superset(&plain) => Outcome::Evaluated { grew: rows.len() > plain.len() },
                Some(_) | None => unclear("a condition that is true took rows away"),
            },
        }
    }
}

fn unclear(why: &str) -> Outcome {
    Outcome::Unclear(why.to_owned())
}

/// What follows from an answer that does not work.
fn excluded(answer: &Recorded) -> Option<Outcome> {
    let Some(response) = answer.response() else { return Some(unclear("no response to a condition")) };
    match standing(response) {
        Standing::Works => None,
        Standing::Refused | Standing::Missing | Standing::Invalid => Some(Outcome::Data),
        Standing::Limited | Standing::Failed | Standing::Redirected | Standing::Unclear => {
            Some(Outcome::Unclear(format!("a condition was answered with {}", response.status)))
        }
    }
}

/// The conditions that take the place of one value.
pub(super) struct Conditions {
    pub(super) parameter: String,
    pub(super) plain: Request,
    pub(super) never: Request,
    pub(super) same: Request,
    pub(super) always: Option<Request>,
    pub(super) invented: Option<Request>,
}

/// The plain request of an operation with what it lists: with all parameters that the description
/// shows a value for, or else as the survey found it.
pub(super) async fn listing(
    operation: &SurveyedOperation,
    survey: &Survey,
    session: &Session,
) -> Result<(Request, Value), Unobserved> {
    let baseline = candidate::working(operation)?;
    let filled = candidate::filled(operation, survey, &baseline.request);
    for request in [filled, baseline.request.clone()] {
        let answer = session.recall(&draft(operation, baseline, request.clone())).await?;
        if let Some(row) = first_row(&answer) {
            return Ok((request, row));
        }
    }
    Err(NotApplicable::new("its answer lists nothing that could be compared").into())
}

/// Sends conditions until some of them take rows away and their control does not.
pub(super) async fn observe(
    operation: &SurveyedOperation,
    survey: &Survey,
    session: &Session,
    tries: Vec<Conditions>,
) -> Result<Observation, Unobserved> {
    let baseline = candidate::working(operation)?;
    let send = |request: &Request| {
        let draft = draft(operation, baseline, request.clone());
        async move { session.recall(&draft).await }
    };
    let mut last = None;
    for conditions in tries {
        let plain = send(&conditions.plain).await?;
        let list = plain.response().filter(|r| standing(r) == Standing::Works).and_then(|r| place(&r.json()?));
        let Some(list) = list else { continue };
        let never = send(&conditions.never).await?;
        let volatile = baseline.volatile.clone();
        let mut seen = Observation {
            parameter: conditions.parameter,
            list,
            plain,
            never,
            same: None,
            always: None,
            invented: None,
            plain_again: None,
            owner: None,
            volatile,
        };
        if !seen.took_away(&seen.never) {
            // Rather one that was refused or ignored than one that could not be told.
            last.get_or_insert(seen);
            continue;
        }
        let same = send(&conditions.same).await?;
        let changed_nothing = seen.lists_as_plain(&same);
        seen.same = Some(same);
        if !changed_nothing {
            last = Some(seen);
            continue;
        }
        if let Some(request) = &conditions.always {
            let always = send(request).await?;
            seen.owner = owner(&seen, baseline, survey, session, &always);
            seen.always = Some(always);
        }
        if let Some(request) = &conditions.invented {
            seen.invented = Some(send(request).await?);
        }
        seen.plain_again = Some(session.send(&draft(operation, baseline, conditions.plain)).await?);
        return Ok(seen);
    }
    last.ok_or_else(|| NotApplicable::new("no value of it could be a condition").into())
}

impl Observation {
    fn took_away(&self, answer: &Recorded) -> bool {
        let (plain, rows) = (rows(&self.plain, &self.list, &self.volatile), rows(answer, &self.list, &self.volatile));
        plain.zip(rows).is_some_and(|(plain, rows)| rows.len() < plain.len() && rows.is_subset(&plain))
    }

    fn lists_as_plain(&self, answer: &Recorded) -> bool {
        let plain = rows(&self.plain, &self.list, &self.volatile);
        plain.is_some() && plain == rows(answer, &self.list, &self.volatile)
    }
}

fn draft(operation: &SurveyedOperation, baseline: &Baseline, request: Request) -> Draft {
    Draft { request, ..baseline.draft(&operation.key) }
}

fn first_row(answer: &Recorded) -> Option<Value> {
    let response = answer.response().filter(|r| standing(r) == Standing::Works)?;
    let body = response.json()?;
    let list = place(&body)?;
    body.pointer(&list)?.get(0).cloned()
}

/// Another identity that saw a row of `always` which neither the plain answer nor anything else that
/// the sender saw holds.
fn owner(
    seen: &Observation,
    baseline: &Baseline,
    survey: &Survey,
    session: &Session,
    always: &Recorded,
) -> Option<String> {
    let raw = session.raw(always)?.json()?;
    let shown: Vec<&Value> = raw.pointer(&seen.list)?.as_array()?.iter().collect();
    let saw = |row: &Value, name: &str| {
        let mut resources = survey.resources.iter().filter(|r| r.identity.as_deref() == Some(name));
        resources.any(|resource| is_same(row, &resource.members))
    };
    let sender = baseline.identity.as_deref()?;
    let strange: Vec<&&Value> = shown.iter().filter(|row| !saw(row, sender)).collect();
    let others = survey.identities.iter().filter(|identity| &*identity.name != sender && identity.alive);
    let mut owners = others.filter(|other| strange.iter().any(|row| saw(row, &other.name)));
    owners.next().map(|other| other.name.to_string())
}

/// True if an object that was seen before is this row: every member that both have is equal, and one
/// of them is an id.
fn is_same(row: &Value, members: &[(String, Value)]) -> bool {
    let both: Vec<_> = members.iter().filter_map(|(name, value)| Some((name, value, row.get(name)?))).collect();
    let is_id = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.ends_with("id") || name == "uuid" || name == "key"
    };
    both.iter().all(|(_, seen, shown)| seen == shown) && both.iter().any(|(name, ..)| is_id(name))
}
