#![doc = include_str!("README.md")]

use engine::{AnyCheck, Check, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use model::{Category, Flaw, Meta, Mode, Need, Owasp, SigningMode, Variant, Verdict};
use serde::{Deserialize, Serialize};

#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<SampleSignedWithWeakSecret>()];

const ONLY: Variant = Variant {
    name: "only-credential",
    when: "the signature is the only credential: anyone can sign",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

const BESIDE: Variant = Variant {
    name: "beside-a-key",
    when: "another credential is still needed",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Does a weak or placeholder secret make the signature of the captured request?
pub struct SampleSignedWithWeakSecret;

/// What came of signing the captured request with the list. The secret itself is never kept.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// Name of the scheme by which a secret of the list makes exactly the captured signature; absent where
    /// none does.
    scheme: Option<String>,
    /// True if nothing but the signature shows who asks.
    only_credential: bool,
}

impl Check for SampleSignedWithWeakSecret {
    const META: Meta = Meta {
        id: "sample-signed-with-weak-secret",
        title: "A secret that everybody tries makes the signature of the captured request",
        category: Category::RequestIntegrity,
        owasp: &[Owasp::Api2],
        cwe: &[521, 798, 1392],
        variants: &[ONLY, BESIDE],
        mode: Mode::Passive,
        needs: &[Need::Signing],
        remedy: Some(&crate::remedies::SECRET_FROM_ENVIRONMENT),
        reference: &["SIG-028"],
        since: "0.1.0",
        // It takes seconds on all cores, in which the sample grows older.
        disturbs: true,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, _: &Survey) -> Result<Requests, NotApplicable> {
        match identity.0.mode {
            SigningMode::Sample => Ok(Requests::NONE),
            SigningMode::None | SigningMode::Secret => Err(NotApplicable::new("it has no captured request")),
        }
    }

    async fn observe(identity: &subject::Identity, _: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        let only_credential = identity.0.places.is_empty();
        Ok(Observation { scheme: identity.0.weakly_signed().await, only_credential })
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(scheme) = &seen.scheme else { return Verdict::pass() };
        let variant = if seen.only_credential { &ONLY } else { &BESIDE };
        let message = format!("a secret of the list of weak ones makes exactly its signature (scheme {scheme})");
        Verdict::fail(Flaw::new(variant, "weak-signing-secret", message))
    }
}

#[cfg(test)]
mod tests;
