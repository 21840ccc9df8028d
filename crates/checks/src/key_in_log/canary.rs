//! Random credentials, each in a place where the API takes one.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::{Baseline, Draft, Intent, Session, Survey, SurveyedOperation, Unobserved};
use inventory::{ParameterLocation, Security, SecurityScheme};
use model::{Place, Recorded, Response};
use rand::RngExt;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use super::{is_refused, operations};
use crate::key_in_query::alike;
use crate::unlimited_guessing::{key, sign_in};

/// Parameters that some APIs read although no description names them.
///
/// **Source**: RFC 6750, section 2.3 (`access_token`); the names that `key-in-query` finds most.
const IN_QUERY: [&str; 3] = ["api_key", "access_token", "token"];

/// Requests that tell which of these is read: an unknown parameter, and each by itself.
pub(super) const MOST_IN_QUERY: u32 = 1 + IN_QUERY.len() as u32;

/// Fewest random characters of a canary: fewer occur in a log by chance.
///
/// **Source**: chosen; 16 hexadecimal digits are 64 bits.
const RANDOM: usize = 16;

/// Longest credential that is imitated; tokens are longer, and loggers cut.
///
/// **Source**: chosen.
const LONGEST: usize = 64;

/// What takes a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    Header,
    Query,
    Cookie,
    Basic,
    Password,
}

impl Kind {
    fn of(place: &Place) -> Self {
        match place {
            place if *place == Place::basic() => Self::Basic,
            Place::Header { .. } => Self::Header,
            Place::Query { .. } => Self::Query,
            Place::Cookie { .. } => Self::Cookie,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Query => "query",
            Self::Cookie => "cookie",
            Self::Basic => "basic",
            Self::Password => "password",
        }
    }

    /// Name of the mask of such a canary.
    pub(super) fn label(self) -> String {
        format!("canary-{}", self.word())
    }

    /// A place in words.
    pub(super) fn place(self, name: &str) -> String {
        match self {
            Self::Header => format!("the header `{name}`"),
            Self::Query => format!("the query parameter `{name}`"),
            Self::Cookie => format!("the cookie `{name}`"),
            Self::Basic => "the Basic password".into(),
            Self::Password => "the password of the sign-in".into(),
        }
    }
}

/// A random credential that was sent and refused.
pub(super) struct Canary {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) answer: Recorded,
    /// What shows it in a log.
    pub(super) needles: Vec<String>,
}

/// A random credential.
struct Random {
    value: String,
    needles: Vec<String>,
}

/// Requests that [`send`] takes, but for [`MOST_IN_QUERY`]; none where no place takes a credential.
pub(super) fn expected(survey: &Survey) -> u32 {
    let per_operation = |operation: &SurveyedOperation| match places(operation, survey).len() {
        0 => 0,
        // Without credentials, each place, and the query.
        places => places as u32 + 2,
    };
    let sign_in = survey.operations.iter().any(|o| sign_in::is_sign_in(&o.operation, &survey.inventory));
    operations(survey).map(|o| per_operation(o)).sum::<u32>() + u32::from(sign_in)
}

/// Sends random credentials; those that are refused come back.
pub(super) async fn send(survey: &Survey, session: &Session) -> Result<Vec<Canary>, Unobserved> {
    let mut random = session.random();
    let mut canaries = Vec::new();
    let mut query_is_known = false;
    for operation in operations(survey) {
        let places = places(operation, survey);
        let Some(baseline) = asked_of(operation).filter(|_| !places.is_empty()) else { continue };
        let without = session.recall(&baseline.draft(&operation.key).without_credentials()).await?;
        // What answers without a credential takes none.
        let Some(refusal) = without.response().filter(|answer| is_refused(answer)) else { continue };
        let mut in_place = None;
        for place in places {
            let made = random_credential(&place, baseline, session, &mut random);
            let answer = session.send(&with(baseline, operation, &place, &made, session)).await?;
            if answer.response().is_some_and(is_refused) {
                if !matches!(place, Place::Query { .. }) {
                    in_place = in_place.or(answer.response().cloned());
                }
                let (kind, name) = (Kind::of(&place), name(&place));
                canaries.push(Canary { kind, name, answer, needles: made.needles });
            }
        }
        if let (Some(in_place), false) = (&in_place, query_is_known) {
            let found = in_query(operation, baseline, refusal, in_place, survey, session, &mut random).await?;
            query_is_known = !found.is_empty();
            canaries.extend(found);
        }
    }
    canaries.extend(password(survey, session).await?);
    Ok(canaries)
}

