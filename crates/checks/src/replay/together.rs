//! Are copies accepted that arrive at once, although a later copy is refused?

use engine::controls::{Acceptance, admitted};
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Meta, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{CONTROLS, META, ONCE, judged, once, unordered};
use crate::signature_coverage::asked::Controls;
use crate::signature_coverage::{is_from_cache, status, unclear};

const RACE: Variant = Variant {
    name: "race",
    when: "copies that arrive at once work, a later one does not",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

/// Copies that are sent at once.
///
/// **Source**: chosen; fewer than the scan's usual places, more than a lookup and a write take in turn.
const COPIES: usize = 5;

/// Times that copies are sent at once: a race is lost by chance.
///
/// **Source**: chosen; the first round may spend its time on opening connections.
const ROUNDS: u32 = 2;

/// Are copies accepted that arrive at once?
pub(super) struct ConcurrentReplayAccepted;

/// Copies of one signed request, sent at once and later.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Another request with a signature of its own.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The copy of a request that was accepted before.
    copy: Recorded,
    /// Copies of another request, sent at once: of the round in which more than one was accepted, else
    /// of the last.
    together: Vec<Recorded>,
    /// One more copy of it, sent after all of them were answered.
    later: Recorded,
}

impl Check for ConcurrentReplayAccepted {
    const META: Meta = Meta {
        id: "concurrent-replay-accepted",
        title: "Copies of a signed request are accepted when sent at once",
        cwe: &[294],
        variants: &[RACE],
        reference: &["SIG-022"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        unordered(identity, survey)?;
        Ok(Requests { expected: 3, most: CONTROLS + ONCE + ROUNDS * (COPIES as u32 + 1) })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = unordered(identity, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let copy = once(&asked.draft, &controls, session).await?.copy;
        let mut round = 1;
        loop {
            let draft = asked.draft.clone().frozen(session.stamp(&asked.draft).await);
            let together = session.send_together(&draft, COPIES).await?;
            let accepted = together.iter().filter(|e| judged(e, &controls) == Acceptance::Accepted).count();
            let later = session.send(&draft).await?;
            if accepted > 1 || round == ROUNDS {
                let Controls { valid, corrupted, .. } = controls;
                return Ok(Observation { valid, corrupted, copy, together, later });
            }
            round += 1;
        }
    }

    fn judge(seen: &Observation) -> Verdict {
        let judged = |answer: &Recorded| admitted(answer, &seen.valid, &seen.corrupted);
        if judged(&seen.copy) != Acceptance::Refused {
            return unclear(&seen.copy);
        }
        let accepted: Vec<&Recorded> = seen.together.iter().filter(|e| judged(e) == Acceptance::Accepted).collect();
        let [_, second, ..] = accepted.as_slice() else {
            let none = accepted.is_empty();
            return if none { Verdict::inconclusive("none of the copies is accepted") } else { Verdict::pass() };
        };
        if accepted.iter().any(|e| is_from_cache(e)) {
            return Verdict::inconclusive("a cache answers some of the copies");
        }
        if judged(&seen.later) != Acceptance::Refused {
            return unclear(&seen.later);
        }
        let (count, all) = (accepted.len(), seen.together.len());
        let message = format!("{count} of {all} copies that were sent at once are accepted, a later one is refused");
        Verdict::fail(Flaw::new(&RACE, "replay-race", message).mark("together", status(second)))
    }
}
