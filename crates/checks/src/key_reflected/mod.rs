#![doc = include_str!("README.md")]

use std::collections::BTreeSet;

use engine::controls::sibling_request;
use engine::effect::{Effect, effect};
use engine::{
    AnyCheck, Check, Draft, NotApplicable, Protection, Requests, Session, Survey, SurveyedOperation, Unobserved, check,
    subject,
};
use inventory::{ParameterLocation, SecurityScheme};
use model::{Category, Flaw, Location, Meta, Mode, Owasp, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

mod found;
#[cfg(any(test, feature = "targets"))]
pub mod target;

use crate::key_comparison::{asked::asked, form, own_key};
use found::{Found, find, holds};

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<KeyReflected>()];

/// A key to go by where the scan has none: 128 bits in hexadecimal digits, the form of many keys.
const TEMPLATE: &str = "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0";

const REFLECTED: Variant = Variant {
    name: "reflected",
    when: "the key of the request stands in the answer",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Does the key of a request come back in the answer?
pub struct KeyReflected;

/// Answers to a random key, and where it stands in them. Each request holds a second random value where
/// nothing reads it: what repeats that too repeats everything.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The answers: to the operation itself, to a path that cannot exist, to a method that cannot exist,
    /// to a malformed path, to an unknown media type; then with the key in the query.
    #[serde(default)]
    answers: Vec<Recorded>,
    /// Where the key stands in them.
    #[serde(default)]
    found: Vec<Found>,
    /// Positions of the answers that repeat the second value.
    #[serde(default)]
    echoes: BTreeSet<usize>,
}

