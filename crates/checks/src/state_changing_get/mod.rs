#![doc = include_str!("README.md")]

use engine::controls::{Sameness, Standing, content, standing};
use engine::effect::{self, Effect, effect as effect_of};
use engine::{
    AnyCheck, Baseline, Check, NotApplicable, Reach, Requests, Session, Survey, SurveyedOperation, Unobserved, check,
    subject,
};
use model::{Category, Confidence, Flaw, Meta, Mode, Owasp, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<StateChangingGet>()];

const SEEN: Variant = Variant {
    name: "seen",
    when: "another operation reads differently after it (active mode)",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

const SAID: Variant = Variant {
    name: "said",
    when: "the specification or the response says so",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

/// Operations whose content is compared before and after.
///
/// **Source**: chosen; an effect shows in the collection that it concerns, which is near.
const NEIGHBORS: usize = 3;

/// Requests for one neighbor: twice before, twice after, once after the second call.
const READS: u32 = 5;

/// Names under which a response says what was done.
const MESSAGES: [&str; 7] = ["message", "msg", "detail", "info", "result", "status", "success"];

/// Words of a response that started or did something.
///
/// **Source**: chosen, from responses of job queues and of the article's export.
const DONE: [&str; 18] = [
    "started",
    "queued",
    "enqueued",
    "scheduled",
    "triggered",
    "submitted",
    "initiated",
    "has been",
    "have been",
    "was sent",
    "were sent",
    "successfully created",
    "successfully deleted",
    "successfully updated",
    "successfully sent",
    "will be sent",
    "will be emailed",
    "will receive",
];

/// Longest text that is a message, and most members of an object that is one.
///
/// **Source**: chosen; content of an API is longer, or has more of them.
const LONGEST_MESSAGE: usize = 200;
/// See [`LONGEST_MESSAGE`].
const MOST_MEMBERS: usize = 4;

/// Does an operation that is read by GET change something?
pub struct StateChangingGet;

/// What says that it changes something, and, in active mode, what is read around it.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// What of the specification says so, such as `its path`; absent where nothing does.
    says: Option<String>,
    /// Its response, where it was sent.
    response: Option<Recorded>,
    /// True if the response says that it did or started something.
    #[serde(default)]
    response_says: bool,
    /// Other operations before it, each twice.
    #[serde(default)]
    before: Vec<Recorded>,
    /// The same after it, each twice.
    #[serde(default)]
    after: Vec<Recorded>,
    /// The same after it was sent again, each once.
    #[serde(default)]
    after_second: Vec<Recorded>,
}

impl Check for StateChangingGet {
    const META: Meta = Meta {
        id: "state-changing-get",
        title: "A GET operation changes state",
        category: Category::InputValidation,
        owasp: &[Owasp::Api8],
        cwe: &[650, 352],
        variants: &[SEEN, SAID],
        mode: Mode::Passive,
        needs: &[],
        remedy: None,
        reference: &[],
        since: "0.2.0",
        disturbs: false,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        if operation.key.method != "GET" {
            return Err(NotApplicable::new("it is no GET"));
        }
        if survey.mode < Mode::Active || working(operation).is_none() || stated(operation).is_none() {
            return Ok(Requests::NONE);
        }
        let neighbors = u32::try_from(neighbors(operation, survey).len()).unwrap_or_default();
        Ok(Requests::at_most(if neighbors == 0 { 0 } else { 2 + neighbors * READS }))
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let baseline = working(operation);
        let says = stated(operation);
        let response = baseline.map(|baseline| baseline.exchange.clone());
        let response_says = response.as_ref().and_then(|exchange| exchange.response()).is_some_and(says_done);
        let mut seen = Observation {
            says,
            response,
            response_says,
            before: Vec::new(),
            after: Vec::new(),
            after_second: Vec::new(),
        };
        let (Some(baseline), true, true) = (baseline, session.mode() >= Mode::Active, seen.says.is_some()) else {
            return Ok(seen);
        };
        let neighbors = neighbors(operation, survey);
        if neighbors.is_empty() {
            return Ok(seen);
        }
        let call = baseline.draft(&operation.key);
        read(&neighbors, 2, session, &mut seen.before).await?;
        seen.response = Some(session.send(&call).await?);
        read(&neighbors, 2, session, &mut seen.after).await?;
        session.send(&call).await?;
        read(&neighbors, 1, session, &mut seen.after_second).await?;
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        if let Some((place, confidence)) = seen.effect() {
            let message = format!("{place} reads differently after it was sent");
            return Verdict::fail(Flaw::new(&SEEN, "seen", message).with_confidence(confidence).mark("after", place));
        }
        let possible = |cause: &str, message: String| {
            Verdict::fail(Flaw::new(&SAID, cause, message).with_confidence(Confidence::Possible))
        };
        match (&seen.says, seen.response_says) {
            (Some(place), _) => possible("said", format!("{place} says that a GET changes state")),
            (None, true) => possible("response", "its response says that something was done or started".into()),
            (None, false) => Verdict::pass(),
        }
    }
}

impl Observation {
    /// What reads differently after the call, and how sure that is: the content was the same twice before
    /// and the same twice after; confirmed where it changes with the second call too.
    fn effect(&self) -> Option<(String, Confidence)> {
        let pairs = self.before.chunks(2).zip(self.after.chunks(2)).enumerate();
        pairs.into_iter().find_map(|(at, (before, after))| {
            let [first, second] = [before.first()?, before.get(1)?].map(|e| e.response());
            let [third, fourth] = [after.first()?, after.get(1)?].map(|e| e.response());
            let (first, second, third, fourth) = (first?, second?, third?, fourth?);
            let works = [first, second, third, fourth].iter().all(|response| standing(response) == Standing::Works);
            let none = Default::default();
            let is_steady =
                content(first, second, &none) == Sameness::Same && content(third, fourth, &none) != Sameness::Different;
            if !works || !is_steady || content(second, third, &none) != Sameness::Different {
                return None;
            }
            let last = self.after_second.get(at).and_then(|e| e.response());
            let again = last.is_some_and(|last| content(fourth, last, &none) == Sameness::Different);
            let confidence = if again { Confidence::Confirmed } else { Confidence::Likely };
            Some((before.first()?.request.target.clone(), confidence))
        })
    }
}

fn working(operation: &SurveyedOperation) -> Option<&Baseline> {
    operation.baseline().or(operation.any_baseline())
}

/// What of the specification says that it changes state, and else whether every request for it was kept
/// back.
fn stated(operation: &SurveyedOperation) -> Option<String> {
    let by_name = effect::stated(&operation.operation).map(|stated| stated.place.to_owned());
    let is_kept_back = matches!(&operation.reach, Reach::SetAside(reason) if reason.starts_with(effect::BY_NAME));
    by_name.or(is_kept_back.then(|| "the value of a parameter".to_owned()))
}

/// Reading operations near this one, the nearest first.
fn neighbors<'s>(operation: &SurveyedOperation, survey: &'s Survey) -> Vec<(&'s SurveyedOperation, &'s Baseline)> {
    let shared = |other: &str| other.split('/').zip(operation.key.path.split('/')).take_while(|(a, b)| a == b).count();
    let mut near: Vec<_> = survey
        .operations
        .iter()
        .filter(|other| other.key != operation.key && other.key.method == "GET" && !other.is_costly())
        .filter_map(|other| Some((&**other, working(other)?)))
        .filter(|(_, baseline)| effect_of(&baseline.request) == Effect::Reads && baseline.volatile.is_empty())
        .collect();
    near.sort_by_key(|(other, _)| (std::cmp::Reverse(shared(&other.key.path)), other.operation.index));
    near.truncate(NEIGHBORS);
    near
}

