//! Is a used nonce accepted in a request that was signed again?

use engine::controls::{Acceptance, admitted};
use engine::{Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Meta, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{CONTROLS, META, ONCE, once, unordered};
use crate::signature_coverage::asked::{Asked, asked};
use crate::signature_coverage::{status, unclear};

const SCOPE: Variant = Variant { name: "scope", when: "a used nonce works for another operation", cvss: None };

/// Is a used nonce accepted by another operation?
pub(super) struct NonceReuseAccepted;

/// A nonce that one operation refuses as used, and another operation's request that was signed with it.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// The other operation's request with a nonce of its own.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The other operation's request, signed with the used nonce.
    reused: Recorded,
}

impl Check for NonceReuseAccepted {
    const META: Meta = Meta {
        id: "nonce-reuse-accepted",
        title: "A used nonce is accepted by another operation",
        cwe: &[294],
        variants: &[SCOPE],
        reference: &["SIG-023"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let own = unordered(identity, survey)?;
        if own.places.nonce.is_none() {
            return Err(NotApplicable::new("the scheme has no nonce"));
        }
        another(&own, survey)?;
        Ok(Requests { expected: 3, most: 2 * CONTROLS + ONCE + 1 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let own = unordered(identity, survey)?;
        let other = another(&own, survey)?;
        let controls = own.controls(session).await?.differ()?;
        let others = other.controls(session).await?.differ()?;
        let used = once(&own.draft, &controls, session).await?;
        let reused = Draft { frozen: used.draft.frozen, ..other.draft.clone() };
        let reused = session.send(&reused).await?;
        Ok(Observation { valid: others.valid, corrupted: others.corrupted, reused })
    }

    fn judge(seen: &Observation) -> Verdict {
        match admitted(&seen.reused, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => Verdict::pass(),
            Acceptance::Unclear => unclear(&seen.reused),
            Acceptance::Accepted => {
                let message = "a nonce that one operation refuses as used is accepted by another one";
                Verdict::fail(Flaw::new(&SCOPE, "nonce-scope", message).mark("reused", status(&seen.reused)))
            }
        }
    }
}

/// A signed request of another operation of this identity that is not open to everybody.
fn another<'s>(own: &Asked<'s>, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    let others = survey.operations.iter().filter(|o| Some(&o.key) != own.draft.operation.as_ref());
    let guarded = others.filter(|o| o.protection != engine::Protection::Public);
    let asked = guarded.filter_map(|o| asked(o, survey).ok()).find(|a| a.identity.name == own.identity.name);
    asked.ok_or(NotApplicable::new("no other operation answers it"))
}
