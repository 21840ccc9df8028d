//! A scheme: what is signed, how, and where the signature stands.
//!
//! Signing and checking share one path. *Prepare* writes everything but the signature, *read* takes
//! the stamp, the signatures and the canonical string out of a request, *place* writes the signature.

use std::time::Duration;

use model::{Request, Secret, Stamp};
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::algorithm::{Algorithm, Encoding, KeyEncoding};
use crate::clock::Clock;
use crate::coverage::Part;
use crate::formula::{Formula, Variable};
use crate::key::{Key, KeyError};
use crate::seen::Seen;
use crate::slot::{Captured, Slot};
use crate::standard::Standard;

/// A signing scheme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scheme {
    /// Name of the preset, or `custom`.
    pub name: String,
    /// What is signed.
    pub canonical: Canonical,
    /// How it is signed.
    pub algorithm: Algorithm,
    /// What the secret's text stands for.
    pub key_encoding: KeyEncoding,
    /// How the signing key comes from the secret, where it is not the secret itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub derivation: Option<Derivation>,
    /// How the signature is written.
    pub encoding: Encoding,
    /// Where timestamp, nonce, key id, signature and digests stand; empty for a standard, which
    /// says so itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slots: Vec<Slot>,
    /// How the timestamp is written.
    pub clock: Clock,
    /// How far a timestamp may be from the server's clock, in either direction, by the scheme's own
    /// document; none where it has no time.
    #[serde(rename = "window_s", serialize_with = "seconds", skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
    /// True where each nonce must be greater than the one before.
    pub monotone_nonce: bool,
}

fn seconds<S: Serializer>(window: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    window.map(|w| w.as_secs()).serialize(serializer)
}

/// What is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Canonical {
    /// The canonical string is this formula.
    Formula(Formula),
    /// A document says more than a formula can.
    Standard(Standard),
}

impl Canonical {
    /// Signs nothing but these parts from here on; `None` where the client has no choice.
    pub(crate) fn sign_only(&mut self, components: &[String]) -> Option<()> {
        match self {
            Self::Standard(standard) => standard.sign_only(components),
            Self::Formula(_) => None,
        }
    }
}

impl Serialize for Canonical {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Formula(formula) => formula.serialize(serializer),
            Self::Standard(standard) => serializer.serialize_str(standard.document()),
        }
    }
}

/// A chain of HMACs: the first key is `prefix` and the secret, each step's result is the next key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Derivation {
    /// Text before the secret.
    pub prefix: String,
    /// What is signed in each step.
    pub steps: Vec<Formula>,
}

/// What a signed request says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The canonical string, as bytes.
    pub canonical: Vec<u8>,
    /// The signatures that it carries, decoded; any one of them may be the right one.
    pub signatures: Vec<Vec<u8>>,
    /// The timestamp as sent.
    pub timestamp: Option<String>,
    /// Its moment in Unix milliseconds.
    pub unix_ms: Option<i64>,
    /// The nonce.
    pub nonce: Option<String>,
    /// The key id.
    pub key_id: Option<String>,
    /// Parts of the request that the canonical string holds.
    pub covers: Vec<Part>,
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) derivation: Option<(String, Vec<Vec<u8>>)>,
    pub(crate) jwk: Option<serde_json::Value>,
}

/// Why a request does not carry a valid signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// A part that the scheme needs is not there.
    #[error("{place} is missing")]
    Missing {
        /// Where it should stand.
        place: String,
    },
    /// A part is there, in a form that the scheme does not know.
    #[error("{place} is not of the form {wanted}")]
    Malformed {
        /// Where it stands.
        place: String,
        /// What it should look like.
        wanted: String,
    },
    /// The timestamp is outside the window.
    #[error("the timestamp is {age_s} s old (negative: ahead), the window is {window_s} s")]
    Stale {
        /// Age in seconds; negative where it lies in the future.
        age_s: i64,
        /// The window in seconds.
        window_s: u64,
    },
    /// A digest is signed, and the content is another one.
    #[error("{place} is not the digest of the content")]
    Digest {
        /// Where the digest stands.
        place: String,
    },
    /// A claim inside a signed token is not the request's own.
    #[error("the claim `{claim}` does not fit the request")]
    Claim {
        /// Name of the claim.
        claim: &'static str,
    },
    /// The secret cannot be this scheme's key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Everything is in place, the signature is not that of this canonical string.
    #[error("the signature does not fit the canonical string")]
    Signature {
        /// The canonical string of the request; it holds no secret.
        canonical: String,
    },
}

