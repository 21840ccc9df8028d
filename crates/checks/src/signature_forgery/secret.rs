//! Is the secret one that everybody knows?

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject, weak_secrets};
use model::{Flaw, Forgery, Meta, Secret, Verdict};
use serde::{Deserialize, Serialize};

use super::tries::{self, Tries, Try};
use super::{BESIDE, META, ONLY};
use crate::signature_coverage::asked::{Asked, of_identity};
use crate::signature_coverage::status;

/// Well-known secrets that are tried where the identity's own is none of them.
///
/// **Source**: SIG-028 of docs/rows.md.
const ONLINE: usize = 20;

/// What code turns a secret into that it does not find, and the default that stands behind a lookup.
///
/// **Source**: `String(undefined)` and `str(None)` of JavaScript and Python; CWE-1392.
const OF_NOBODY: [&str; 5] = ["undefined", "null", "None", "secret", "changeme"];

/// Is a well-known secret accepted?
pub(super) struct WellKnownSecret;

/// Whether the own secret is a well-known one, and what others get.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    /// True if the identity's own secret stands on the list.
    own_is_listed: bool,
    /// Its request, and one under each of the likeliest others.
    #[serde(flatten)]
    seen: Tries,
}

impl Check for WellKnownSecret {
    const META: Meta = Meta {
        id: "well-known-secret",
        title: "Requests are signed with a well-known secret",
        variants: &[ONLY, BESIDE],
        cwe: &[521, 798, 1392, 347],
        remedy: Some(&crate::remedies::SECRET_FROM_ENVIRONMENT),
        reference: &["SIG-028"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = of_identity(&identity.0, survey)?;
        if own_is_listed(&asked) {
            return Ok(Requests { expected: 0, most: tries::requests(0) });
        }
        match others(&asked, &survey.unknown_word).len() {
            0 => Err(NotApplicable::new("no well-known secret is a key of its scheme")),
            count => Ok(Requests::at_most(tries::requests(count))),
        }
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        let own_is_listed = own_is_listed(&asked);
        let list = if own_is_listed { Vec::new() } else { others(&asked, &survey.unknown_word) };
        Ok(Observation { own_is_listed, seen: tries::observe(&asked, session, list).await? })
    }

    fn judge(observation: &Observation) -> Verdict {
        let Observation { own_is_listed: true, seen } = observation else {
            return tries::forgeable(&observation.seen, &Self::META);
        };
        let variant = if seen.only_credential { &ONLY } else { &BESIDE };
        let message = "the secret that signs is a well-known default or placeholder";
        Verdict::fail(Flaw::new(variant, Self::META.id, message).mark("valid", status(&seen.valid)))
    }
}

fn forgery(secret: Secret) -> Forgery {
    Forgery { secret: Some(secret), ..Forgery::default() }
}

/// The list, with the key id as one of it.
fn listed(asked: &Asked<'_>) -> impl Iterator<Item = Forgery> {
    let key_id = asked.identity.key_id();
    weak_secrets(&key_id.as_deref().into_iter().collect::<Vec<_>>()).into_iter().map(forgery)
}

fn own_is_listed(asked: &Asked<'_>) -> bool {
    listed(asked).any(|forgery| asked.identity.signs_as(&forgery))
}

/// The likeliest ones that can be keys of the scheme, and some under a key id that nobody has. The
/// empty one is a question of its own.
fn others(asked: &Asked<'_>, word: &str) -> Vec<Try> {
    let is_key = |forgery: &Forgery| {
        asked.identity.can_forge(forgery) && forgery.secret.as_ref().is_some_and(|secret| !secret.expose().is_empty())
    };
    let of_nobody = OF_NOBODY.map(|secret| Forgery { key_id: Some(word.into()), ..forgery(Secret::new(secret)) });
    let of_nobody = asked.places.key_id.is_some().then_some(of_nobody).into_iter().flatten();
    let tried = |forgery: Forgery, what: &str| Try::signed(asked.draft.clone().forged(forgery), &[], what);
    let own = listed(asked)
        .filter(is_key)
        .take(ONLINE - OF_NOBODY.len())
        .map(|forgery| tried(forgery, "a signature under a well-known default or placeholder"));
    let others = of_nobody
        .filter(is_key)
        .map(|forgery| tried(forgery, "a signature under a well-known default and an unknown key id"));
    others.chain(own).collect()
}
