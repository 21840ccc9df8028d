//! Are the answers to signed requests signed too?

use engine::controls::Standing;
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Meta, Need, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::declared::is_signature;
use super::{META, note};

const NOTE: Variant = note("unsigned", "requests are signed, answers are not");

/// Answers that are looked at.
///
/// **Source**: chosen; signing answers is a matter of one layer.
const MOST: usize = 3;

/// Do signed requests get unsigned answers?
pub(super) struct AnswersNotSigned;

/// Answers to requests that were signed.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Each of another operation.
    answers: Vec<Recorded>,
}

impl Check for AnswersNotSigned {
    const META: Meta = Meta {
        id: "answers-not-signed",
        title: "Answers to signed requests are not signed",
        owasp: &[],
        cwe: &[353],
        variants: &[NOTE],
        needs: &[Need::Signing],
        reference: &["SIG-038"],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        if answers(survey).is_empty() {
            return Err(NotApplicable::new("no signed request was answered"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(_: &subject::Target, survey: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        Ok(Observation { answers: answers(survey) })
    }

    fn judge(seen: &Observation) -> Verdict {
        let signed = seen.answers.iter().filter_map(|answer| answer.response()).any(|answer| {
            answer.headers.iter().any(|(name, _)| is_signature(name) || name.eq_ignore_ascii_case("signature-input"))
        });
        if signed {
            return Verdict::pass();
        }
        let message = "no header of an answer holds a signature: only TLS keeps answers whole";
        Verdict::fail(Flaw::new(&NOTE, "answers", message))
    }
}

fn answers(survey: &Survey) -> Vec<Recorded> {
    let signed = survey.operations.iter().filter_map(|operation| survey.signed(operation));
    let works = signed.filter(|(baseline, _)| baseline.standing == Standing::Works);
    works.map(|(baseline, _)| baseline.exchange.clone()).take(MOST).collect()
}