impl Scheme {
    /// What a signed request says of itself: no key is needed for it.
    ///
    /// # Errors
    /// Where a part is missing, malformed, or a digest that is stated is not that of the content.
    pub fn read(&self, request: &Request) -> Result<Reading, Mismatch> {
        match &self.canonical {
            Canonical::Formula(formula) => self.read_formula(formula, request),
            Canonical::Standard(standard) => standard.read(self, request),
        }
    }

    /// Says whether a request is signed with a secret: the signature first, then the time.
    ///
    /// # Errors
    /// The part that fails.
    pub fn check(&self, request: &Request, secret: &Secret, now_unix_ms: i64) -> Result<(), Mismatch> {
        let reading = self.read(request)?;
        let key = self.key_for(&reading, secret)?;
        if !self.is_signed(&reading, &key) {
            let canonical = String::from_utf8_lossy(&reading.canonical).into_owned();
            return Err(Mismatch::Signature { canonical });
        }
        let (Some(window), Some(sent)) = (self.window, reading.unix_ms) else { return Ok(()) };
        let age = now_unix_ms.saturating_sub(sent);
        if u128::from(age.unsigned_abs()) > window.as_millis() {
            return Err(Mismatch::Stale { age_s: age / 1000, window_s: window.as_secs() });
        }
        Ok(())
    }

    /// Writes and signs this text in place of the timestamp from here on; `None` where the scheme has
    /// no timestamp of its own, or one that says more than where it stands.
    pub(crate) fn state_time(&mut self, text: &str) -> Option<()> {
        let Canonical::Formula(formula) = &mut self.canonical else { return None };
        let has_date = |formula: &Formula| formula.variables().contains(&&Variable::Date);
        if has_date(formula) || !self.slots.iter().any(|slot| slot.holds(&Variable::Timestamp)) {
            return None;
        }
        formula.fix(&Variable::Timestamp, text);
        self.slots.iter_mut().for_each(|slot| slot.template.fix(&Variable::Timestamp, text));
        Some(())
    }

    /// The key of a secret. An OAuth 1.0a secret without a token's is the consumer's alone.
    pub(crate) fn key(&self, algorithm: Algorithm, secret: &Secret) -> Result<Key, KeyError> {
        match &self.canonical {
            Canonical::Standard(Standard::OAuth1(_)) if !secret.expose().contains('&') => {
                let alone = Zeroizing::new(format!("{}&", secret.expose()));
                Key::new(algorithm, self.key_encoding, &alone)
            }
            _ => Key::new(algorithm, self.key_encoding, secret.expose()),
        }
    }

    /// The key for a reading. A proof that carries its own public key is checked with that one
    /// where no secret is given.
    pub(crate) fn key_for(&self, reading: &Reading, secret: &Secret) -> Result<Key, Mismatch> {
        let algorithm = reading.algorithm.unwrap_or(self.algorithm);
        match &reading.jwk {
            Some(jwk) => {
                let stated = Key::from_jwk(algorithm, jwk).ok_or(KeyError::Form { algorithm })?;
                if secret.expose().is_empty() {
                    return Ok(stated);
                }
                let own = self.key(algorithm, secret)?;
                let is_own = |jwk: &serde_json::Value, own: &Key| match own.public_jwk() {
                    Some(public) => ["x", "y"].iter().all(|m| public.get(m) == jwk.get(m)),
                    None => true,
                };
                if is_own(jwk, &own) { Ok(own) } else { Err(Mismatch::Claim { claim: "jwk" }) }
            }
            None => Ok(self.key(algorithm, secret)?),
        }
    }

    /// True if one of the reading's signatures is right.
    pub(crate) fn is_signed(&self, reading: &Reading, key: &Key) -> bool {
        let algorithm = reading.algorithm.unwrap_or(self.algorithm);
        let derived = match &reading.derivation {
            Some((prefix, steps)) => match key.derived(algorithm, prefix, steps) {
                Some(bytes) => Some(Key::Shared(bytes.into())),
                None => return false,
            },
            None => None,
        };
        let key = derived.as_ref().unwrap_or(key);
        reading.signatures.iter().any(|s| key.verify(algorithm, &reading.canonical, s))
    }

