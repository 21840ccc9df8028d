//! Did a request get past the verifier, although what it answers is not what the working request gets?

use engine::controls::{Acceptance, Standing, standing, verified};
use engine::{Draft, Session, Unobserved};
use model::{Recorded, Verdict};
use serde::{Deserialize, Serialize};

use super::asked::Controls;

/// A request under a signature that was made for another one, and its twin under that signature
/// corrupted. The two differ in nothing but the signature, so whatever they are answered differently
/// for is the signature.
#[derive(Serialize, Deserialize)]
pub(super) struct Pair {
    /// Under a signature that was made for another request.
    pub(super) sent: Recorded,
    /// The same, its signature corrupted; absent where the first was refused as a corrupted one is.
    pub(super) twin: Option<Recorded>,
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// Refused as a corrupted signature is.
    Refused,
    /// The signature passed, and the API did something.
    Served,
    /// The signature passed, and the API then found no such thing, or did not like the request.
    Beyond,
    /// Neither can be said.
    Unclear,
}

impl Pair {
    /// Sends the request, and its twin unless the answer is the very refusal of a corrupted signature.
    pub(super) async fn send(draft: Draft, controls: &Controls, session: &Session) -> Result<Self, Unobserved> {
        let sent = session.send(&draft).await?;
        let refused = verified(&sent, &controls.valid, &controls.corrupted) == Acceptance::Refused;
        let twin = match refused && same_text(&sent, &controls.corrupted) {
            true => None,
            false => Some(session.send(&controls.corrupt(draft)).await?),
        };
        Ok(Self { sent, twin })
    }

    /// How far it came, learning from a valid and a corrupted signature.
    pub(super) fn passage(&self, valid: &Recorded, refusal: &Recorded) -> Passage {
        let refused = verified(&self.sent, valid, refusal) == Acceptance::Refused;
        let Some(twin) = &self.twin else { return if refused { Passage::Refused } else { Passage::Unclear } };
        if verified(twin, valid, refusal) != Acceptance::Refused {
            return if refused { Passage::Refused } else { Passage::Unclear };
        }
        // A refusal in other words, where refusals always have the same ones, is another refusal.
        if refused && (!same_text(twin, refusal) || same_text(&self.sent, refusal)) {
            return Passage::Refused;
        }
        match self.sent.response().map(standing) {
            Some(Standing::Works) => Passage::Served,
            Some(Standing::Missing | Standing::Invalid) => Passage::Beyond,
            _ if refused => Passage::Refused,
            Some(
                Standing::Refused | Standing::Limited | Standing::Failed | Standing::Redirected | Standing::Unclear,
            )
            | None => Passage::Unclear,
        }
    }
}

/// The verdict where a part is not signed at all, or where that could not be shown: `other` is the
/// working request under a signature for another value of it.
pub(super) fn if_not_signed(
    other: Option<&Recorded>,
    valid: &Recorded,
    refusal: &Recorded,
    part: &str,
) -> Option<Verdict> {
    match other.map(|other| verified(other, valid, refusal)) {
        Some(Acceptance::Refused) => None,
        Some(Acceptance::Accepted) => {
            Some(Verdict::NotApplicable { reason: format!("the {part} is not signed at all") })
        }
        Some(Acceptance::Unclear) | None => {
            Some(Verdict::inconclusive(format!("whether the {part} is signed at all could not be shown")))
        }
    }
}

fn same_text(a: &Recorded, b: &Recorded) -> bool {
    matches!((a.response(), b.response()), (Some(a), Some(b)) if a.status == b.status && a.body == b.body)
}
