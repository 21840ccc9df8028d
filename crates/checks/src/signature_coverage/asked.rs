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
    /// What a valid and a corrupted signature get; three requests at most.
    ///
    /// Corrupted is a character in the middle. Where that is accepted, and a signature that differs from
    /// its first character on is not, corrupted means the latter: only a part is compared.
    pub(crate) async fn controls(&self, session: &Session) -> Result<Controls, Unobserved> {
        let valid = session.recall(&self.draft).await?;
        let middle = session.recall(&corrupted(self.draft.clone(), Corruption::Middle)).await?;
        let works = |exchange: &Recorded| exchange.response().is_some_and(|r| standing(r) == Standing::Works);
        if works(&valid) && works(&middle) && verified(&valid, &valid, &middle) != Acceptance::Accepted {
            let unlike = session.recall(&corrupted(self.draft.clone(), Corruption::Throughout)).await?;
            if verified(&valid, &valid, &unlike) == Acceptance::Accepted {
                return Ok(Controls { valid, corrupted: unlike, corruption: Corruption::Throughout });
            }
        }
        Ok(Controls { valid, corrupted: middle, corruption: Corruption::Middle })
    }
}

/// A valid and a corrupted signature.
pub(crate) struct Controls {
    pub(crate) valid: Recorded,
    pub(crate) corrupted: Recorded,
    /// How the latter was corrupted.
    pub(crate) corruption: Corruption,
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

    /// The same request with its signature corrupted as the control is.
    pub(crate) fn corrupt(&self, draft: Draft) -> Draft {
        corrupted(draft, self.corruption)
    }
}

/// What a signature that cannot be right differs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Corruption {
    /// One character in the middle.
    Middle,
    /// Every character, from the first one on.
    Throughout,
}

fn corrupted(draft: Draft, corruption: Corruption) -> Draft {
    draft.edit(Edit::Signed(
        Signed::Signature,
        match corruption {
            Corruption::Middle => Tamper::Corrupt,
            Corruption::Throughout => Tamper::Unlike,
        },
    ))
}
