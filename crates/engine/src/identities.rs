//! The identities of a running scan: their credentials, their sign-in, and whether they are alive.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use model::identity::{Extract, ExtractFrom};
use model::{Credential, Exchange, Identity, Place, Purpose, Request, Response, Secret};
use serde_json::Value;
use tokio::time::Instant;

use crate::check::Unobserved;
use crate::controls::{Standing, standing};
use crate::door::Door;
use crate::draft::Draft;
use crate::trouble::Trouble;
use crate::used::UsedSignatures;

/// How long an identity that works counts as working where each proof uses up a signature.
///
/// **Source**: chosen.
const SCARCE_PROOF: Duration = Duration::from_secs(5);

/// How a request without credentials is refused: another page is no refusal of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    status: u16,
    media_type: String,
}

impl Refusal {
    pub(crate) fn of(refused: &Exchange) -> Self {
        let response = refused.response();
        Self {
            status: response.map_or(0, |r| r.status),
            media_type: response.map(Response::media_type).unwrap_or_default(),
        }
    }
}

/// What became of an identity during the scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Health {
    /// It works.
    #[default]
    Works,
    /// It is refused where it was not before.
    Refused,
    /// The target does not answer it, for a reason that is not its own.
    Target(Trouble),
}

/// Credentials as they are at a moment; each sign-in makes another generation.
#[derive(Clone, Debug)]
pub(crate) struct Generation {
    pub(crate) number: u32,
    pub(crate) credentials: Arc<Vec<Credential>>,
}

/// One identity of a running scan.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) identity: Identity,
    pub(crate) name: Arc<str>,
    /// Headers of the identity that turned out to be no credentials: tenant, version.
    pub(crate) headers: Mutex<Vec<(String, String)>>,
    generation: Mutex<Generation>,
    /// A request that works for it; set by the survey.
    pub(crate) canary: OnceLock<Draft>,
    /// When the last request that showed it alive was sent. Held while a canary is under way.
    pub(crate) seen_alive: tokio::sync::Mutex<Option<Instant>>,
    /// How its canary is refused without credentials.
    pub(crate) refusal: OnceLock<Refusal>,
    health: Mutex<Health>,
    /// Signatures that were sent, so that each is sent once; and whether the server minds.
    pub(crate) signatures: UsedSignatures,
    /// Held while signing in; and while a request is under way where nonces must grow.
    pub(crate) turn: tokio::sync::Mutex<()>,
}

