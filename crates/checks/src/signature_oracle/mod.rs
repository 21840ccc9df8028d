#![doc = include_str!("README.md")]

use engine::controls::{Acceptance, admitted};
use engine::{AnyCheck, Check, NotApplicable, Prepared, Requests, Session, Survey, Unobserved, check, subject};
use model::{Category, Flaw, Meta, Mode, Need, Owasp, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

use crate::signature_coverage::asked::{corrupted, of_identity_in_any_mode as of_identity};
use crate::signature_coverage::unclear;

mod disclosed;
#[cfg(any(test, feature = "targets"))]
pub mod target;
mod texts;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<RefusalExplainsSignature>(), check::<texts::DistinctSignatureErrors>()];

const ONLY: Variant = Variant {
    name: "only-credential",
    when: "a refusal holds the right signature, and the signature is the only credential",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const BESIDE: Variant = Variant {
    name: "beside-a-key",
    when: "a refusal holds the right signature, and another credential is needed too",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const SIGNED_TEXT: Variant =
    Variant { name: "signed-text", when: "a refusal holds the text that should have been signed", cvss: None };

const META: Meta = Meta {
    id: "refusal-explains-signature",
    title: "A refusal tells how the request should have been signed",
    category: Category::RequestIntegrity,
    owasp: &[Owasp::Api8],
    cwe: &[209],
    variants: &[ONLY, BESIDE, SIGNED_TEXT],
    mode: Mode::Safe,
    needs: &[Need::Signing],
    remedy: Some(&crate::remedies::VERIFY_SIGNATURE),
    reference: &["SIG-032"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Does the refusal of a wrong signature hold the right one?
struct RefusalExplainsSignature;

/// A request whose right signature is known and was never sent, with one character of it changed.
#[derive(Serialize, Deserialize)]
struct Observation {
    /// Another request with a signature of its own.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// One character of the signature changed.
    refusal: Recorded,
    /// How the right signature is written in the refusal, where it stands there.
    signature_as: Option<String>,
    /// Its mask in the refusal.
    mask: String,
    /// True if the text that was to be signed stands in the refusal.
    holds_signed_text: bool,
    /// True if nothing but the signature shows who asks.
    only_credential: bool,
}

impl Check for RefusalExplainsSignature {
    const META: Meta = META;
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        of_identity(&identity.0, survey)?;
        Ok(Requests { expected: 1, most: 4 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let draft = asked.draft.clone().frozen(session.stamp(&asked.draft).await);
        let expected =
            session.prepared(&draft).and_then(|right| Some((asked.places.signature.read(&right.request)?, right)));
        let Some((signature, right)) = expected else {
            return Err(Unobserved::Inconclusive("the request got no signature".into()));
        };
        let label = format!("{}.right-signature", identity.0.name);
        let forms = disclosed::forms(&signature);
        forms.iter().for_each(|(form, _)| session.mask(form, &label));
        let refusal = session.send(&corrupted(draft, controls.corruption)).await?;
        let raw = session.raw(&refusal);
        let signature_as = raw.as_ref().and_then(|raw| {
            forms.iter().find(|(form, _)| disclosed::holds(raw, form.as_bytes())).map(|(_, name)| (*name).to_owned())
        });
        let holds_signed_text = raw.is_some_and(|raw| holds_signed_text(&raw, &right));
        Ok(Observation {
            valid: controls.valid,
            corrupted: controls.corrupted,
            refusal,
            signature_as,
            mask: format!("{{{{{label}}}}}"),
            holds_signed_text,
            only_credential: asked.identity.places.is_empty(),
        })
    }

    fn judge(seen: &Observation) -> Verdict {
        let acceptance = admitted(&seen.refusal, &seen.valid, &seen.corrupted);
        if acceptance == Acceptance::Accepted {
            return Verdict::NotApplicable { reason: "a corrupted signature is accepted".into() };
        }
        let mut flaws = Vec::new();
        if let Some(form) = &seen.signature_as {
            let variant = if seen.only_credential { &ONLY } else { &BESIDE };
            let message = format!("the refusal of a wrong signature holds the right one, {form}");
            flaws.push(Flaw::new(variant, "right-signature", message).mark("refusal", seen.mask.clone()));
        }
        if seen.holds_signed_text {
            let message = "the refusal of a wrong signature holds the text that should have been signed";
            flaws.push(Flaw::new(&SIGNED_TEXT, "signed-text", message));
        }
        match acceptance {
            Acceptance::Unclear if flaws.is_empty() => unclear(&seen.refusal),
            Acceptance::Unclear | Acceptance::Refused | Acceptance::Accepted => Verdict::of_flaws(flaws),
        }
    }
}

/// True if the answer holds the signed text. A text that is a part of the request itself, such as the
/// body alone, proves nothing: the answer may echo it.
fn holds_signed_text(answer: &Response, right: &Prepared) -> bool {
    let Some(text) = right.signed_text.as_deref().filter(|text| text.len() >= disclosed::SHORTEST) else {
        return false;
    };
    let request = &right.request;
    let headers = request.headers.iter().map(|(_, value)| value.as_bytes());
    let mut parts = headers.chain([request.target.as_bytes(), &request.body.bytes()[..]]);
    !parts.any(|part| disclosed::find(part, text)) && disclosed::holds(answer, text)
}
