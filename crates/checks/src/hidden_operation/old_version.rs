//! Versions of the API that should have ended.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::controls::{Sameness, Standing, content, form, standing};
use engine::effect::{Effect, effect, is_metered, reads_once};
use engine::{
    Baseline, Check, NotApplicable, Protection, Requests, Session, Survey, SurveyedOperation, Unobserved, subject,
};
use model::{Confidence, Flaw, Location, Meta, Owasp, Recorded, Request, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::candidates::is_described;
use super::version::Version;
use super::{META, NOTE};

const OPEN: Variant = Variant {
    name: "open",
    when: "an old version gives everybody what the new one protects",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Groups of operations with one version that are asked about.
///
/// **Source**: chosen; an API with more bases is rare.
const GROUPS: usize = 3;

/// Older versions that are tried per group.
///
/// **Source**: chosen; what is older than that has ended or is served by another host.
const OLDER: u32 = 2;

/// A version that no API has reached.
///
/// **Source**: chosen.
const IMPOSSIBLE: u32 = 907;

/// Requests of one group: owner, current and impossible version, and two per older version.
const PER_GROUP: u32 = 4 + 2 * OLDER;

/// Does an old version answer beside the described one?
pub struct OldVersionAnswers;

/// Old versions that were tried.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// One per group and older version.
    tried: Vec<Older>,
}

/// A request for the described version, an older one, and one that cannot exist.
#[derive(Serialize, Deserialize)]
struct Older {
    version: u32,
    current_version: u32,
    /// Method and path template of the operation.
    operation: String,
    /// Its JSON pointer.
    pointer: String,
    /// True if the description has the older version too.
    described: bool,
    owner: Recorded,
    current_without: Recorded,
    older_with: Option<Recorded>,
    older_without: Recorded,
    impossible_with: Option<Recorded>,
    impossible_without: Recorded,
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for OldVersionAnswers {
    const META: Meta = Meta {
        id: "old-version-answers",
        title: "An old version of the API answers beside the described one",
        cwe: &[1059, 306],
        owasp: &[Owasp::Api9, Owasp::Api2],
        variants: &[OPEN, NOTE],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        let groups = u32::try_from(groups(survey).len()).unwrap_or(u32::MAX);
        if groups == 0 {
            return Err(NotApplicable::new("no working request names a version above 1"));
        }
        Ok(Requests::at_most(groups * PER_GROUP))
    }

    async fn observe(_: &subject::Target, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let mut tried = Vec::new();
        for (operation, baseline, version) in groups(survey) {
            let draft = baseline.draft(&operation.key);
            let owner = session.recall(&draft).await?;
            let current_without = session.recall(&draft.clone().without_credentials()).await?;
            // What is sent for another version belongs to no described operation.
            let other = |number: u32| {
                let mut other = draft.clone();
                other.request = version.request(&baseline.request, number);
                other.operation = None;
                other
            };
            let impossible = other(IMPOSSIBLE);
            let impossible_without = session.recall(&impossible.clone().without_credentials()).await?;
            let impossible_with = match baseline.identity {
                Some(_) => Some(session.recall(&impossible).await?),
                None => None,
            };
            for number in (1..version.number).rev().take(OLDER as usize) {
                let older = other(number);
                let older_without = session.recall(&older.clone().without_credentials()).await?;
                let older_with = match baseline.identity {
                    Some(_) => Some(session.recall(&older).await?),
                    None => None,
                };
                tried.push(Older {
                    version: number,
                    current_version: version.number,
                    operation: operation.key.to_string(),
                    pointer: operation.operation.pointer.clone(),
                    described: is_another(survey, &baseline.request, &older.request),
                    owner: owner.clone(),
                    current_without: current_without.clone(),
                    older_with,
                    older_without,
                    impossible_with: impossible_with.clone(),
                    impossible_without: impossible_without.clone(),
                    volatile: baseline.volatile.clone(),
                });
            }
        }
        Ok(Observation { tried })
    }

    fn judge(seen: &Observation) -> Verdict {
        let flaws: Vec<Flaw> = seen.tried.iter().filter_map(judge).collect();
        let unanswered =
            seen.tried.iter().flat_map(|older| [Some(&older.older_without), older.older_with.as_ref()]).flatten();
        let undecided = unanswered.into_iter().any(|recorded| {
            recorded
                .response()
                .is_none_or(|response| matches!(standing(response), Standing::Limited | Standing::Unclear))
        });
        if flaws.is_empty() && undecided {
            return Verdict::inconclusive("a request for an old version got no usable answer");
        }
        Verdict::of_flaws(flaws)
    }
}

/// For each version in use above 1, the operation that stands for it: one that is declared protected
/// first.
fn groups(survey: &Survey) -> Vec<(&Arc<SurveyedOperation>, &Baseline, Version)> {
    let mut working: Vec<(&Arc<SurveyedOperation>, &Baseline)> = survey
        .operations
        .iter()
        .filter(|operation| operation.key.method == "GET")
        .filter_map(|operation| Some((operation, operation.baseline().or(operation.any_baseline())?)))
        .collect();
    working.sort_by_key(|(operation, baseline)| {
        (operation.protection != Protection::Declared, baseline.identity.is_none(), operation.operation.index)
    });
    let mut groups: Vec<(String, &Arc<SurveyedOperation>, &Baseline, Version)> = Vec::new();
    for (operation, baseline) in working {
        let harmless = effect(&baseline.request) == Effect::Reads
            && !is_metered(&operation.key.path)
            && !reads_once(&operation.key.path);
        let Some(version) = Version::of(operation, &baseline.request).filter(|v| v.number > 1 && harmless) else {
            continue;
        };
        let group = version.group(&baseline.request);
        if groups.len() < GROUPS && !groups.iter().any(|(other, ..)| *other == group) {
            groups.push((group, operation, baseline, version));
        }
    }
    groups.into_iter().map(|(_, operation, baseline, version)| (operation, baseline, version)).collect()
}

/// True if the request's path is a described one, and not the one it was made from.
fn is_another(survey: &Survey, current: &Request, older: &Request) -> bool {
    current.path() != older.path() && is_described(survey, "GET", older.path())
}

fn judge(older: &Older) -> Option<Flaw> {
    let owner = older.owner.response().filter(|response| standing(response) == Standing::Works)?;
    let what = format!("version {} of {} answers", older.version, older.operation);
    let without = older.older_without.response()?;
    let protected = older.current_without.response().is_some_and(|r| standing(r) == Standing::Refused);
    let impossible = older.impossible_without.response()?;
    if protected && answers(without, impossible, owner) && form(without) == form(owner) {
        let confidence = match content(owner, without, &older.volatile) {
            Sameness::Same => Confidence::Confirmed,
            Sameness::Different => Confidence::Likely,
            // An empty list shows nothing that is protected.
            Sameness::Empty => return None,
        };
        let message = format!("{what} without credentials; version {} refuses that", older.current_version);
        let flaw = Flaw::new(&OPEN, "open-old-version", message).with_confidence(confidence);
        return Some(flaw.at(Location::Description(older.pointer.clone())));
    }
    if older.described {
        return None;
    }
    let with = older
        .older_with
        .as_ref()
        .and_then(|r| r.response())
        .zip(older.impossible_with.as_ref().and_then(|r| r.response()));
    let answered =
        answers(without, impossible, owner) || with.is_some_and(|(with, impossible)| answers(with, impossible, owner));
    answered.then(|| {
        let message = format!("{what} beside version {}, and is not described", older.current_version);
        Flaw::new(&NOTE, "old-version", message).at(Location::Description(older.pointer.clone()))
    })
}

/// True if an answer works, is like the owner's in its members, and not what any version would get.
fn answers(answer: &Response, impossible: &Response, owner: &Response) -> bool {
    if standing(answer) != Standing::Works {
        return false;
    }
    let (own, other) = (form(answer), form(impossible));
    let any_version = standing(impossible) == Standing::Works && own.members == other.members;
    !any_version && own.media_type == form(owner).media_type && !own.members.is_disjoint(&form(owner).members)
}
