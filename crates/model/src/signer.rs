//! What signs requests, and what can be said of it without a request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::Request;
use crate::identity::Place;
use crate::secret::Secret;
use crate::signed_place::SignedPlace;

/// When and with which nonce a request is signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Unix milliseconds.
    pub unix_ms: i64,
    /// Used once.
    pub nonce: String,
}

/// What is known of how an identity's requests are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SigningMode {
    /// Nothing, or they are not signed.
    #[default]
    None,
    /// One captured request with its signature.
    Sample,
    /// The secret: anything can be signed.
    Secret,
}

impl SigningMode {
    /// The word used in JSON and in text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sample => "sample",
            Self::Secret => "secret",
        }
    }
}

impl fmt::Display for SigningMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A captured signed request. It holds credentials.
#[derive(Clone)]
pub struct Sample {
    /// As it was captured.
    pub captured: Request,
    /// Without its origin, what signing added, and other credentials.
    pub bare: Request,
}

/// Signs a finished request. Pure: the same request and stamp give the same signature.
pub trait Signer: Send + Sync + fmt::Debug {
    /// Adds the signature, and the headers that it needs. What is signed is read from the request
    /// alone: a `Host` header that stands in it counts, not the host that the signer knows.
    fn sign(&self, request: &mut Request, stamp: &Stamp);

    /// Where the signature and what belongs to it stand; `None` where they stand in no header and no
    /// query parameter of their own.
    fn places(&self) -> Option<SignedPlaces> {
        None
    }

    /// Where a digest of the body stands that the signature covers in its place; none where the body
    /// itself is signed.
    fn digest(&self) -> Option<SignedPlace> {
        None
    }

    /// The parts that a request of this scheme itself names as signed; `None` where the client has no
    /// choice. See [`Forgery::components`].
    fn components(&self) -> Option<Vec<String>> {
        None
    }

    /// A credential that signing adds to a request as it is, so that records must mask it.
    fn sent_secret(&self) -> Option<Secret> {
        None
    }

    /// True where the server wants each nonce to be greater than the one before, so that requests
    /// of the identity must go out one after the other.
    fn is_monotone(&self) -> bool {
        false
    }

    /// True where whoever holds one signature can sign a longer text without the secret.
    fn is_length_extensible(&self) -> bool {
        false
    }

    /// What it signs with, so that it is masked wherever it turns up.
    fn secret(&self) -> Option<&Secret> {
        None
    }

    /// The only request that it can sign, where it has a captured signature and no secret: whatever it
    /// is asked to sign gets that signature.
    fn sample(&self) -> Option<&Sample> {
        None
    }

    /// The text that the signature of a signed request is made over, as bytes; `None` where that cannot
    /// be said.
    fn canonical(&self, _: &Request) -> Option<Vec<u8>> {
        None
    }

    /// A signer of the same scheme with something else in place of what this one signs with; `None`
    /// where the scheme has no such thing.
    fn forged(&self, _: &Forgery) -> Option<Arc<dyn Signer>> {
        None
    }
}

/// What an attacker signs with in place of what the identity has; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Forgery {
    /// Another secret.
    pub secret: Option<Secret>,
    /// Another key id.
    pub key_id: Option<String>,
    /// Other parts of the request, where the request itself names what is signed.
    pub components: Option<Vec<String>>,
    /// A text in place of the timestamp, signed as the timestamp would be.
    pub timestamp: Option<String>,
    /// Another algorithm, by its name in the configuration.
    pub algorithm: Option<String>,
    /// Another text to sign, as a formula of the configuration.
    pub canonical: Option<String>,
    /// These bytes behind the body, under a signature that is continued from a valid one: of the
    /// secret only the length is used.
    pub extension: Option<Vec<u8>>,
}

/// Where a signed request holds what signing added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPlaces {
    /// The signature.
    pub signature: SignedPlace,
    /// When it was signed; none where the scheme has no time.
    pub timestamp: Option<SignedPlace>,
    /// What is used once; none where the scheme has no nonce.
    pub nonce: Option<SignedPlace>,
    /// Which secret signed; none where there is only one.
    pub key_id: Option<SignedPlace>,
    /// How far a timestamp may be from the server's clock by the scheme's own document.
    pub window: Option<Duration>,
}

impl SignedPlaces {
    /// Every place that holds something, each once.
    pub fn all(&self) -> Vec<&Place> {
        let others = [&self.timestamp, &self.nonce, &self.key_id].into_iter().flatten();
        let mut places: Vec<&Place> = Vec::new();
        for SignedPlace { place, .. } in others.chain([&self.signature]) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }
}