async fn read(
    neighbors: &[(&SurveyedOperation, &Baseline)],
    times: usize,
    session: &Session,
    into: &mut Vec<Recorded>,
) -> Result<(), Unobserved> {
    for (operation, baseline) in neighbors {
        for _ in 0..times {
            into.push(session.send(&baseline.draft(&operation.key)).await?);
        }
    }
    Ok(())
}

/// True if a response is a message that something was done or started.
fn says_done(response: &Response) -> bool {
    if standing(response) != Standing::Works {
        return false;
    }
    let says = |text: &str| {
        let text = text.to_lowercase();
        text.len() <= LONGEST_MESSAGE && DONE.iter().any(|word| text.contains(word))
    };
    match response.json() {
        Some(Value::Object(members)) if members.len() <= MOST_MEMBERS => members
            .iter()
            .any(|(name, value)| MESSAGES.contains(&name.to_lowercase().as_str()) && value.as_str().is_some_and(says)),
        Some(Value::String(text)) => says(&text),
        Some(_) => false,
        None => response.media_type() == "text/plain" && says(&response.body.text()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(body: &str) -> Response {
        Response {
            status: 200,
            headers: [("Content-Type", "application/json")].into_iter().collect(),
            body: body.to_owned().into(),
            body_bytes: 0,
            truncated: false,
        }
    }

    #[test]
    fn a_message_that_something_was_started_is_told_from_content() {
        for body in [
            r#"{"message":"Export started"}"#,
            r#"{"status":"queued","job":"17"}"#,
            r#"{"detail":"An e-mail has been sent."}"#,
            r#""Backup scheduled""#,
        ] {
            assert!(says_done(&response(body)), "{body}");
        }
        for body in [
            r#"[{"message":"Export started"}]"#,
            r#"{"id":1,"status":"started","owner":"ann","at":"2026-01-01","total":3}"#,
            r#"{"message":"Welcome to the shop"}"#,
            r#"{"title":"The war has been lost"}"#,
            r#"{"ok":false,"message":"Export started"}"#,
        ] {
            assert!(!says_done(&response(body)), "{body}");
        }
    }
}
