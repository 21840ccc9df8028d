//! Which operation stands for which query parameter, so that each is asked about once.

use std::collections::BTreeSet;
use std::sync::Arc;

use engine::controls::Standing;
use engine::effect::{Effect, effect, is_metered, reads_once};
use engine::{Baseline, Protection, Survey, SurveyedOperation};
use inventory::{ParameterLocation, Security, SecurityScheme};
use model::{Mode, Place};

/// Operations of which undescribed parameters are asked.
///
/// **Source**: chosen; ten requests each.
const MOST_GUESSING: usize = 3;

/// What is asked of one operation.
#[derive(Default)]
pub(super) struct Asked<'a> {
    /// Query parameters in which the description wants the key.
    pub(super) declared: Vec<String>,
    /// True if undescribed parameters are tried.
    pub(super) guesses: bool,
    /// A working request of an identity whose key the user put into the query, the position of that
    /// credential, and its parameter.
    pub(super) configured: Option<(&'a Baseline, usize, String)>,
}

impl Asked<'_> {
    pub(super) fn is_nothing(&self) -> bool {
        self.declared.is_empty() && !self.guesses && self.configured.is_none()
    }
}

/// Declared query parameters for keys that some operation stands for.
pub(crate) fn asked_names(survey: &Survey) -> BTreeSet<String> {
    if survey.mode < Mode::Safe {
        return BTreeSet::new();
    }
    declared_names(survey)
        .into_iter()
        .filter(|(_, scheme)| standing_for(scheme, survey).is_some())
        .map(|(n, _)| n)
        .collect()
}

/// What is asked of this operation.
pub(super) fn asked<'a>(operation: &'a SurveyedOperation, survey: &'a Survey) -> Asked<'a> {
    let is_this = |other: Option<&Arc<SurveyedOperation>>| other.is_some_and(|other| other.key == operation.key);
    let declared = declared_names(survey).into_iter().filter(|(_, scheme)| is_this(standing_for(scheme, survey)));
    Asked {
        declared: declared.map(|(name, _)| name).collect(),
        guesses: guessing(survey).into_iter().any(|other| other.key == operation.key),
        configured: configured(operation, survey),
    }
}

/// Where the API takes its key outside the query: the identity's own place, else a declared one. User
/// and password are no key.
pub(super) fn key_place(baseline: &Baseline, survey: &Survey) -> Option<Place> {
    let outside = |place: &&Place| !matches!(place, Place::Query { .. }) && **place != Place::basic();
    let identity = baseline.identity.as_deref().and_then(|name| survey.identity(name));
    if let Some(identity) = identity {
        return identity.places.iter().find(outside).cloned();
    }
    survey.inventory.security_schemes.values().find_map(|scheme| match scheme {
        SecurityScheme::ApiKey { location: ParameterLocation::Header, name } => {
            Some(Place::Header { name: name.clone(), prefix: String::new() })
        }
        SecurityScheme::ApiKey { location: ParameterLocation::Cookie, name } => {
            Some(Place::Cookie { name: name.clone() })
        }
        SecurityScheme::Http { scheme, .. } if scheme == "bearer" => Some(Place::bearer()),
        SecurityScheme::ApiKey { .. }
        | SecurityScheme::Http { .. }
        | SecurityScheme::OAuth2 { .. }
        | SecurityScheme::OpenIdConnect { .. }
        | SecurityScheme::MutualTls
        | SecurityScheme::Unknown => None,
    })
}

/// Query parameters in which the description wants a key, with their scheme, each name once.
fn declared_names(survey: &Survey) -> Vec<(String, &str)> {
    let mut names: Vec<(String, &str)> = Vec::new();
    for (scheme, kind) in &survey.inventory.security_schemes {
        if let SecurityScheme::ApiKey { location: ParameterLocation::Query, name } = kind
            && !names.iter().any(|(other, _)| other == name)
        {
            names.push((name.clone(), scheme));
        }
    }
    names
}

/// The first suitable operation that names the scheme.
fn standing_for<'a>(scheme: &str, survey: &'a Survey) -> Option<&'a Arc<SurveyedOperation>> {
    survey.operations.iter().find(|operation| {
        let Security::Required { alternatives, .. } = &operation.operation.security else { return false };
        is_suitable(operation) && alternatives.iter().flatten().any(|requirement| requirement.scheme == scheme)
    })
}

/// The operations of which undescribed parameters are asked: those that show whether an identity works,
/// then the first suitable ones. Some frameworks read the key in each route by itself.
fn guessing(survey: &Survey) -> Vec<&Arc<SurveyedOperation>> {
    let canaries = survey.identities.iter().filter_map(|identity| survey.operation(identity.canary.as_ref()?));
    let declared = survey.operations.iter().filter(|operation| operation.protection == Protection::Declared);
    let mut guessing: Vec<&Arc<SurveyedOperation>> = Vec::new();
    for operation in canaries.chain(declared).filter(|operation| is_suitable(operation)) {
        if guessing.len() < MOST_GUESSING && !guessing.iter().any(|other| other.key == operation.key) {
            guessing.push(operation);
        }
    }
    guessing
}

/// True for a harmless reading operation that has a request which is answered, or refused for want
/// of credentials.
pub(crate) fn is_suitable(operation: &SurveyedOperation) -> bool {
    let answered = |b: &&Baseline| matches!(b.standing, Standing::Works | Standing::Refused);
    let Some(baseline) = operation.baselines.iter().find(answered) else { return false };
    let path = &operation.key.path;
    operation.key.method == "GET"
        && operation.protection != Protection::Public
        && effect(&baseline.request) == Effect::Reads
        && !is_metered(path)
        && !reads_once(path)
}

fn configured<'a>(operation: &'a SurveyedOperation, survey: &Survey) -> Option<(&'a Baseline, usize, String)> {
    survey.identities.iter().find_map(|identity| {
        let shows = identity.canary.as_ref() == Some(&operation.key);
        let baseline = operation.baseline_of(&identity.name).filter(|b| shows && b.standing == Standing::Works)?;
        let (position, name) = identity.places.iter().enumerate().find_map(|(position, place)| match place {
            Place::Query { name } => Some((position, name.clone())),
            Place::Header { .. } | Place::Cookie { .. } => None,
        })?;
        Some((baseline, position, name))
    })
}
