//! Do refusals tell a wrong signature from an old one and from an unknown key?

use std::collections::BTreeSet;

use engine::controls::{Sameness, Standing, content, standing, volatile};
use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Signed, Survey, Tamper, Unobserved, subject};
use model::{Flaw, Meta, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::META;
use crate::signature_coverage::asked::{Asked, corrupted, of_identity_in_any_mode as of_identity};

const TEXTS: Variant = Variant { name: "texts", when: "each reason has a refusal of its own", cvss: None };

/// How long ago an old request is signed.
///
/// **Source**: chosen; above every documented window but those of presigned URLs.
const DAY_MS: i64 = 86_400_000;

/// Do refusals of different reasons differ?
pub(super) struct DistinctSignatureErrors;

/// Two refusals for a wrong signature, and refusals for other reasons.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// One character of the signature changed.
    corrupted: Recorded,
    /// The same of another request: what differs here differs anyway.
    corrupted_again: Recorded,
    /// A refusal for each other reason.
    others: Vec<Recorded>,
    /// What is wrong in each of them.
    reasons: Vec<String>,
}

impl Check for DistinctSignatureErrors {
    const META: Meta = Meta {
        id: "distinct-signature-errors",
        title: "Refusals tell a wrong signature from an old one or an unknown key",
        cwe: &[204, 203],
        variants: &[TEXTS],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let count = others(&of_identity(&identity.0, survey)?, &survey.unknown_word)?.len();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Requests { expected: 1 + count, most: 4 + count })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let corrupted_again = session.send(&corrupted(asked.draft.clone(), controls.corruption)).await?;
        let (mut answers, mut reasons) = (Vec::new(), Vec::new());
        for (draft, reason) in others(&asked, &survey.unknown_word)? {
            answers.push(session.send(&draft).await?);
            reasons.push(reason.to_owned());
        }
        Ok(Observation { corrupted: controls.corrupted, corrupted_again, others: answers, reasons })
    }

    fn judge(seen: &Observation) -> Verdict {
        let (Some(usual), Some(again)) = (seen.corrupted.response(), seen.corrupted_again.response()) else {
            return Verdict::inconclusive("no response to a corrupted signature");
        };
        let volatile = volatile(usual, again);
        if differ(usual, again, &volatile) {
            return Verdict::inconclusive("refusals for the same reason differ at each request");
        }
        let told: Vec<&str> = seen
            .others
            .iter()
            .zip(&seen.reasons)
            .filter(|(other, _)| other.response().is_some_and(|r| refuses(r) && differ(usual, r, &volatile)))
            .map(|(_, reason)| reason.as_str())
            .collect();
        if told.is_empty() {
            return Verdict::pass();
        }
        let message = format!("{} is refused in other words than a wrong signature", told.join(", and "));
        Verdict::fail(Flaw::new(&TEXTS, "refusals-told-apart", message))
    }
}

/// A request for each other reason to refuse it.
fn others(asked: &Asked<'_>, word: &str) -> Result<Vec<(Draft, &'static str)>, NotApplicable> {
    let mut others = Vec::new();
    if asked.places.timestamp.is_some() && !asked.identity.is_monotone && !asked.is_sample() {
        others.push((asked.draft.clone().signed_at(-DAY_MS), "a time of yesterday"));
    }
    if asked.places.key_id.is_some() {
        let unknown = Edit::Signed(Signed::KeyId, Tamper::Set(word.into()));
        others.push((asked.draft.clone().edit(unknown), "an unknown key id"));
    }
    if others.is_empty() {
        return Err(NotApplicable::new("the scheme has neither a time nor a key id"));
    }
    Ok(others)
}

fn refuses(response: &Response) -> bool {
    matches!(standing(response), Standing::Refused | Standing::Invalid | Standing::Missing)
}

fn differ(a: &Response, b: &Response, volatile: &BTreeSet<String>) -> bool {
    a.status != b.status || content(a, b, volatile) == Sameness::Different
}
