#![doc = include_str!("README.md")]

use std::collections::BTreeSet;

use engine::controls::{Acceptance, Sameness, content, verified};
use engine::{AnyCheck, Draft, Session, Unobserved, check};
use model::{Category, Flaw, Meta, Mode, Need, Owasp, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use crate::signature_coverage::asked::{Asked, corrupted};
use crate::signature_coverage::{status, unclear};

mod digest;
mod fewer;
mod proof;
mod second;
#[cfg(any(test, feature = "targets"))]
mod server;
#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<digest::DigestNotCompared>(),
    check::<digest::DigestNotRequired>(),
    check::<fewer::SignedComponentsNotRequired>(),
    check::<second::SecondSignatureTrusted>(),
    check::<proof::BoundTokenAcceptedAsBearer>(),
    check::<proof::TokenHashNotRequired>(),
];

const FREE: Variant = Variant {
    name: "part-free",
    when: "a signed request works with another value of the part than it was signed for",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

const META: Meta = Meta {
    id: "content-digest-not-compared",
    title: "The digest of the body is signed and never compared with the body",
    category: Category::RequestIntegrity,
    owasp: &[Owasp::Api8],
    cwe: &[354, 353],
    variants: &[FREE],
    mode: Mode::Safe,
    needs: &[Need::Signing],
    remedy: Some(&crate::remedies::VERIFY_SIGNATURE),
    reference: &["SIG-035", "SIG-010"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// A valid and a corrupted signature, and a request that should be refused although its signature is
/// valid for what it states.
#[derive(Serialize, Deserialize)]
struct Exchanges {
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, one character in the middle of the signature changed.
    corrupted: Recorded,
    /// What should be refused.
    mutated: Recorded,
    /// The same, its signature corrupted; absent where it was refused without that.
    mutated_corrupted: Option<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Exchanges {
    /// Sends at most four requests.
    async fn of(asked: &Asked<'_>, mutation: Draft, session: &Session) -> Result<Self, Unobserved> {
        let controls = asked.controls(session).await?.differ()?;
        let mut seen = Self {
            valid: controls.valid,
            corrupted: controls.corrupted,
            mutated: session.send(&mutation).await?,
            mutated_corrupted: None,
            volatile: asked.baseline.volatile.clone(),
        };
        if verified(&seen.mutated, &seen.valid, &seen.corrupted) == Acceptance::Accepted {
            seen.mutated_corrupted = Some(session.send(&corrupted(mutation, controls.corruption)).await?);
        }
        Ok(seen)
    }

    fn judge(&self, variant: &Variant, cause: &str, message: &str) -> Verdict {
        match verified(&self.mutated, &self.valid, &self.corrupted) {
            Acceptance::Refused => return Verdict::pass(),
            Acceptance::Unclear => return unclear(&self.mutated),
            Acceptance::Accepted => {}
        }
        let refused = |e: &Recorded| verified(e, &self.valid, &self.corrupted) == Acceptance::Refused;
        if !self.mutated_corrupted.as_ref().is_some_and(refused) {
            return Verdict::inconclusive("the same request with a corrupted signature is not refused as others are");
        }
        if compare(&self.mutated, &self.valid, &self.volatile) == Sameness::Different {
            return Verdict::inconclusive("it is accepted, with other content than the valid request gets");
        }
        Verdict::fail(Flaw::new(variant, cause, message).mark("mutated", status(&self.mutated)))
    }
}

fn compare(a: &Recorded, b: &Recorded, volatile: &BTreeSet<String>) -> Sameness {
    match (a.response(), b.response()) {
        (Some(a), Some(b)) => content(a, b, volatile),
        _ => Sameness::Empty,
    }
}

#[cfg(test)]
mod tests;
