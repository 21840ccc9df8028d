//! Does a method override work although it was not signed?

use std::collections::BTreeSet;

use engine::controls::{Acceptance, Sameness, Standing, standing, verified};
use engine::effect::OVERRIDE_HEADERS;
use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Confidence, Flaw, Meta, Recorded, SignedPart, Verdict};
use serde::{Deserialize, Serialize};

use super::asked::{Asked, asked_in_any_mode as asked};
use super::{EFFECT, META, compare, is_from_cache, status, unclear};

/// Is a method override honored although it was added after signing?
pub(super) struct HeaderNotSigned;

/// A signed request with and without headers that name another method, one that reads.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// With override headers that were not signed: `HEAD` for a `GET`, `GET` for what writes.
    overridden: Recorded,
    /// The same, its signature corrupted.
    overridden_corrupted: Recorded,
    /// With a header of an unknown name in place of the override; absent where that has no effect.
    #[serde(default)]
    unknown_header: Option<Recorded>,
    /// As the first, once more; absent where the override has no effect.
    #[serde(default)]
    again: Option<Recorded>,
    /// With the override, after that.
    #[serde(default)]
    overridden_again: Option<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
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
        other_method(&operation.key.method)?;
        if asked.baseline.exchange.response().is_none_or(|r| r.body.is_empty()) {
            return Err(NotApplicable::new("only an answer with content shows whether an override works"));
        }
        Ok(Requests { expected: 2, most: 8 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = asked(operation, survey)?.apart(&survey.unknown_word);
        let method = other_method(&operation.key.method)?;
        let controls = asked.controls(session).await?.differ()?;
        if is_from_cache(&controls.valid) {
            return Err(Unobserved::Inconclusive("a cache answers although the query is new".into()));
        }
        let draft = overriding(&asked, method);
        let overridden = session.send(&draft).await?;
        let overridden_corrupted = session.send(&controls.corrupt(draft)).await?;
        let mut seen = Observation {
            valid: controls.valid.clone(),
            corrupted: controls.corrupted.clone(),
            overridden,
            overridden_corrupted,
            unknown_header: None,
            again: None,
            overridden_again: None,
            volatile: asked.baseline.volatile.clone(),
        };
        if seen.is_head() || seen.has_effect() {
            let unknown = Edit::SetHeader(format!("X-{}", survey.unknown_word), method.into());
            seen.unknown_header = Some(session.send(&asked.draft.clone().edit(unknown)).await?);
            seen.again = Some(session.send(&asked.draft).await?);
            seen.overridden_again = Some(session.send(&overriding(&asked, method)).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let acceptance = verified(&seen.overridden, &seen.valid, &seen.corrupted);
        if acceptance == Acceptance::Refused {
            return Verdict::pass();
        }
        let message = "a method override that was added after signing is honored";
        let flaw = || {
            let flaw = Flaw::new(&EFFECT, Self::META.id, message).with_confidence(Confidence::Likely);
            Verdict::fail(flaw.mark("overridden", status(&seen.overridden)))
        };
        if !seen.is_head() && !seen.has_effect() {
            return match acceptance {
                Acceptance::Accepted => Verdict::NotApplicable { reason: "the override header has no effect".into() },
                Acceptance::Refused | Acceptance::Unclear => unclear(&seen.overridden),
            };
        }
        let usual = |exchange: &Option<Recorded>| {
            exchange.as_ref().is_some_and(|e| compare(e, &seen.valid, &seen.volatile) == Sameness::Same)
        };
        if usual(&seen.unknown_header) && usual(&seen.again) && seen.has_effect_again() {
            return flaw();
        }
        Verdict::inconclusive("the answer changes without an override too, or not with each")
    }
}

impl Observation {
    /// True if the answer is that to a `HEAD`, and a corrupted signature is refused.
    fn is_head(&self) -> bool {
        let (Some(valid), Some(answer), Some(refusal)) =
            (self.valid.response(), self.overridden.response(), self.overridden_corrupted.response())
        else {
            return false;
        };
        let is_head = answer.status == valid.status && answer.body.is_empty() && !valid.body.is_empty();
        is_head && standing(refusal) == Standing::Refused
    }

    /// True if the override gets the same answer a second time.
    fn has_effect_again(&self) -> bool {
        let Some(again) = &self.overridden_again else { return false };
        let (Some(first), Some(second)) = (self.overridden.response(), again.response()) else { return false };
        first.status == second.status
            && first.body.is_empty() == second.body.is_empty()
            && compare(again, &self.overridden, &self.volatile) != Sameness::Different
    }

    /// True if the signature passes, and the answer is another one than to the method as it is: other
    /// content, or no such method here.
    fn has_effect(&self) -> bool {
        if verified(&self.overridden_corrupted, &self.valid, &self.corrupted) != Acceptance::Refused {
            return false;
        }
        match self.overridden.response().map(standing) {
            Some(Standing::Works) => compare(&self.overridden, &self.valid, &self.volatile) == Sameness::Different,
            Some(Standing::Missing) => true,
            Some(
                Standing::Refused
                | Standing::Invalid
                | Standing::Limited
                | Standing::Failed
                | Standing::Redirected
                | Standing::Unclear,
            )
            | None => false,
        }
    }
}

/// The reading method to name in the override.
///
/// **Source**: docs/rows.md: overrides only to GET, HEAD or an invented verb.
fn other_method(method: &str) -> Result<&'static str, NotApplicable> {
    match method {
        "GET" => Ok("HEAD"),
        "POST" | "PUT" | "PATCH" => Ok("GET"),
        _ => Err(NotApplicable::new("overrides are for GET and for methods that write")),
    }
}

fn overriding(asked: &Asked<'_>, method: &str) -> Draft {
    OVERRIDE_HEADERS
        .iter()
        .fold(asked.draft.clone(), |draft, name| draft.edit(Edit::SetHeader((*name).into(), method.into())))
}
