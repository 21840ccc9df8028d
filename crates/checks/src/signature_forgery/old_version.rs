//! Does an older version of a signed operation want no signature?

use engine::controls::{Acceptance, Standing, admitted, form, sibling_request, standing};
use engine::effect::{Effect, effect, is_metered, reads_once};
use engine::{
    Baseline, Check, Draft, Edit, NotApplicable, Requests, Session, Signed, Survey, SurveyedIdentity,
    SurveyedOperation, Tamper, Unobserved, subject,
};
use model::{Flaw, Meta, Recorded, Request, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::META;
use crate::hidden_operation::version::Version;
use crate::signature_coverage::asked::{Corruption, corrupted};

const UNSIGNED: Variant = Variant {
    name: "unsigned",
    when: "an older version gives to the key alone what the signed one protects",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Operations whose older versions are asked for.
///
/// **Source**: chosen; an API that kept an unsigned version kept more than one operation of it.
const OPERATIONS: usize = 3;

/// Older versions of one operation that are tried.
///
/// **Source**: chosen, as for versions that answer without any credential.
const OLDER: usize = 2;

/// A version that no API has reached.
///
/// **Source**: chosen.
const IMPOSSIBLE: u32 = 907;

/// Requests of one operation: valid, corrupted, and four per older version.
const PER_OPERATION: u32 = 3 + 4 * OLDER as u32;

/// Does an older version answer without a signature?
pub(super) struct UnsignedOldVersion;

/// Every older version that was asked for.
#[derive(Serialize, Deserialize)]
pub(super) struct Observation {
    tried: Vec<Older>,
}

/// A signed operation, and an older version of it without a signature.
#[derive(Serialize, Deserialize)]
struct Older {
    /// The version that was asked for.
    version: u32,
    /// Method and path template of the signed operation.
    operation: String,
    /// Signed as it is sent.
    valid: Recorded,
    /// The same, its signature corrupted.
    corrupted: Recorded,
    /// The signed operation without the signature.
    current_unsigned: Recorded,
    /// The older version without the signature, all else in place.
    unsigned: Recorded,
    /// The older version without signature and credentials.
    anonymous: Recorded,
    /// A version that cannot exist, without the signature.
    impossible: Recorded,
    /// A path that cannot exist in the older version, without the signature.
    sibling: Recorded,
}

impl Check for UnsignedOldVersion {
    const META: Meta = Meta {
        id: "unsigned-old-version",
        title: "An older version of a signed operation wants no signature",
        variants: &[UNSIGNED],
        cwe: &[306, 345],
        reference: &["SIG-030"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        if !identity.0.signs {
            return Err(NotApplicable::new("the identity does not sign"));
        }
        if identity.0.places.is_empty() && identity.0.key_id().is_none() {
            return Err(NotApplicable::new("without its signature nothing shows who asks"));
        }
        match asked(&identity.0, survey).len() {
            0 => Err(NotApplicable::new("no signed operation can have an older version")),
            count => Ok(Requests::at_most(u32::try_from(count).unwrap_or(u32::MAX) * PER_OPERATION)),
        }
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let mut tried = Vec::new();
        for (operation, baseline) in asked(&identity.0, survey) {
            let draft = baseline.draft(&operation.key);
            let valid = session.recall(&draft).await?;
            let corrupted = session.recall(&corrupted(draft.clone(), Corruption::Middle)).await?;
            let current_unsigned = session.recall(&unsigned(draft.clone())).await?;
            if admitted(&current_unsigned, &valid, &corrupted) != Acceptance::Refused {
                continue;
            }
            for (version, older, impossible) in older(operation, &baseline.request, survey) {
                let other = |request| {
                    let mut other = draft.clone();
                    other.request = request;
                    other.operation = None;
                    other
                };
                let sibling = sibling_request(&operation.key.path, &older, &survey.unknown_word);
                tried.push(Older {
                    version,
                    operation: operation.key.to_string(),
                    valid: valid.clone(),
                    corrupted: corrupted.clone(),
                    current_unsigned: current_unsigned.clone(),
                    unsigned: session.send(&unsigned(other(older.clone()))).await?,
                    anonymous: session.recall(&other(older).without_credentials()).await?,
                    impossible: session.recall(&unsigned(other(impossible))).await?,
                    sibling: session.send(&unsigned(other(sibling))).await?,
                });
            }
        }
        match tried.is_empty() {
            true => Err(Unobserved::NotApplicable("no operation refuses a request without its signature".into())),
            false => Ok(Observation { tried }),
        }
    }

    fn judge(seen: &Observation) -> Verdict {
        let flaws: Vec<Flaw> = seen.tried.iter().filter_map(flaw).collect();
        let undecided = seen.tried.iter().any(|older| {
            older.unsigned.response().is_none_or(|r| matches!(standing(r), Standing::Limited | Standing::Failed))
        });
        if flaws.is_empty() && undecided {
            return Verdict::inconclusive("a request for an older version got no usable answer");
        }
        Verdict::of_flaws(flaws.into_iter().take(1).collect())
    }
}

fn unsigned(draft: Draft) -> Draft {
    draft.edit(Edit::Signed(Signed::Signature, Tamper::Drop))
}

/// The identity's signed operations that may have an older version, those that name theirs first.
fn asked<'s>(identity: &SurveyedIdentity, survey: &'s Survey) -> Vec<(&'s SurveyedOperation, &'s Baseline)> {
    let mut found: Vec<(&SurveyedOperation, &Baseline)> = survey
        .operations
        .iter()
        .filter(|o| o.key.method == "GET" && !is_metered(&o.key.path) && !reads_once(&o.key.path))
        .filter_map(|o| {
            let baseline = o.baseline_of(&identity.name).filter(|b| b.standing == Standing::Works)?;
            (effect(&baseline.request) == Effect::Reads).then_some((&**o, baseline))
        })
        .filter(|(o, baseline)| !older(o, &baseline.request, survey).is_empty())
        .collect();
    found.sort_by_key(|(o, baseline)| Version::of(o, &baseline.request).is_none());
    found.truncate(OPERATIONS);
    found
}

/// Older versions of a request, each with one that cannot exist. Where the request names no version, it
/// is asked for below `/v1`.
fn older(operation: &SurveyedOperation, request: &Request, survey: &Survey) -> Vec<(u32, Request, Request)> {
    match Version::of(operation, request) {
        Some(current) => (1..current.number)
            .rev()
            .take(OLDER)
            .map(|number| (number, current.request(request, number), current.request(request, IMPOSSIBLE)))
            .collect(),
        None => {
            let Some(below) = request.path().strip_prefix(survey.base_path.as_str()) else { return Vec::new() };
            let at = |number: u32| request.clone().with_path(&survey.path(&format!("/v{number}{below}")));
            vec![(1, at(1), at(IMPOSSIBLE))]
        }
    }
}

fn flaw(older: &Older) -> Option<Flaw> {
    let acceptance = |e: &Recorded| admitted(e, &older.valid, &older.corrupted);
    if acceptance(&older.valid) != Acceptance::Accepted || acceptance(&older.current_unsigned) != Acceptance::Refused {
        return None;
    }
    let valid = older.valid.response()?;
    let unsigned = older.unsigned.response()?;
    let impossible = older.impossible.response()?;
    let anonymous = older.anonymous.response()?;
    let sibling = older.sibling.response()?;
    let like = |a: &Response| standing(a) == Standing::Works && form(a) == form(valid);
    // What everybody gets, or any version, is another finding or none.
    let is_kept_from_others = standing(anonymous) != Standing::Works && !like(impossible) && !like(sibling);
    (like(unsigned) && is_kept_from_others).then(|| {
        let message = format!(
            "version {} of {} answers without a signature, and the described one refuses that",
            older.version, older.operation
        );
        Flaw::new(&UNSIGNED, "unsigned-old-version", message)
    })
}
