//! Is a time far ahead accepted where a time far back is not?

use engine::controls::{Acceptance, admitted};
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Meta, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::old::at;
use super::{CONTROLS, DAY_S, META, judged, timed};
use crate::signature_coverage::{status, unclear};

const AHEAD: Variant =
    Variant { name: "ahead", when: "a post-dated request works from now until long after its own time", cvss: None };

/// Is a request accepted that was signed with the time of tomorrow?
pub(super) struct FutureTimestampAccepted;

/// A request signed now, with the time of yesterday, and with that of tomorrow.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed now.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// Signed with the time of yesterday.
    day_old: Recorded,
    /// Signed with the time of tomorrow.
    day_ahead: Recorded,
    /// The same, its signature corrupted; absent where the time alone was refused.
    day_ahead_corrupted: Option<Recorded>,
}

impl Check for FutureTimestampAccepted {
    const META: Meta = Meta {
        id: "future-timestamp-accepted",
        title: "A signature of tomorrow is accepted",
        cwe: &[613, 294],
        variants: &[AHEAD],
        reference: &["SIG-019"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        timed(identity, survey)?;
        Ok(Requests { expected: 1, most: CONTROLS + 3 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = timed(identity, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let day_old = session.recall(&at(&asked, -DAY_S)).await?;
        if judged(&day_old, &controls) == Acceptance::Accepted {
            return Err(Unobserved::NotApplicable("a signature of yesterday is accepted as well".into()));
        }
        let ahead = at(&asked, DAY_S);
        let day_ahead = session.recall(&ahead).await?;
        let day_ahead_corrupted = match judged(&day_ahead, &controls) {
            Acceptance::Accepted => Some(session.send(&controls.corrupt(ahead)).await?),
            Acceptance::Refused | Acceptance::Unclear => None,
        };
        Ok(Observation {
            valid: controls.valid,
            corrupted: controls.corrupted,
            day_old,
            day_ahead,
            day_ahead_corrupted,
        })
    }

    fn judge(seen: &Observation) -> Verdict {
        let judged = |answer: &Recorded| admitted(answer, &seen.valid, &seen.corrupted);
        match judged(&seen.day_ahead) {
            Acceptance::Refused => return Verdict::pass(),
            Acceptance::Unclear => return unclear(&seen.day_ahead),
            Acceptance::Accepted => {}
        }
        if judged(&seen.day_old) != Acceptance::Refused {
            return unclear(&seen.day_old);
        }
        if !seen.day_ahead_corrupted.as_ref().is_some_and(|e| judged(e) == Acceptance::Refused) {
            return Verdict::inconclusive("the same request with a corrupted signature is not refused as others are");
        }
        let message = "a request that was signed with the time of tomorrow is accepted, one of yesterday is refused";
        Verdict::fail(Flaw::new(&AHEAD, "future-not-checked", message).mark("day_ahead", status(&seen.day_ahead)))
    }
}