impl Live {
    pub(crate) fn new(identity: Identity) -> Self {
        let credentials = Arc::new(identity.credentials.clone());
        Self {
            name: identity.name.as_str().into(),
            identity,
            headers: Mutex::default(),
            generation: Mutex::new(Generation { number: 0, credentials }),
            canary: OnceLock::new(),
            seen_alive: tokio::sync::Mutex::default(),
            refusal: OnceLock::new(),
            health: Mutex::default(),
            signatures: UsedSignatures::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Makes sure that it works at `since` or later, by its canary request; remembers where it does not.
    /// Signs in again once where it is refused.
    pub(crate) async fn confirm(&self, door: &Door, since: Instant) -> Result<(), Unobserved> {
        let Some(canary) = self.canary.get() else { return Ok(()) };
        let scarce = SCARCE_PROOF.min(door.started.elapsed());
        let since = if self.signatures.are_refused() { since - scarce } else { since };
        let mut seen_alive = self.seen_alive.lock().await;
        if seen_alive.is_some_and(|seen| seen >= since) {
            return Ok(());
        }
        let mut health = Health::Refused;
        for attempt in 0..2 {
            let now = Instant::now();
            let sent = door.send(canary, Purpose::Survey, &|| Ok(())).await?;
            health = self.read(&sent.recorded);
            if health == Health::Works {
                *seen_alive = Some(now);
                break;
            }
            if health != Health::Refused || attempt == 1 || self.identity.login.is_none() {
                break;
            }
            if door.sign_in(self).await.is_err() {
                break;
            }
        }
        let why = match &health {
            Health::Works => None,
            Health::Refused => Some(format!("identity `{}` no longer works", self.name)),
            Health::Target(trouble) => Some(format!("the target {}", trouble.reason())),
        };
        *self.health.lock().expect("no holder panics") = health;
        why.map_or(Ok(()), |why| Err(Unobserved::Inconclusive(why.into())))
    }

    /// Only a refusal of the API itself ends an identity: a limit, a failure, a page of a firewall and a
    /// connection that is dropped do not.
    fn read(&self, canary: &Exchange) -> Health {
        let Some(response) = canary.response() else {
            return Trouble::of(&canary.answer).map_or(Health::Refused, Health::Target);
        };
        match (standing(response), Trouble::of(&canary.answer)) {
            (Standing::Works, _) => Health::Works,
            (_, Some(Trouble::Missing(_))) | (Standing::Invalid, None) => Health::Refused,
            (_, Some(trouble)) => Health::Target(trouble),
            (Standing::Refused, None) => {
                let own = Refusal::of(canary);
                let is_strange = self.refusal.get().is_some_and(|usual| {
                    own != *usual && own.media_type.contains("html") && !usual.media_type.contains("html")
                });
                if is_strange { Health::Target(Trouble::Blocked(response.status)) } else { Health::Refused }
            }
            // A success of another form than before says nothing against it.
            _ if response.is_success() => Health::Works,
            _ => Health::Refused,
        }
    }

    pub(crate) fn health(&self) -> Health {
        self.health.lock().expect("no holder panics").clone()
    }

    /// The one request that it can send, where it has a captured signature and no secret.
    pub(crate) fn sample(&self) -> Option<&Request> {
        Some(&self.identity.signer.as_ref()?.sample()?.bare)
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation.lock().expect("no holder panics").clone()
    }

    /// Takes new credentials; those of the configuration that a sign-in does not replace stay.
    pub(crate) fn renew(&self, fresh: Vec<Credential>) {
        let mut generation = self.generation.lock().expect("no holder panics");
        let mut all: Vec<Credential> = fresh;
        let plain = self.headers.lock().expect("no holder panics");
        let is_plain =
            |place: &Place| matches!(place, Place::Header { name, .. } if plain.iter().any(|(n, _)| n == name));
        for own in &self.identity.credentials {
            if !all.iter().any(|c| c.place == own.place) && !is_plain(&own.place) {
                all.push(own.clone());
            }
        }
        *generation = Generation { number: generation.number + 1, credentials: Arc::new(all) };
    }

    /// Keeps only the credentials at these positions; the headers among the others stay as headers.
    pub(crate) fn keep_only(&self, positions: &[usize]) {
        let mut generation = self.generation.lock().expect("no holder panics");
        let mut kept = Vec::new();
        for (position, credential) in generation.credentials.iter().enumerate() {
            match (&credential.place, positions.contains(&position)) {
                (_, true) => kept.push(credential.clone()),
                (model::Place::Header { name, prefix }, false) => {
                    let value = format!("{prefix}{}", credential.value.expose());
                    self.headers.lock().expect("no holder panics").push((name.clone(), value));
                }
                (model::Place::Query { .. } | model::Place::Cookie { .. }, false) => kept.push(credential.clone()),
            }
        }
        generation.credentials = Arc::new(kept);
    }
}

/// The identities of a running scan, by name.
#[derive(Debug, Default)]
pub(crate) struct Identities(BTreeMap<Arc<str>, Arc<Live>>);

impl Identities {
    pub(crate) fn new(identities: Vec<Identity>) -> Self {
        Self(identities.into_iter().map(|i| (i.name.as_str().into(), Arc::new(Live::new(i)))).collect())
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&Arc<Live>> {
        self.0.get(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Live>> {
        self.0.values()
    }
}

/// Takes credentials out of a sign-in answer.
///
/// # Errors
/// What is missing, without repeating the answer.
pub(crate) fn extract(extracts: &[Extract], response: &Response) -> Result<Vec<Credential>, String> {
    extracts
        .iter()
        .map(|extract| {
            let found = match &extract.from {
                ExtractFrom::Json(path) => response
                    .json()
                    .and_then(|body| json_path(&body, path).and_then(|v| v.as_str().map(ToOwned::to_owned)))
                    .ok_or_else(|| format!("the answer has no text at `{path}`")),
                ExtractFrom::Header(name) => response
                    .headers
                    .first(name)
                    .map(ToOwned::to_owned)
                    .ok_or_else(|| format!("the answer has no header `{name}`")),
                ExtractFrom::Cookie(name) => response
                    .headers
                    .all("set-cookie")
                    .filter_map(|cookie| cookie.split(';').next()?.split_once('='))
                    .find(|(n, _)| n.trim() == name)
                    .map(|(_, value)| value.to_owned())
                    .ok_or_else(|| format!("the answer sets no cookie `{name}`")),
            }?;
            Ok(Credential { place: extract.place.clone(), value: Secret::new(found) })
        })
        .collect()
}

/// The value at a path such as `$.data.token` or `$.tokens[0]`.
fn json_path<'v>(body: &'v Value, path: &str) -> Option<&'v Value> {
    let path = path.strip_prefix('$').unwrap_or(path);
    path.split(['.', '[', ']']).filter(|step| !step.is_empty()).try_fold(body, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        Value::Object(fields) => fields.get(step.trim_matches(['\'', '"'])),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_taken_from_json_headers_and_cookies() {
        let response = Response {
            status: 200,
            headers: [("Set-Cookie", "sid=s1; HttpOnly"), ("X-Token", "h1")].into_iter().collect(),
            body: r#"{"data":{"tokens":["j1"]}}"#.into(),
            body_bytes: 0,
            truncated: false,
        };
        let taken = |from| {
            extract(&[Extract { from, place: Place::bearer() }], &response).map(|c| c[0].value.expose().to_owned())
        };
        assert_eq!(taken(ExtractFrom::Json("$.data.tokens[0]".into())), Ok("j1".into()));
        assert_eq!(taken(ExtractFrom::Header("x-token".into())), Ok("h1".into()));
        assert_eq!(taken(ExtractFrom::Cookie("sid".into())), Ok("s1".into()));
        assert_eq!(taken(ExtractFrom::Json("$.token".into())), Err("the answer has no text at `$.token`".into()));
    }
}
