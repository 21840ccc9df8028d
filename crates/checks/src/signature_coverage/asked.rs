//! The signed request that is asked about, and what a valid and a corrupted signature get.

use engine::controls::{Acceptance, Standing, standing, verified};
use engine::{
    Baseline, Draft, Edit, NotApplicable, Protection, Session, Signed, Survey, SurveyedIdentity, SurveyedOperation,
    Tamper, Unobserved,
};
use model::{Recorded, SignedPlaces};

/// Operations that are asked about signatures, in the order of the description.
///
/// **Source**: chosen; a verifier usually stands in one place, and each operation takes about 20
/// requests.
const OPERATIONS: usize = 8;

/// A working request of an identity that signs.
pub(crate) struct Asked<'s> {
    pub(crate) baseline: &'s Baseline,
    pub(crate) identity: &'s SurveyedIdentity,
    pub(crate) places: &'s SignedPlaces,
    /// The request as it works, and not to be taken from a cache.
    pub(crate) draft: Draft,
}

/// The signed request of an operation.
pub(crate) fn asked<'s>(operation: &'s SurveyedOperation, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    if operation.protection == Protection::Public {
        return Err(NotApplicable::new("it is open by design"));
    }
    let signed = |o: &SurveyedOperation| survey.signed(o).is_some();
    let (baseline, identity) =
        survey.signed(operation).ok_or(NotApplicable::new("no identity that signs gets an answer"))?;
    let before = survey.operations.iter().take_while(|o| o.key != operation.key).filter(|o| signed(o)).count();
    if before >= OPERATIONS {
        return Err(NotApplicable::new("enough other operations are asked about their signatures"));
    }
    of(operation, baseline, identity)
}

/// The signed request that shows whether an identity works.
pub(crate) fn of_identity<'s>(identity: &'s SurveyedIdentity, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    if !identity.signs {
        return Err(NotApplicable::new("the identity does not sign"));
    }
    let canary = identity.canary.as_ref().and_then(|key| survey.operation(key));
    let canary = canary.ok_or(NotApplicable::new("no operation answers it and refuses others"))?;
    let baseline = canary.baseline_of(&identity.name).filter(|b| b.standing == Standing::Works);
    of(canary, baseline.ok_or(NotApplicable::new("there is no working request for it"))?, identity)
}

fn of<'s>(
    operation: &'s SurveyedOperation,
    baseline: &'s Baseline,
    identity: &'s SurveyedIdentity,
) -> Result<Asked<'s>, NotApplicable> {
    if operation.is_costly() {
        return Err(NotApplicable::new("its name says that each call takes something away or costs money"));
    }
    let places = identity.signed.as_ref();
    let places = places.ok_or(NotApplicable::new("the scheme does not say where the signature stands"))?;
    let mut draft = baseline.draft(&operation.key);
    draft.request.headers.set("Cache-Control", "no-store");
    Ok(Asked { baseline, identity, places, draft })
}

impl Asked<'_> {
    /// The request with another time where the scheme has no nonce, so that its signature is new
    /// although several requests go out in one second.
    pub(crate) fn at_second(&self, second: i64) -> Draft {
        let draft = self.draft.clone();
        let needs = self.places.timestamp.is_some() && self.places.nonce.is_none() && !self.identity.is_monotone;
        if needs { draft.signed_at(-1000 * second) } else { draft }
    }

    /// What a valid and a corrupted signature get.
    pub(crate) async fn controls(&self, session: &Session) -> Result<Controls, Unobserved> {
        let valid = session.recall(&self.draft).await?;
        let corrupted = session.recall(&corrupted(self.draft.clone())).await?;
        Ok(Controls { valid, corrupted })
    }
}

/// A valid and a corrupted signature.
pub(crate) struct Controls {
    pub(crate) valid: Recorded,
    pub(crate) corrupted: Recorded,
}

impl Controls {
    /// Makes sure that the two are told apart: there is no question about parts otherwise.
    pub(crate) fn differ(self) -> Result<Self, Unobserved> {
        if verified(&self.valid, &self.valid, &self.corrupted) == Acceptance::Accepted {
            return Ok(self);
        }
        let works = |exchange: &Recorded| exchange.response().is_some_and(|r| standing(r) == Standing::Works);
        if works(&self.valid) && works(&self.corrupted) {
            return Err(Unobserved::NotApplicable("a corrupted signature is accepted too".into()));
        }
        Err(Unobserved::Inconclusive("the answers to a valid and a corrupted signature cannot be told apart".into()))
    }
}

/// The same request with its signature corrupted.
pub(crate) fn corrupted(draft: Draft) -> Draft {
    draft.edit(Edit::Signed(Signed::Signature, Tamper::Corrupt))
}