/// The request that is changed: one that works for an identity, else any.
fn asked_of(operation: &SurveyedOperation) -> Option<&Baseline> {
    operation.baseline().or(operation.baselines.first())
}

/// Where an operation takes a credential: where the identity's own stand, and where the description says.
fn places(operation: &SurveyedOperation, survey: &Survey) -> Vec<Place> {
    let Some(baseline) = asked_of(operation) else { return Vec::new() };
    let identity = baseline.identity.as_deref().and_then(|name| survey.identity(name));
    // What a signed request carries beside its signature is the key's name, which is no secret.
    if identity.is_some_and(|identity| identity.signs) {
        return Vec::new();
    }
    let mut places = identity.map(|identity| identity.places.clone()).unwrap_or_default();
    if let Security::Required { alternatives, .. } = &operation.operation.security {
        let names: BTreeSet<&str> = alternatives.iter().flatten().map(|r| r.scheme.as_str()).collect();
        for place in names.into_iter().filter_map(|name| declared(survey.inventory.security_schemes.get(name)?)) {
            let is_known = |known: &Place| Kind::of(known) == Kind::of(&place) && name(known) == name(&place);
            if !places.iter().any(is_known) {
                places.push(place);
            }
        }
    }
    places
}

fn declared(scheme: &SecurityScheme) -> Option<Place> {
    match scheme {
        SecurityScheme::ApiKey { location: ParameterLocation::Header, name } => {
            Some(Place::Header { name: name.clone(), prefix: String::new() })
        }
        SecurityScheme::ApiKey { location: ParameterLocation::Query, name } => {
            Some(Place::Query { name: name.clone() })
        }
        SecurityScheme::ApiKey { location: ParameterLocation::Cookie, name } => {
            Some(Place::Cookie { name: name.clone() })
        }
        SecurityScheme::Http { scheme, .. } if scheme == "bearer" => Some(Place::bearer()),
        SecurityScheme::Http { scheme, .. } if scheme == "basic" => Some(Place::basic()),
        SecurityScheme::OAuth2 { .. } | SecurityScheme::OpenIdConnect { .. } => Some(Place::bearer()),
        SecurityScheme::ApiKey { .. }
        | SecurityScheme::Http { .. }
        | SecurityScheme::MutualTls
        | SecurityScheme::Unknown => None,
    }
}

fn name(place: &Place) -> String {
    match place {
        Place::Header { name, .. } | Place::Query { name } | Place::Cookie { name } => name.clone(),
    }
}

/// The request with a random credential in one place and no real one.
fn with(baseline: &Baseline, operation: &SurveyedOperation, place: &Place, made: &Random, session: &Session) -> Draft {
    for needle in &made.needles {
        session.mask_made_up(needle, &Kind::of(place).label());
    }
    let mut draft = baseline.draft(&operation.key).without_credentials();
    place.put(&mut draft.request, &made.value);
    draft
}

/// A credential that cannot be right: of the form of the identity's own where it has one there, and
/// with nothing in it that names a user or a key.
fn random_credential(place: &Place, baseline: &Baseline, session: &Session, random: &mut StdRng) -> Random {
    let fresh = format!("{:016x}", random.random::<u64>());
    if *place == Place::basic() {
        let password = format!("Mb-{fresh}-x");
        let value = BASE64_STANDARD.encode(format!("mb{:016x}:{password}", random.random::<u64>()));
        return Random { needles: vec![value.clone(), password], value };
    }
    let own = baseline.identity.as_ref().map(|name| session.credentials(name)).unwrap_or_default();
    let own = own.iter().find(|credential| credential.place == *place);
    let value = match own.map(|credential| credential.value.expose()).filter(|own| own.is_ascii()) {
        Some(own) => lengthened(key::twin(&own[..own.len().min(LONGEST)], random), &fresh),
        None => format!("{fresh}{:016x}", random.random::<u64>()),
    };
    Random { needles: vec![value.clone()], value }
}

