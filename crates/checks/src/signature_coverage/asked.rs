//! The signed request that is asked about, and what a valid and a corrupted signature get.

use engine::controls::{Acceptance, Standing, standing, verified};
use engine::{
    Baseline, Draft, Edit, NotApplicable, Protection, Session, Signed, Survey, SurveyedIdentity, SurveyedOperation,
    Tamper, Unobserved,
};
use model::{Recorded, SignedPlaces, SigningMode};

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

/// The signed request of an operation, where the secret is known.
pub(crate) fn asked<'s>(operation: &'s SurveyedOperation, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    asked_in_any_mode(operation, survey)?.with_secret()
}

/// The signed request of an operation. In mode sample everything that is signed gets the captured
/// signature: only for questions that change a request after it was signed.
pub(crate) fn asked_in_any_mode<'s>(
    operation: &'s SurveyedOperation,
    survey: &'s Survey,
) -> Result<Asked<'s>, NotApplicable> {
    if operation.protection == Protection::Public {
        return Err(NotApplicable::new("it is open by design"));
    }
    let signed = |o: &SurveyedOperation| o.protection != Protection::Public && survey.signed(o).is_some();
    let (baseline, identity) =
        survey.signed(operation).ok_or(NotApplicable::new("no identity that signs gets an answer"))?;
    let before = survey.operations.iter().take_while(|o| o.key != operation.key).filter(|o| signed(o)).count();
    if before >= OPERATIONS {
        return Err(NotApplicable::new("enough other operations are asked about their signatures"));
    }
    of(operation, baseline, identity)
}

/// The signed request that shows whether an identity works, where its secret is known.
pub(crate) fn of_identity<'s>(identity: &'s SurveyedIdentity, survey: &'s Survey) -> Result<Asked<'s>, NotApplicable> {
    of_identity_in_any_mode(identity, survey)?.with_secret()
}

/// The signed request that shows whether an identity works. In mode sample as
/// [`asked_in_any_mode`] says.
pub(crate) fn of_identity_in_any_mode<'s>(
    identity: &'s SurveyedIdentity,
    survey: &'s Survey,
) -> Result<Asked<'s>, NotApplicable> {
    if !identity.signs {
        return Err(NotApplicable::new("the identity does not sign"));
    }
    let canary = identity.canary.as_ref().and_then(|key| survey.operation(key));
    let canary = canary.ok_or(NotApplicable::new("no operation answers it and refuses others"))?;
    let baseline = canary.baseline_of(&identity.name).filter(|b| b.standing == Standing::Works);
    of(canary, baseline.ok_or(NotApplicable::new("there is no working request for it"))?, identity)
}

/// The signed request of an identity to an operation.
pub(crate) fn of<'s>(
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

impl<'s> Asked<'s> {
    /// It again, if its identity has the secret.
    fn with_secret(self) -> Result<Asked<'s>, NotApplicable> {
        match self.identity.mode {
            SigningMode::Secret => Ok(self),
            SigningMode::None | SigningMode::Sample => Err(NotApplicable::new("it needs the secret")),
        }
    }

    pub(crate) fn is_sample(&self) -> bool {
        self.identity.mode == SigningMode::Sample
    }

    /// True if its answers say that no shared cache may keep them.
    ///
    /// **Source**: RFC 9111, section 5.2.2.
    pub(crate) fn is_kept_from_caches(&self) -> bool {
        let response = self.baseline.exchange.response();
        let stated = response.and_then(|r| r.headers.first("cache-control")).unwrap_or_default().to_ascii_lowercase();
        stated.contains("no-store") || stated.contains("private")
    }

    /// From a request that is signed as another one and changed back to be sent: that other one under the
    /// captured signature. What signing would renew becomes another value of the same form.
    pub(crate) fn reversed(&self, draft: Draft) -> Draft {
        let edits = draft.after_signing.into_iter().filter_map(|edit| match edit {
            Edit::Signed(Signed::Timestamp, Tamper::Renewed) => Some(Edit::Signed(Signed::Timestamp, Tamper::Nudge)),
            Edit::Signed(signed, Tamper::Renewed) => Some(Edit::Signed(signed, Tamper::Corrupt)),
            Edit::Signed(..) => Some(edit),
            Edit::Method(_)
            | Edit::Target(_)
            | Edit::Path(_)
            | Edit::SetQuery(..)
            | Edit::RemoveQuery(_)
            | Edit::SetHeader(..)
            | Edit::AddHeader(..)
            | Edit::RemoveHeader(_)
            | Edit::At(..)
            | Edit::AuthorizationScheme(_)
            | Edit::Body(_) => None,
        });
        Draft { after_signing: edits.collect(), ..draft }
    }

    /// The same with a query of its own where it reads, so that no cache serves to others what a header
    /// changes.
    pub(super) fn apart(mut self, word: &str) -> Self {
        if self.draft.request.method == "GET" {
            self.draft.request = self.draft.request.with_query("_ic", word);
        }
        self
    }

    /// What a valid and a corrupted signature get; three requests at most.
    ///
    /// Corrupted is a character in the middle. Where that is accepted, and a signature that differs from
    /// its first character on is not, corrupted means the latter: only a part is compared.
    pub(crate) async fn controls(&self, session: &Session) -> Result<Controls, Unobserved> {
        // A sample may grow old, or be remembered, between one question and the next.
        let valid =
            if self.is_sample() { session.send(&self.draft).await? } else { session.recall(&self.draft).await? };
        if self.is_sample() && valid.response().is_none_or(|response| standing(response) != Standing::Works) {
            return Err(Unobserved::Inconclusive("the sample is no longer accepted: capture a fresh one".into()));
        }
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

/// The same request with its signature corrupted.
pub(crate) fn corrupted(draft: Draft, corruption: Corruption) -> Draft {
    draft.edit(Edit::Signed(
        Signed::Signature,
        match corruption {
            Corruption::Middle => Tamper::Corrupt,
            Corruption::Throughout => Tamper::Unlike,
        },
    ))
}
