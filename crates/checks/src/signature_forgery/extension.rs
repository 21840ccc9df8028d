//! Can a signature be continued without the secret?

use std::collections::BTreeSet;

use engine::controls::{Acceptance, Sameness, admitted, content};
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Confidence, Flaw, Forgery, Meta, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::META;
use super::reading::reading;
use crate::signature_coverage::asked::{Asked, corrupted, of_identity};
use crate::signature_coverage::status;

const EXTENDED: Variant = Variant {
    name: "extended",
    when: "a signature was continued over a longer body without the secret",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const CONSTRUCTION: Variant = Variant {
    name: "construction",
    when: "the secret is hashed in front of the text, and no longer text was accepted",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// What stands behind the body that was signed.
const SUFFIX: &[u8] = b"&_ic=1";

/// Is a signature accepted that was continued from another one?
pub(super) struct SignatureExtensible;

/// A valid request, and one with a longer body under a continued signature; nothing where the scheme
/// is none that can be continued.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed as it is sent, by a hash of the secret and the text behind it.
    valid: Option<Recorded>,
    /// The same, one character in the middle of the signature changed.
    corrupted: Option<Recorded>,
    /// A longer body, its signature continued from that of a shorter one; absent where the signed text
    /// does not end in the body.
    extended: Option<Recorded>,
    /// The same, its signature corrupted.
    extended_corrupted: Option<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

fn forgery() -> Forgery {
    Forgery { extension: Some(SUFFIX.to_vec()), ..Forgery::default() }
}

/// The request whose body is made longer: one that has none before, so that nothing parses it.
fn extended<'s>(identity: &'s subject::Identity, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    reading(&identity.0, survey).next().map_or_else(|| of_identity(&identity.0, survey), Ok)
}

impl Check for SignatureExtensible {
    const META: Meta = Meta {
        id: "signature-extensible",
        title: "A signature can be continued without the secret",
        variants: &[EXTENDED, CONSTRUCTION],
        cwe: &[328, 327],
        reference: &["SIG-034"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        extended(identity, survey)?;
        Ok(if identity.0.is_length_extensible() { Requests { expected: 2, most: 5 } } else { Requests::NONE })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = extended(identity, survey)?;
        let mut seen = Observation {
            valid: None,
            corrupted: None,
            extended: None,
            extended_corrupted: None,
            volatile: asked.baseline.volatile.clone(),
        };
        if !asked.identity.is_length_extensible() {
            return Ok(seen);
        }
        let controls = asked.controls(session).await?.differ()?;
        seen.valid = Some(controls.valid);
        seen.corrupted = Some(controls.corrupted);
        if asked.identity.can_forge(&forgery()) {
            let extended = asked.draft.clone().forged(forgery());
            seen.extended = Some(session.send(&extended).await?);
            seen.extended_corrupted = Some(session.send(&corrupted(extended, controls.corruption)).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let (Some(valid), Some(corrupted)) = (&seen.valid, &seen.corrupted) else { return Verdict::pass() };
        let acceptance = |e: &Recorded| admitted(e, valid, corrupted);
        let refused =
            seen.extended_corrupted.as_ref().is_some_and(|corrupted| acceptance(corrupted) == Acceptance::Refused);
        let same = |e: &Recorded| match (e.response(), valid.response()) {
            (Some(a), Some(b)) => content(a, b, &seen.volatile) == Sameness::Same,
            _ => false,
        };
        let flaw = |variant, message| Flaw::new(variant, Self::META.id, message);
        if let Some(extended) = seen.extended.as_ref().filter(|e| acceptance(e) == Acceptance::Accepted && same(e)) {
            if refused {
                let message = "a longer body is accepted under a signature that was continued without the secret";
                return Verdict::fail(flaw(&EXTENDED, message).mark("extended", status(extended)));
            }
            return Verdict::inconclusive("the longer body is accepted with a corrupted signature too");
        }
        let message =
            "signatures are a hash of the secret and the text behind it, which can be continued without the secret";
        Verdict::fail(flaw(&CONSTRUCTION, message).with_confidence(Confidence::Likely).mark("valid", status(valid)))
    }
}