    /// Signs a request. A key that cannot sign leaves it without a signature.
    pub(crate) fn sign(&self, request: &mut Request, stamp: &Stamp, key: &Key, key_id: &str) {
        match &self.canonical {
            Canonical::Formula(_) => self.write_slots(request, stamp, key_id, None),
            Canonical::Standard(standard) => standard.prepare(self, request, stamp, key, key_id),
        }
        let Ok(reading) = self.read(request) else { return };
        let algorithm = reading.algorithm.unwrap_or(self.algorithm);
        let signature = match &reading.derivation {
            Some((prefix, steps)) => {
                key.derived(algorithm, prefix, steps).and_then(|derived| algorithm.mac(&derived, &reading.canonical))
            }
            None => key.sign(algorithm, &reading.canonical),
        };
        let Some(signature) = signature.map(|s| self.encoding.encode(&s)) else { return };
        match &self.canonical {
            Canonical::Formula(_) => self.write_slots(request, stamp, key_id, Some(&signature)),
            Canonical::Standard(standard) => standard.place(request, &signature),
        }
    }

    /// Fills every slot; without a signature, its place stays empty.
    fn write_slots(&self, request: &mut Request, stamp: &Stamp, key_id: &str, signature: Option<&str>) {
        let timestamp = self.clock.write(stamp.unix_ms);
        for slot in &self.slots {
            if !slot.is_filled_in(request) || (signature.is_some() && !slot.holds(&Variable::Signature)) {
                continue;
            }
            let before = request.clone();
            let seen = Seen {
                request: &before,
                timestamp: &timestamp,
                unix_ms: stamp.unix_ms,
                nonce: &stamp.nonce,
                key_id,
                signature: signature.unwrap_or_default(),
            };
            slot.spot.write(request, &slot.render(&seen));
        }
    }

    fn read_formula(&self, formula: &Formula, request: &Request) -> Result<Reading, Mismatch> {
        let mut captured = Captured::default();
        let mut bare = request.clone();
        for slot in self.slots.iter().filter(|s| !s.is_derived()) {
            let missing = || Mismatch::Missing { place: slot.spot.to_string() };
            let value = slot.spot.read(request).ok_or_else(missing)?;
            captured.merge(slot.capture(&value).ok_or_else(|| Mismatch::Malformed {
                place: slot.spot.to_string(),
                wanted: format!("`{}`", slot.template),
            })?);
            if slot.holds(&Variable::Signature) {
                slot.spot.clear(&mut bare);
            }
        }
        let timestamp = captured.timestamp.clone();
        let unix_ms = match &timestamp {
            Some(text) => Some(self.clock.read(text).ok_or_else(|| Mismatch::Malformed {
                place: "the timestamp".into(),
                wanted: self.clock.name().into(),
            })?),
            None => None,
        };
        let seen = Seen {
            request: &bare,
            timestamp: timestamp.as_deref().unwrap_or_default(),
            unix_ms: unix_ms.unwrap_or_default(),
            nonce: captured.nonce.as_deref().unwrap_or_default(),
            key_id: captured.key_id.as_deref().unwrap_or_default(),
            signature: "",
        };
        for slot in self.slots.iter().filter(|s| s.is_derived() && s.is_filled_in(request)) {
            let missing = || Mismatch::Missing { place: slot.spot.to_string() };
            if slot.spot.read(request).ok_or_else(missing)? != slot.render(&seen) {
                return Err(Mismatch::Digest { place: slot.spot.to_string() });
            }
        }
        let signatures: Vec<_> = captured.signatures.iter().filter_map(|s| self.encoding.decode(s)).collect();
        if signatures.is_empty() {
            return Err(Mismatch::Malformed { place: "the signature".into(), wanted: self.encoding.name().into() });
        }
        let derivation = self
            .derivation
            .as_ref()
            .map(|d| (d.prefix.clone(), d.steps.iter().map(|step| seen.render(step)).collect()));
        Ok(Reading {
            canonical: seen.render(formula),
            signatures,
            unix_ms,
            covers: crate::coverage::of_formula(formula, &self.slots, request),
            derivation,
            timestamp: timestamp.clone(),
            nonce: captured.nonce.clone(),
            key_id: captured.key_id.clone(),
            algorithm: None,
            jwk: None,
        })
    }
}
