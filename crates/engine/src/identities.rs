//! The identities of a running scan: their credentials, their sign-in, and whether they are alive.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use model::identity::{Extract, ExtractFrom};
use model::{Credential, Identity, Request, Response, Secret};
use serde_json::Value;
use tokio::time::Instant;

use crate::check::Unobserved;
use crate::door::Door;
use crate::draft::Draft;
use crate::used::UsedSignatures;

/// How the reason ends that an identity died.
pub(crate) const DIED: &str = "no longer works";

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
    died: AtomicBool,
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
            died: AtomicBool::new(false),
            signatures: UsedSignatures::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Makes sure that it works at `since` or later; remembers where it does not.
    pub(crate) async fn confirm(&self, door: &Door, since: Instant) -> Result<(), Unobserved> {
        let alive = door.confirm_alive(self, since).await;
        if let Err(Unobserved::Inconclusive(why)) = &alive
            && why.ends_with(DIED)
        {
            self.died.store(true, Ordering::Relaxed);
        }
        alive
    }

    /// The one request that it can send, where it has a captured signature and no secret.
    pub(crate) fn sample(&self) -> Option<&Request> {
        Some(&self.identity.signer.as_ref()?.sample()?.bare)
    }

    pub(crate) fn has_died(&self) -> bool {
        self.died.load(Ordering::Relaxed)
    }

    pub(crate) fn generation(&self) -> Generation {
        self.generation.lock().expect("no holder panics").clone()
    }

    /// Takes new credentials; those of the configuration that a sign-in does not replace stay.
    pub(crate) fn renew(&self, fresh: Vec<Credential>) {
        let mut generation = self.generation.lock().expect("no holder panics");
        let mut all: Vec<Credential> = fresh;
        for own in &self.identity.credentials {
            if !all.iter().any(|c| c.place == own.place) {
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
    use model::Place;

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
