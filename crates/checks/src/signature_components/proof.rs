//! What a proof of possession (DPoP) must not be left without.

use std::collections::BTreeSet;

use engine::controls::{Acceptance, Sameness, verified};
use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Flaw, Forgery, Meta, Owasp, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{Exchanges, META, compare};
use crate::signature_coverage::asked::{Asked, of_identity};
use crate::signature_coverage::{status, unclear};

const STOLEN: Variant = Variant {
    name: "token-alone",
    when: "a stolen token works without the key that it is bound to",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const UNBOUND: Variant = Variant {
    name: "proof-unbound",
    when: "a proof that was made for another token or for none is accepted",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// The header of a proof, and its claim about the token.
///
/// **Source**: RFC 9449, sections 4.1 and 4.2.
const PROOF: &str = "DPoP";
const TOKEN_HASH: &str = "ath";

fn with_proof<'s>(identity: &'s subject::Identity, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    let asked = of_identity(&identity.0, survey)?;
    match &asked.places.signature.place {
        Place::Header { name, .. } if name.eq_ignore_ascii_case(PROOF) => Ok(asked),
        Place::Header { .. } | Place::Query { .. } | Place::Cookie { .. } => {
            Err(NotApplicable::new("its requests carry no proof of possession"))
        }
    }
}

/// Does a bound token work as a plain bearer token?
pub(super) struct BoundTokenAcceptedAsBearer;

/// A token with its proof, and as `Bearer` without one.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// With a proof.
    valid: Recorded,
    /// The same, one character in the middle of the proof's signature changed.
    corrupted: Recorded,
    /// `Authorization: Bearer`, no proof.
    bearer: Recorded,
    /// Neither token nor proof; absent where the bearer token was refused.
    without_credentials: Option<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for BoundTokenAcceptedAsBearer {
    const META: Meta = Meta {
        id: "bound-token-accepted-as-bearer",
        title: "A token that is bound to a key works without the key",
        owasp: &[Owasp::Api2],
        cwe: &[290, 287],
        variants: &[STOLEN],
        reference: &["SIG-040"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        with_proof(identity, survey)?;
        Ok(Requests { expected: 3, most: 5 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = with_proof(identity, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let bearer =
            asked.draft.clone().edit(Edit::RemoveHeader(PROOF.into())).edit(Edit::AuthorizationScheme("Bearer".into()));
        let mut seen = Observation {
            valid: controls.valid,
            corrupted: controls.corrupted,
            bearer: session.send(&bearer).await?,
            without_credentials: None,
            volatile: asked.baseline.volatile.clone(),
        };
        if verified(&seen.bearer, &seen.valid, &seen.corrupted) == Acceptance::Accepted {
            let without = asked.draft.clone().without_credentials();
            seen.without_credentials = Some(session.recall(&without).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        match verified(&seen.bearer, &seen.valid, &seen.corrupted) {
            Acceptance::Refused => return Verdict::pass(),
            Acceptance::Unclear => return unclear(&seen.bearer),
            Acceptance::Accepted => {}
        }
        let refused = |e: &Recorded| engine::controls::admitted(e, &seen.valid, &seen.corrupted) == Acceptance::Refused;
        if !seen.without_credentials.as_ref().is_some_and(refused) {
            return Verdict::inconclusive("a request without credentials is not refused");
        }
        if compare(&seen.bearer, &seen.valid, &seen.volatile) == Sameness::Different {
            return Verdict::inconclusive("it is accepted, with other content than the valid request gets");
        }
        let message = "the token is accepted as `Bearer` without a proof";
        Verdict::fail(Flaw::new(&STOLEN, Self::META.id, message).mark("bearer", status(&seen.bearer)))
    }
}

/// Is a proof accepted that names no token?
pub(super) struct TokenHashNotRequired;

impl Check for TokenHashNotRequired {
    const META: Meta = Meta {
        id: "token-hash-not-required",
        title: "A proof of possession need not name the token that it is for",
        owasp: &[Owasp::Api2],
        cwe: &[345, 287],
        variants: &[UNBOUND],
        reference: &["SIG-040"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Exchanges;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        without_hash(&with_proof(identity, survey)?)?;
        Ok(Requests { expected: 3, most: 5 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Exchanges, Unobserved> {
        let asked = with_proof(identity, survey)?;
        let mutation = without_hash(&asked)?;
        Exchanges::of(&asked, mutation, session).await
    }

    fn judge(seen: &Exchanges) -> Verdict {
        seen.judge(&UNBOUND, Self::META.id, "a proof without the hash of the token is accepted beside the token")
    }
}

fn without_hash(asked: &Asked<'_>) -> Result<Draft, NotApplicable> {
    let none = || NotApplicable::new("its proofs name no token");
    let mut claims = asked.identity.components().ok_or_else(none)?;
    let all = claims.len();
    claims.retain(|claim| claim != TOKEN_HASH);
    let forgery = Forgery { components: Some(claims.clone()), ..Forgery::default() };
    if claims.len() == all || !asked.identity.can_forge(&forgery) {
        return Err(none());
    }
    Ok(asked.draft.clone().forged(forgery))
}