impl Check for KeyReflected {
    const META: Meta = Meta {
        id: "key-reflected",
        title: "The API key of a request comes back in the answer",
        category: Category::ApiKeys,
        owasp: &[Owasp::Api8],
        cwe: &[209, 200],
        variants: &[REFLECTED],
        mode: Mode::Safe,
        needs: &[],
        remedy: Some(&crate::remedies::GENERIC_ERRORS),
        reference: &["KEY-004", "KEY-005"],
        since: "0.1.0",
        disturbs: false,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        if !stands_for_all(operation, survey) {
            return Err(NotApplicable::new("another operation stands for it, or the API takes no keys in a header"));
        }
        Ok(Requests { expected: 5, most: 7 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let own = match asked(operation, survey) {
            Some(asked) => Some((own_key(&asked, session)?, asked.position)),
            None => None,
        };
        let mut random = session.random();
        let template = own.as_ref().map_or(TEMPLATE, |(key, _)| key);
        let (key, other) = (form::twin(template, &mut random), form::twin(template, &mut random));
        session.mask_made_up(&key, "random-key");
        session.mask_made_up(&other, "random-value");
        let baseline = operation
            .baseline()
            .or(operation.baselines.first())
            .ok_or(NotApplicable::new("no request of it is known"))?;
        let plain = baseline.draft(&operation.key);
        let unknown = survey.unknown_word.as_str();
        let mut seen = Observation { answers: Vec::new(), found: Vec::new(), echoes: BTreeSet::new() };
        for request in provoking(operation, &plain, survey, session.mode()) {
            let request = request.with_header(&format!("X-{unknown}"), &other);
            let draft = match (&own, declared_header(survey)) {
                (Some((_, position)), _) => {
                    Draft { request, ..plain.clone() }.replacing(*position, &key, Some("random-key"))
                }
                (None, Some(place)) => {
                    let mut draft = Draft::anonymous(request);
                    place.put(&mut draft.request, &key);
                    draft
                }
                (None, None) => continue,
            };
            seen.note(session, &draft, &key, &other).await?;
        }
        if let Some(place) = declared(survey, ParameterLocation::Query) {
            let path = sibling_request(&operation.key.path, &plain.request, unknown);
            for mut request in [plain.request.clone(), path] {
                place.put(&mut request, &key);
                let draft = Draft { request: request.with_query(unknown, &other), ..plain.clone() };
                seen.note(session, &draft.without_credentials(), &key, &other).await?;
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let answered = |at: &usize| seen.answers.get(*at).is_some_and(|answer| answer.response().is_some());
        let answered: Vec<usize> = (0..seen.answers.len()).filter(answered).collect();
        if answered.is_empty() {
            return Verdict::inconclusive("no response to a request with a random key");
        }
        if answered.iter().all(|at| seen.echoes.contains(at)) {
            return Verdict::NotApplicable { reason: "it repeats whatever is sent".into() };
        }
        let mut places = BTreeSet::new();
        let telling = seen.found.iter().filter(|found| !seen.echoes.contains(&found.answer));
        let first_of_place = telling.filter(|found| places.insert(found.header.clone()));
        Verdict::of_flaws(first_of_place.map(|found| seen.flaw(found)).collect())
    }
}

impl Observation {
    /// Sends a request, and notes where its random key stands in the answer.
    async fn note(&mut self, session: &Session, draft: &Draft, key: &str, other: &str) -> Result<(), Unobserved> {
        let answer = session.recall(draft).await?;
        let at = self.answers.len();
        if let Some(raw) = session.raw(&answer) {
            self.found.extend(find(at, &raw, key));
            if holds(&raw, other) {
                self.echoes.insert(at);
            }
        }
        self.answers.push(answer);
        Ok(())
    }

    fn flaw(&self, found: &Found) -> Flaw {
        let status = self.answers.get(found.answer).and_then(|answer| answer.status()).unwrap_or_default();
        let how = found.form.words();
        let (cause, place, location) = match &found.header {
            Some(name) => ("key-in-header", format!("header `{name}`"), Location::ResponseHeader(name.clone())),
            None => ("key-in-body", "body".to_owned(), Location::Whole),
        };
        let message = format!("the key of a request comes back in the {place} of an answer with {status}{how}");
        Flaw::new(&REFLECTED, cause, message).at(location).mark("answers", format!("HTTP {status}"))
    }
}

/// True for the one operation that is asked: the first one of the first identity with a key, or where
/// nobody has one, the first that the description protects.
fn stands_for_all(operation: &SurveyedOperation, survey: &Survey) -> bool {
    let has_key = |other: &SurveyedOperation| {
        asked(other, survey).is_some_and(|asked| asked.first && asked.identity.canary.is_some())
    };
    let by_key = survey.operations.iter().find(|other| has_key(other));
    let chosen = by_key.or_else(|| {
        declared_header(survey)?;
        survey.operations.iter().find(|other| {
            let reads = other.baselines.first().is_some_and(|b| effect(&b.request) == Effect::Reads);
            other.key.method == "GET" && other.protection == Protection::Declared && reads
        })
    });
    chosen.is_some_and(|chosen| chosen.key == operation.key)
}

fn declared_header(survey: &Survey) -> Option<Place> {
    declared(survey, ParameterLocation::Header)
}

/// Where the description wants an API key.
fn declared(survey: &Survey, wanted: ParameterLocation) -> Option<Place> {
    survey.inventory.security_schemes.values().find_map(|scheme| match scheme {
        SecurityScheme::ApiKey { location, name } if *location == wanted => match wanted {
            ParameterLocation::Header => Some(Place::Header { name: name.clone(), prefix: String::new() }),
            ParameterLocation::Query => Some(Place::Query { name: name.clone() }),
            _ => None,
        },
        _ => None,
    })
}

/// Requests that give 401, 404, 400, 415 and, by an unknown method in active mode, 405, each in many servers.
fn provoking(operation: &SurveyedOperation, plain: &Draft, survey: &Survey, mode: Mode) -> Vec<model::Request> {
    let request = &plain.request;
    let unknown = survey.unknown_word.as_str();
    let malformed = format!("{}/%zz", request.path().trim_end_matches('/'));
    let mut requests = vec![
        request.clone(),
        sibling_request(&operation.key.path, request, unknown),
        request.clone().with_path(&malformed),
        request.clone().with_header("Content-Type", &format!("application/x-{unknown}")),
    ];
    if mode >= Mode::Active {
        requests.push(request.clone().with_method(&format!("X-{}", unknown.to_ascii_uppercase())));
    }
    requests
}
