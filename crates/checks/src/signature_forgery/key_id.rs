//! Does the secret belong to the key id?

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::controls::{Acceptance, Sameness, Standing, admitted, content};
use engine::{Check, NotApplicable, Requests, Session, Survey, SurveyedIdentity, Unobserved, subject};
use model::{Flaw, Forgery, Meta, Recorded, Secret, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::reading::reading;
use super::tries::{self, Tries, Try};
use super::{BESIDE, META, ONLY};
use crate::signature_coverage::asked::{Asked, corrupted, of_identity};
use crate::signature_coverage::{status, unclear};

/// A key id that reads an empty file where ids are file names.
const EMPTY_FILE: &str = "../../../../../../../../dev/null";

fn forgery(secret: Option<&str>, key_id: Option<&str>) -> Forgery {
    Forgery { secret: secret.map(Secret::new), key_id: key_id.map(Into::into), ..Forgery::default() }
}

/// Is a signature under the empty secret accepted?
pub(super) struct EmptySecretAccepted;

impl Check for EmptySecretAccepted {
    const META: Meta = Meta {
        id: "empty-secret-accepted",
        title: "A signature under an empty secret is accepted",
        variants: &[ONLY, BESIDE],
        cwe: &[287, 347, 1391],
        reference: &["SIG-027"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Tries;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = of_identity(&identity.0, survey)?;
        match empty_secret(&asked, &survey.unknown_word).len() {
            0 => Err(NotApplicable::new("an empty secret is no key of its scheme, or its own")),
            count => Ok(Requests::at_most(tries::requests(count))),
        }
    }

    async fn observe(identity: &subject::Identity, survey: &Survey, session: &Session) -> Result<Tries, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        tries::observe(&asked, session, empty_secret(&asked, &survey.unknown_word)).await
    }

    fn judge(seen: &Tries) -> Verdict {
        tries::forgeable(seen, &Self::META)
    }
}

fn empty_secret(asked: &Asked<'_>, word: &str) -> Vec<Try> {
    let own = (None, "a signature under an empty secret and the own key id");
    let others = [
        (Some(word), "a signature under an empty secret and an unknown key id"),
        (Some(""), "a signature under an empty secret and an empty key id"),
        (Some(EMPTY_FILE), "a signature under an empty secret and a path to an empty file as key id"),
    ];
    let has_id = asked.places.key_id.is_some();
    let ids = has_id.then_some(others).into_iter().flatten().chain([own]);
    let identity = asked.identity;
    ids.map(|(key_id, what)| (forgery(Some(""), key_id), what))
        .filter(|(forgery, _)| identity.can_forge(forgery) && !identity.signs_as(&self_signed(forgery)))
        .map(|(forgery, what)| Try::signed(asked.draft.clone().forged(forgery), &[], what))
        .collect()
}

/// The same secret under the own key id.
fn self_signed(other: &Forgery) -> Forgery {
    Forgery { key_id: None, ..other.clone() }
}

/// Is the key id found although it is spelled in another way?
pub(super) struct KeyIdReadLoosely;

const LOOSE: Variant =
    Variant { name: "loose", when: "another key id than the own one finds the own secret", cvss: None };

impl Check for KeyIdReadLoosely {
    const META: Meta = Meta {
        id: "key-id-read-loosely",
        title: "Another spelling of the key id finds the same secret",
        variants: &[LOOSE],
        cwe: &[290],
        reference: &["SIG-027"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Tries;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = of_identity(&identity.0, survey)?;
        match spellings(&asked, &survey.unknown_word).len() {
            0 => Err(NotApplicable::new("its scheme has no key id")),
            count => Ok(Requests::at_most(tries::requests(count))),
        }
    }

    async fn observe(identity: &subject::Identity, survey: &Survey, session: &Session) -> Result<Tries, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        tries::observe(&asked, session, spellings(&asked, &survey.unknown_word)).await
    }

    fn judge(seen: &Tries) -> Verdict {
        tries::single(seen, &Self::META)
    }
}

fn spellings(asked: &Asked<'_>, word: &str) -> Vec<Try> {
    let Some(own) = asked.identity.key_id().filter(|id| !id.is_empty()) else { return Vec::new() };
    let flipped: String = own.chars().map(other_case).collect();
    let ids = [
        (word.to_owned(), "an unknown key id with the own secret"),
        (flipped, "the key id in the other case"),
        (format!("{word}/../{own}"), "the key id as a path with `../` in it"),
    ];
    let different = ids.into_iter().filter(|(id, _)| *id != own);
    different
        .map(|(id, what)| (forgery(None, Some(&id)), what))
        .filter(|(forgery, _)| asked.identity.can_forge(forgery))
        .map(|(forgery, what)| Try::signed(asked.draft.clone().forged(forgery), &[], what))
        .collect()
}

fn other_case(c: char) -> char {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}

/// Does a secret open the account of another key id?
pub(super) struct ForeignKeyIdAccepted;

/// A request of each of two identities, and one that names the second under the first one's secret.
#[derive(Serialize, Deserialize)]
pub(super) struct Foreign {
    /// The first identity's own request.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The second identity's own request.
    other: Recorded,
    /// The second one's key id, signed with the first one's secret.
    foreign: Recorded,
    /// The same, its signature corrupted; absent where the key id alone was refused.
    foreign_corrupted: Option<Recorded>,
    /// A key id that nobody has, signed with the first one's secret; absent as the one before.
    unknown: Option<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for ForeignKeyIdAccepted {
    const META: Meta = Meta {
        id: "foreign-key-id-accepted",
        title: "A secret opens the account of another key id",
        variants: &[BESIDE],
        cwe: &[290, 287, 347],
        reference: &["SIG-027"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Foreign;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        private(&identity.0, other_of(&identity.0, survey)?.0, survey)?;
        Ok(Requests { expected: 4, most: 7 })
    }

    async fn observe(identity: &subject::Identity, survey: &Survey, session: &Session) -> Result<Foreign, Unobserved> {
        let (other, key_id) = other_of(&identity.0, survey)?;
        let asked = private(&identity.0, other, survey)?;
        let controls = asked.controls(session).await?.differ()?;
        let mut theirs = asked.draft.clone();
        theirs.identity = Some(other.name.clone());
        let other = session.send(&theirs).await?;
        let named = |id: &str| asked.draft.clone().forged(forgery(None, Some(id)));
        let foreign = session.send(&named(&key_id)).await?;
        let mut seen = Foreign {
            valid: controls.valid,
            corrupted: controls.corrupted,
            other,
            foreign,
            foreign_corrupted: None,
            unknown: None,
            volatile: asked.baseline.volatile.clone(),
        };
        if admitted(&seen.foreign, &seen.valid, &seen.corrupted) == Acceptance::Accepted {
            seen.foreign_corrupted = Some(session.send(&corrupted(named(&key_id), controls.corruption)).await?);
            seen.unknown = Some(session.send(&named(&survey.unknown_word)).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Foreign) -> Verdict {
        let acceptance = |exchange: &Recorded| admitted(exchange, &seen.valid, &seen.corrupted);
        match acceptance(&seen.foreign) {
            Acceptance::Refused => return Verdict::pass(),
            Acceptance::Unclear => return unclear(&seen.foreign),
            Acceptance::Accepted => {}
        }
        if acceptance(&seen.other) != Acceptance::Accepted {
            return Verdict::inconclusive("the second identity's own request is not answered like the first one's");
        }
        let refused = |exchange: &Option<Recorded>| {
            exchange.as_ref().is_some_and(|exchange| acceptance(exchange) == Acceptance::Refused)
        };
        if !refused(&seen.foreign_corrupted) || !refused(&seen.unknown) {
            return Verdict::inconclusive(
                "the other key id is accepted, and so is an unknown one or a corrupted signature",
            );
        }
        let same = |a: &Recorded, b: &Recorded| match (a.response(), b.response()) {
            (Some(a), Some(b)) => content(a, b, &seen.volatile),
            _ => Sameness::Empty,
        };
        // Two keys of one account may stand for each other, and both get the same.
        let is_theirs =
            same(&seen.foreign, &seen.other) == Sameness::Same && same(&seen.other, &seen.valid) == Sameness::Different;
        if !is_theirs {
            return Verdict::inconclusive(
                "another key id is accepted, and no content shows that it is another account",
            );
        }
        let message = "the content of another key id comes back under a signature with the own secret";
        Verdict::fail(Flaw::new(&BESIDE, Self::META.id, message).mark("foreign", status(&seen.foreign)))
    }
}

/// A request that two identities get different answers to, else any that works.
fn private<'s>(
    identity: &'s SurveyedIdentity,
    other: &SurveyedIdentity,
    survey: &'s Survey,
) -> Result<Asked<'s>, NotApplicable> {
    let differs = |asked: &Asked<'_>| {
        let operation = asked.draft.operation.as_ref().and_then(|key| survey.operation(key));
        let theirs = operation.and_then(|o| o.baseline_of(&other.name)).filter(|b| b.standing == Standing::Works);
        let pair = theirs.and_then(|b| b.exchange.response()).zip(asked.baseline.exchange.response());
        pair.is_some_and(|(a, b)| content(a, b, &asked.baseline.volatile) == Sameness::Different)
    };
    reading(identity, survey).find(differs).map_or_else(|| of_identity(identity, survey), Ok)
}

/// Another identity with a secret of its own in the same scheme, and its key id.
fn other_of<'s>(
    identity: &SurveyedIdentity,
    survey: &'s Survey,
) -> Result<(&'s Arc<SurveyedIdentity>, String), NotApplicable> {
    let own = identity.key_id();
    let others = survey.identities.iter().filter(|o| o.name != identity.name && o.alive && o.signs);
    let mut candidates = others.filter(|o| o.signed == identity.signed && !identity.shares_secret_with(o));
    candidates
        .find_map(|other| {
            let key_id = other.key_id().filter(|id| Some(id) != own.as_ref())?;
            identity.can_forge(&forgery(None, Some(&key_id))).then_some((other, key_id))
        })
        .ok_or(NotApplicable::new("no second identity signs with a key id and a secret of its own"))
}
