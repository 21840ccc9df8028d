//! Does a header that changes the meaning of a request work although it was not signed?

use engine::controls::{Acceptance, Standing, standing, verified};
use engine::{Check, Edit, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Confidence, Flaw, Meta, Recorded, SignedPart, Verdict};
use serde::{Deserialize, Serialize};

use super::asked::asked;
use super::{EFFECT, META, status, unclear};

/// Is a method override honored although it was added after signing?
pub(super) struct HeaderNotSigned;

/// A signed `GET` with and without an override header that makes it a `HEAD`.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// With an override header that was not signed.
    overridden: Recorded,
    /// The same, its signature corrupted.
    overridden_corrupted: Recorded,
}

impl Check for HeaderNotSigned {
    const META: Meta = Meta {
        id: "header-not-signed",
        title: "A header that changes what a signed request does is not signed",
        cwe: &[345, 436],
        variants: &[EFFECT],
        reference: &["SIG-012"],
        ..META
    };
    const PART: Option<SignedPart> = Some(SignedPart::Headers);
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = asked(operation, survey)?;
        if operation.key.method != "GET" || asked.baseline.exchange.response().is_none_or(|r| r.body.is_empty()) {
            return Err(NotApplicable::new("only a GET with content shows whether an override works"));
        }
        Ok(Requests { expected: 2, most: 5 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = asked(operation, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let draft = asked.draft.clone().edit(Edit::SetHeader("X-HTTP-Method-Override".into(), "HEAD".into()));
        let overridden = session.send(&draft).await?;
        let overridden_corrupted = session.send(&controls.corrupt(draft)).await?;
        Ok(Observation { valid: controls.valid, corrupted: controls.corrupted, overridden, overridden_corrupted })
    }

    fn judge(seen: &Observation) -> Verdict {
        match verified(&seen.overridden, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => return Verdict::pass(),
            Acceptance::Accepted => {
                return Verdict::NotApplicable { reason: "the override header has no effect".into() };
            }
            Acceptance::Unclear => {}
        }
        let (Some(valid), Some(answer), Some(refusal)) =
            (seen.valid.response(), seen.overridden.response(), seen.overridden_corrupted.response())
        else {
            return Verdict::inconclusive("no response to the override");
        };
        let is_head = answer.status == valid.status && answer.body.is_empty() && !valid.body.is_empty();
        let is_refused = standing(refusal) == Standing::Refused;
        if !is_head || !is_refused {
            return unclear(&seen.overridden);
        }
        let message = "a method override that was added after signing is honored";
        let flaw = Flaw::new(&EFFECT, Self::META.id, message).with_confidence(Confidence::Likely);
        Verdict::fail(flaw.mark("overridden", status(&seen.overridden)))
    }
}