/// The key, long enough to stand in a log only if it was sent.
fn lengthened(key: String, fresh: &str) -> String {
    let is_long = key.rsplit(['_', '-']).next().is_some_and(|last| last.len() >= RANDOM);
    if is_long { key } else { format!("{key}{fresh}") }
}

/// The query parameters that an operation reads although no description names them: a random key
/// there is refused like one in its place, and unlike none.
async fn in_query(
    operation: &SurveyedOperation,
    baseline: &Baseline,
    without: &Response,
    in_place: &Response,
    survey: &Survey,
    session: &Session,
    random: &mut StdRng,
) -> Result<Vec<Canary>, Unobserved> {
    let none = BTreeSet::new();
    if alike(without, in_place, &none) {
        return Ok(Vec::new());
    }
    let is_read = |answer: &Recorded| {
        answer.response().is_some_and(|answer| alike(answer, in_place, &none) && !alike(answer, without, &none))
    };
    let places = IN_QUERY.map(|name| Place::Query { name: name.into() });
    let all = random_credential(&places[0], baseline, session, random);
    let mut draft = with(baseline, operation, &places[0], &all, session);
    places.iter().for_each(|place| place.put(&mut draft.request, &all.value));
    if !is_read(&session.send(&draft).await?) {
        return Ok(Vec::new());
    }
    let unknown = Place::Query { name: survey.unknown_word.clone() };
    if is_read(&session.send(&with(baseline, operation, &unknown, &all, session)).await?) {
        return Ok(Vec::new());
    }
    let mut canaries = Vec::new();
    for place in &places {
        let made = random_credential(place, baseline, session, random);
        let answer = session.send(&with(baseline, operation, place, &made, session)).await?;
        if is_read(&answer) {
            canaries.push(Canary { kind: Kind::Query, name: name(place), answer, needles: made.needles });
        }
    }
    Ok(canaries)
}

/// A try to sign in as a random user that cannot exist.
async fn password(survey: &Survey, session: &Session) -> Result<Option<Canary>, Unobserved> {
    let found = survey.operations.iter().find(|o| sign_in::is_sign_in(&o.operation, &survey.inventory));
    let Some(operation) = found else { return Ok(None) };
    let guesses = sign_in::guesses(&operation.operation, survey, session, 1).unwrap_or_default();
    let Some(guess) = guesses.into_iter().next() else { return Ok(None) };
    session.mask_made_up(&guess.password, &Kind::Password.label());
    let mut draft = Draft::anonymous(guess.request).for_operation(&operation.key);
    draft.intent = Intent::RandomSignIn;
    let answer = match session.send(&draft).await {
        Ok(answer) => answer,
        // The tries of the scan are used up.
        Err(Unobserved::Inconclusive(_) | Unobserved::NotApplicable(_)) => return Ok(None),
        Err(stopped @ (Unobserved::Interrupted | Unobserved::Panicked)) => return Err(stopped),
    };
    let is_failed = answer.response().is_some_and(sign_in::is_failed);
    let canary = || Canary { kind: Kind::Password, name: "password".into(), answer, needles: vec![guess.password] };
    Ok(is_failed.then(canary))
}

#[cfg(test)]
mod tests {
    use super::lengthened;

    #[test]
    fn a_short_key_is_lengthened_so_that_no_log_holds_it_by_chance() {
        assert_eq!(lengthened("4839".into(), "0123456789abcdef"), "48390123456789abcdef");
        assert_eq!(lengthened("tk_58c2e0".into(), "0123456789abcdef"), "tk_58c2e00123456789abcdef");
        assert_eq!(lengthened("sk_live_0123456789abcdef".into(), "f"), "sk_live_0123456789abcdef");
    }
}
