//! Which operations are asked how they compare keys: a few of each identity, since some frameworks
//! leave the comparison to each route.

use std::sync::Arc;

use engine::controls::Standing;
use engine::effect::{Effect, effect, is_metered, reads_once};
use engine::{Baseline, Protection, Survey, SurveyedIdentity, SurveyedOperation};
use model::Place;

/// Operations that are asked for each identity.
///
/// **Source**: chosen; parts of a key are wrong secrets, and few are sent.
const MOST: usize = 3;

/// What is asked of an operation.
pub(crate) struct Asked<'a> {
    /// The working request of the identity.
    pub(crate) baseline: &'a Baseline,
    /// The identity.
    pub(crate) identity: &'a SurveyedIdentity,
    /// Position of the key among its credentials.
    pub(crate) position: usize,
    /// True for the operation that stands for the whole API.
    pub(crate) first: bool,
}

/// What is asked of this operation; `None` where others stand for it, or no identity has a key in a
/// header.
pub(crate) fn asked<'a>(operation: &'a SurveyedOperation, survey: &'a Survey) -> Option<Asked<'a>> {
    let baseline = operation.baseline()?;
    let identity = survey.identity(baseline.identity.as_deref()?)?;
    let position = key_position(identity)?;
    let chosen = chosen(identity, survey);
    let at = chosen.iter().position(|other| other.key == operation.key)?;
    Some(Asked { baseline, identity, position, first: at == 0 })
}

/// Position of the first credential that may be an API key in a header. The requests of an identity
/// that signs are refused for their signature, whatever the key is.
fn key_position(identity: &SurveyedIdentity) -> Option<usize> {
    let is_key = |place: &Place| match place {
        Place::Header { name, .. } => !name.eq_ignore_ascii_case("cookie") && place.label() != "basic",
        Place::Query { .. } | Place::Cookie { .. } => false,
    };
    if identity.signs || !identity.alive {
        return None;
    }
    identity.places.iter().position(is_key)
}

/// The operation that shows whether the identity works, then others, each in another part of the API.
fn chosen<'a>(identity: &SurveyedIdentity, survey: &'a Survey) -> Vec<&'a Arc<SurveyedOperation>> {
    let canary = identity.canary.as_ref().and_then(|key| survey.operation(key));
    let mut chosen: Vec<&Arc<SurveyedOperation>> = Vec::new();
    for operation in canary.into_iter().chain(&survey.operations) {
        let is_theirs = operation.baseline().is_some_and(|b| b.identity.as_ref() == Some(&identity.name));
        let elsewhere = chosen.iter().all(|other| part(&other.key.path) != part(&operation.key.path));
        if chosen.len() < MOST && is_theirs && elsewhere && is_suitable(operation) {
            chosen.push(operation);
        }
    }
    chosen
}

/// The first segment of a path that is no version and no `api`.
fn part(path: &str) -> &str {
    let is_version = |s: &str| s.strip_prefix('v').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    path.split('/').find(|s| !s.is_empty() && *s != "api" && !is_version(s)).unwrap_or_default()
}

/// True for a harmless reading operation that is not open by design.
pub(crate) fn is_suitable(operation: &SurveyedOperation) -> bool {
    let path = &operation.key.path;
    operation.key.method == "GET"
        && operation.protection != Protection::Public
        && operation.baseline().is_some_and(|b| b.standing == Standing::Works && effect(&b.request) == Effect::Reads)
        && !is_metered(path)
        && !reads_once(path)
}
