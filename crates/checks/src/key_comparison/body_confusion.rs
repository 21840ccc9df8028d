//! Other types than text where a JSON body holds a key.

use std::collections::BTreeSet;

use engine::controls::{Standing, standing};
use engine::effect::is_metered;
use engine::{
    Baseline, Check, Draft, NotApplicable, Requests, Session, Survey, SurveyedOperation, Unobserved, subject,
};
use model::{Flaw, Location, Meta, Mode, Recorded, Request, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::type_confusion::{ACCEPTED, FAILS};
use super::{How, META as FAMILY, form, how};

/// Names of members that hold a key, in lower case and without separators.
///
/// **Source**: documents of Mandrill (`key` beside `api_key` of others), SendPulse, UptimeRobot
/// (`api_key`), OneSignal (`app_auth_key`) and Binance; `key` and `token` alone are left out, since
/// applications use them for other things.
const NAMES: [&str; 8] =
    ["apikey", "accesskey", "apitoken", "authkey", "appauthkey", "secretkey", "apisecret", "accesskeyid"];

/// Is a value of another type accepted in place of a key in a body?
pub(super) struct KeyInBodyTypeConfusion;

/// A request whose body holds a random key, and the same with values of other types in its place.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// As the survey sent it.
    survey: Recorded,
    /// With a random key as text.
    random: Recorded,
    /// Without the member.
    without_key: Recorded,
    /// With values of other types.
    #[serde(default)]
    tries: Vec<Recorded>,
    /// What they are.
    #[serde(default)]
    tried: Vec<String>,
    /// The first that was accepted or failed, again.
    #[serde(default)]
    repeated: Vec<Recorded>,
    /// With a random key, between those.
    #[serde(default)]
    controls: Vec<Recorded>,
    /// Name of the member.
    member: String,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

/// Values that loose comparisons and queries of documents take for any key.
///
/// **Source**: PHP 8 manual, comparison of booleans with texts; MongoDB manual, `$ne`; MySQL manual,
/// comparison of numbers with texts.
fn values(random: &str) -> [(&'static str, Value); 5] {
    [
        ("true", json!(true)),
        ("the number 0", json!(0)),
        ("an empty list", json!([])),
        ("an object with `$ne`", json!({ "$ne": "" })),
        ("a list of a random key", json!([random])),
    ]
}

impl Check for KeyInBodyTypeConfusion {
    const META: Meta = Meta {
        id: "body-key-type-confusion",
        title: "A value of another type in place of an API key in a body is not refused",
        cwe: &[843, 943],
        variants: &[ACCEPTED, FAILS],
        mode: Mode::Active,
        needs: &[],
        reference: &["KEY-018"],
        ..FAMILY
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        asked(operation)?;
        Ok(Requests { expected: 7, most: 11 })
    }

    async fn observe(operation: &subject::Operation, _: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let Asked { baseline, member, body } = asked(operation)?;
        let draft = baseline.draft(&operation.key);
        let text = body.get(&member).and_then(Value::as_str).unwrap_or_default();
        let random = form::twin(if text.len() < 8 { "a0b1c2d3e4f5a6b7" } else { text }, &mut session.random());
        let with = |value: Option<Value>| {
            let mut body = body.clone();
            match value {
                Some(value) => _ = body.insert(member.clone(), value),
                None => _ = body.remove(&member),
            }
            let request = draft.request.clone().with_json(&Value::Object(body));
            Draft { request, ..draft.clone() }
        };
        let control = with(Some(json!(random)));
        let mut seen = Observation {
            survey: session.recall(&draft).await?,
            random: session.recall(&control).await?,
            without_key: session.recall(&with(None)).await?,
            tries: Vec::new(),
            tried: Vec::new(),
            repeated: Vec::new(),
            controls: Vec::new(),
            volatile: baseline.volatile.clone(),
            member: member.clone(),
        };
        if !seen.can_tell() {
            return Ok(seen);
        }
        for (what, value) in values(&random) {
            let draft = with(Some(value));
            let answer = session.recall(&draft).await?;
            let shows = seen.shows(&answer).is_some();
            seen.tries.push(answer);
            seen.tried.push(what.to_owned());
            if shows {
                seen.controls.push(session.send(&control).await?);
                seen.repeated.push(session.send(&draft).await?);
                seen.controls.push(session.send(&control).await?);
                break;
            }
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        if seen.random.response().is_some_and(|answer| standing(answer) == Standing::Works) {
            return Verdict::NotApplicable { reason: "a random key in the body is not refused".into() };
        }
        if !seen.can_tell() {
            return Verdict::inconclusive("a random key in the body, or none, is not plainly refused");
        }
        let odd =
            seen.tries.iter().zip(&seen.tried).find_map(|(answer, what)| Some((answer, what, seen.shows(answer)?)));
        let Some((answer, what, variant)) = odd else {
            let refused = |answer: &Recorded| answer.response().is_some_and(|r| says_no(standing(r)));
            return match !seen.tries.is_empty() && seen.tries.iter().all(refused) {
                true => Verdict::pass(),
                false => Verdict::inconclusive("a value of another type is neither accepted nor refused"),
            };
        };
        let again = seen.repeated.iter().any(|again| seen.shows(again).is_some_and(|other| other.name == variant.name));
        if !again || !seen.controls.iter().all(is_denied) {
            return Verdict::inconclusive("what a value of another type gives differs from time to time");
        }
        let member = &seen.member;
        let status = answer.response().map_or(0, |answer| answer.status);
        let message = match variant.name == ACCEPTED.name {
            true => format!("{what} in place of `{member}` is accepted; a random key is refused"),
            false => format!("{what} in place of `{member}` gives {status}; a random key is refused"),
        };
        let flaw = Flaw::new(variant, "body-key-type-confusion", message);
        Verdict::fail(flaw.at(Location::Parameter(member.clone())).mark("tries", format!("HTTP {status}")))
    }
}

impl Observation {
    fn can_tell(&self) -> bool {
        is_denied(&self.random) && self.without_key.response().is_some_and(|answer| says_no(standing(answer)))
    }

    /// What an answer would show of the API; nothing where it is a refusal or fits no class.
    fn shows(&self, exchange: &Recorded) -> Option<&'static model::Variant> {
        let answer = exchange.response()?;
        let as_before = how(exchange, &self.survey, &self.volatile) == How::Accepted;
        match standing(answer) {
            Standing::Works if as_before || !is_working(&self.survey) => Some(&ACCEPTED),
            // A gateway that reaches nobody says nothing of the key.
            Standing::Failed if answer.status == 500 => Some(&FAILS),
            Standing::Works
            | Standing::Failed
            | Standing::Refused
            | Standing::Missing
            | Standing::Invalid
            | Standing::Limited
            | Standing::Redirected
            | Standing::Unclear => None,
        }
    }
}

fn is_working(exchange: &Recorded) -> bool {
    exchange.response().is_some_and(|answer| standing(answer) == Standing::Works)
}

/// True if it is refused for its credentials.
fn is_denied(exchange: &Recorded) -> bool {
    exchange.response().is_some_and(|answer| standing(answer) == Standing::Refused)
}

fn says_no(standing: Standing) -> bool {
    matches!(standing, Standing::Refused | Standing::Invalid)
}

/// A request whose body holds a key.
struct Asked<'a> {
    baseline: &'a Baseline,
    member: String,
    body: Map<String, Value>,
}

/// The survey sends no writing request but those that the user lists under `repeatable`.
fn asked(operation: &SurveyedOperation) -> Result<Asked<'_>, NotApplicable> {
    if operation.is_reading() || is_metered(&operation.key.path) {
        return Err(NotApplicable::new("it has no body, or each call may cost money"));
    }
    let found = operation.baselines.iter().find_map(keyed);
    found.ok_or(NotApplicable::new("it is not listed under `repeatable`, or its body holds no key"))
}

fn keyed(baseline: &Baseline) -> Option<Asked<'_>> {
    let body = body(baseline)?;
    let member = body.iter().find(|(name, value)| value.is_string() && is_key(name))?.0.clone();
    Some(Asked { baseline, member, body })
}

fn body(baseline: &Baseline) -> Option<Map<String, Value>> {
    let Request { body, .. } = &baseline.request;
    match serde_json::from_slice(body.bytes()).ok()? {
        Value::Object(members) => Some(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

fn is_key(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    NAMES.contains(&plain.as_str())
}
