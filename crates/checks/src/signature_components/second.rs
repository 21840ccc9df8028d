//! With several signatures in a request, the caller must be the one whose signature was verified.

use std::collections::BTreeSet;

use engine::controls::{Acceptance, Sameness, Standing, admitted, standing, verified};
use engine::{
    Baseline, Check, Draft, Edit, NotApplicable, Requests, Session, Survey, SurveyedIdentity, Unobserved, subject,
};
use model::{Confidence, Flaw, Meta, Owasp, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{META, compare};
use crate::signature_coverage::asked::{Asked, of, of_identity};
use crate::signature_coverage::{status, unclear};

const IMPERSONATED: Variant = Variant {
    name: "caller-changed",
    when: "the answer is that of another identity, which signed nothing",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const DECIDES: Variant = Variant {
    name: "key-id-decides",
    when: "a wrong second signature is ignored, but its key id is not",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Is the key id of a signature trusted that was not verified?
pub(super) struct SecondSignatureTrusted;

/// A valid signature, and a wrong one behind it.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// Signed once.
    valid: Recorded,
    /// The same, one character in the middle of the signature changed.
    corrupted: Recorded,
    /// With a wrong second signature under the same key id.
    own_key_id: Recorded,
    /// With a wrong second signature under a key id that does not exist; absent where the one above is
    /// refused.
    unknown_key_id: Option<Recorded>,
    /// With a wrong second signature under another identity's key id.
    other_key_id: Option<Recorded>,
    /// What that identity gets for the same request, signed by itself.
    other_identity: Option<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for SecondSignatureTrusted {
    const META: Meta = Meta {
        id: "second-signature-trusted",
        title: "The key id of a signature is trusted that was not verified",
        owasp: &[Owasp::Api2],
        cwe: &[347, 290],
        variants: &[DECIDES, IMPERSONATED],
        reference: &["SIG-037"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        key_id(&shared(&identity.0, survey)?)?;
        Ok(Requests { expected: 4, most: 7 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = shared(&identity.0, survey)?;
        let own = key_id(&asked)?;
        let controls = asked.controls(session).await?.differ()?;
        let mut seen = Observation {
            valid: controls.valid,
            corrupted: controls.corrupted,
            own_key_id: session.send(&with_second(&asked, &own)).await?,
            unknown_key_id: None,
            other_key_id: None,
            other_identity: None,
            volatile: asked.baseline.volatile.clone(),
        };
        if verified(&seen.own_key_id, &seen.valid, &seen.corrupted) != Acceptance::Accepted {
            return Ok(seen);
        }
        let unknown = format!("{own}{}", survey.unknown_word);
        seen.unknown_key_id = Some(session.send(&with_second(&asked, &unknown)).await?);
        if let Some((key_id, theirs)) = another(&asked, survey).filter(|(key_id, _)| *key_id != own) {
            let draft = Draft { identity: theirs.identity.clone(), ..asked.draft.clone() };
            seen.other_identity = Some(session.recall(&draft).await?);
            seen.other_key_id = Some(session.send(&with_second(&asked, &key_id)).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        match verified(&seen.own_key_id, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => return Verdict::pass(),
            Acceptance::Unclear => return unclear(&seen.own_key_id),
            Acceptance::Accepted => {}
        }
        if let (Some(other), Some(identity)) = (&seen.other_key_id, &seen.other_identity) {
            let works = |e: &Recorded| e.response().is_some_and(|r| standing(r) == Standing::Works);
            let is_theirs = works(other)
                && works(identity)
                && compare(other, identity, &seen.volatile) == Sameness::Same
                && compare(other, &seen.valid, &seen.volatile) == Sameness::Different;
            if is_theirs {
                let message = "a wrong second signature under another identity's key id gets that identity's answer";
                return Verdict::fail(
                    Flaw::new(&IMPERSONATED, "caller-changed", message).mark("other_key_id", status(other)),
                );
            }
        }
        let Some(unknown) = &seen.unknown_key_id else {
            return Verdict::inconclusive("no signature of an unknown key id was sent");
        };
        match admitted(unknown, &seen.valid, &seen.corrupted) {
            Acceptance::Accepted => Verdict::pass(),
            Acceptance::Unclear => unclear(unknown),
            Acceptance::Refused => {
                let message =
                    "a wrong second signature is ignored under the own key id and refused under an unknown one";
                let flaw = Flaw::new(&DECIDES, "key-id-decides", message).with_confidence(Confidence::Possible);
                Verdict::fail(flaw.mark("unknown_key_id", status(unknown)))
            }
        }
    }
}

/// The identity's key id, where requests can hold several signatures with one each.
fn key_id(asked: &Asked<'_>) -> Result<String, NotApplicable> {
    let none = || NotApplicable::new("its requests hold one signature only");
    let place = asked.places.key_id.as_ref().ok_or_else(none)?;
    match &place.place {
        Place::Header { name, .. } if name.eq_ignore_ascii_case("signature-input") => {}
        Place::Header { .. } | Place::Query { .. } | Place::Cookie { .. } => return Err(none()),
    }
    place.read(&asked.baseline.exchange.request).ok_or_else(none)
}

/// The request with a second signature, which is wrong.
///
/// **Source**: RFC 9421, section 4.3: signatures have labels, and may come in header lines of their own.
fn with_second(asked: &Asked<'_>, key_id: &str) -> Draft {
    let own = asked.places.signature.member.as_deref().unwrap_or_default();
    let label = if own == "sig2" { "sig3" } else { "sig2" };
    let wrong = "A".repeat(43);
    asked
        .draft
        .clone()
        .edit(Edit::AddHeader("Signature-Input".into(), format!("{label}=();keyid=\"{key_id}\"")))
        .edit(Edit::AddHeader("Signature".into(), format!("{label}=:{wrong}=:")))
}

/// An operation that answers another identity of the same scheme too, or the one that shows whether
/// this identity works.
fn shared<'s>(identity: &'s SurveyedIdentity, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    let own = of_identity(identity, survey)?;
    let reads = survey.operations.iter().filter(|operation| operation.is_reading());
    let mut shared = reads.filter_map(|operation| {
        let baseline = operation.baseline_of(&identity.name).filter(|b| b.standing == Standing::Works)?;
        let asked = of(operation, baseline, identity).ok()?;
        let (_, theirs) = another(&asked, survey)?;
        let differs = compare(&theirs.exchange, &baseline.exchange, &baseline.volatile) == Sameness::Different;
        differs.then_some(asked)
    });
    Ok(shared.next().unwrap_or(own))
}

/// The key id of another identity of the same scheme, and what it gets for the same operation.
fn another<'s>(asked: &Asked<'_>, survey: &'s Survey) -> Option<(String, &'s Baseline)> {
    let operation = survey.operation(asked.draft.operation.as_ref()?)?;
    survey.identities.iter().filter(|other| other.name != asked.identity.name && other.signs).find_map(|other| {
        let baseline = operation.baseline_of(&other.name).filter(|b| b.standing == Standing::Works)?;
        let key_id = other.signed.as_ref()?.key_id.as_ref()?.read(&baseline.exchange.request)?;
        Some((key_id, baseline))
    })
}
