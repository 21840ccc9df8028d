//! A scheme with its key: what an identity signs its requests with.

use std::sync::Arc;

use model::identity::SignedPlaces;
use model::{Forgery, Origin, Request, Secret, SignedPlace, Signer, Stamp};

use crate::formula::Variable;
use crate::key::{Key, KeyError};
use crate::scheme::{Canonical, Mismatch, Scheme};
use crate::slot::Slot;
use crate::standard::Standard;

/// A scheme, a secret and a key id.
#[derive(Debug)]
pub struct Keyed {
    scheme: Scheme,
    secret: Secret,
    key: Key,
    key_id: String,
    origin: Option<Origin>,
}

impl Keyed {
    /// A signer.
    ///
    /// # Errors
    /// Where the secret cannot be the scheme's key, or is a public key.
    pub fn new(scheme: Scheme, secret: Secret, key_id: impl Into<String>) -> Result<Self, KeyError> {
        let key = scheme.key(scheme.algorithm, &secret)?;
        if !key.can_sign() {
            return Err(KeyError::PublicOnly);
        }
        Ok(Self { scheme, secret, key, key_id: key_id.into(), origin: None })
    }

    /// The same signer for requests that do not state their own origin.
    #[must_use]
    pub fn with_origin(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The scheme.
    pub fn scheme(&self) -> &Scheme {
        &self.scheme
    }

    /// The key id.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Says whether a request is signed with this secret, as [`Scheme::check`] does.
    ///
    /// # Errors
    /// The part that fails.
    pub fn check(&self, request: &Request, now_unix_ms: i64) -> Result<(), Mismatch> {
        self.scheme.check(&self.at_origin(request.clone()), &self.secret, now_unix_ms)
    }

    fn at_origin(&self, mut request: Request) -> Request {
        if request.origin.is_none() {
            request.origin.clone_from(&self.origin);
        }
        request
    }
}

impl Signer for Keyed {
    fn sign(&self, request: &mut Request, stamp: &Stamp) {
        let stated = request.origin.clone();
        *request = self.at_origin(request.clone());
        self.scheme.sign(request, stamp, &self.key, &self.key_id);
        request.origin = stated;
    }

    fn places(&self) -> Option<SignedPlaces> {
        if let Canonical::Standard(standard) = &self.scheme.canonical {
            return Some(SignedPlaces { window: self.scheme.window, ..standard.places(&self.key_id) });
        }
        let place = |variable| self.scheme.slots.iter().find_map(|slot| slot.place_of(&variable));
        Some(SignedPlaces {
            signature: place(Variable::Signature)?,
            timestamp: place(Variable::Timestamp),
            nonce: place(Variable::Nonce),
            key_id: place(Variable::KeyId),
            window: self.scheme.window,
        })
    }

    fn digest(&self) -> Option<SignedPlace> {
        match &self.scheme.canonical {
            Canonical::Standard(standard) => standard.digest_header().map(SignedPlace::header),
            Canonical::Formula(_) => self.scheme.slots.iter().find_map(Slot::digest_place),
        }
    }

    fn components(&self) -> Option<Vec<String>> {
        match &self.scheme.canonical {
            Canonical::Standard(standard) => standard.components(),
            Canonical::Formula(_) => None,
        }
    }

    fn sent_secret(&self) -> Option<Secret> {
        match &self.scheme.canonical {
            Canonical::Standard(Standard::Dpop(options)) => options.token.clone(),
            Canonical::Standard(Standard::OAuth1(options)) => options.token.as_ref().map(Secret::new),
            Canonical::Standard(_) | Canonical::Formula(_) => None,
        }
    }

    fn forged(&self, forgery: &Forgery) -> Option<Arc<dyn Signer>> {
        let mut scheme = self.scheme.clone();
        if let Some(components) = &forgery.components {
            scheme.canonical.sign_only(components)?;
        }
        if let Some(text) = &forgery.timestamp {
            scheme.state_time(text)?;
        }
        let secret = forgery.secret.clone().unwrap_or_else(|| self.secret.clone());
        let key_id = forgery.key_id.clone().unwrap_or_else(|| self.key_id.clone());
        let mut forged = Self::new(scheme, secret, key_id).ok()?;
        forged.origin.clone_from(&self.origin);
        Some(Arc::new(forged))
    }

    fn is_monotone(&self) -> bool {
        self.scheme.monotone_nonce
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preset::preset;

    #[test]
    fn a_text_in_place_of_the_time_is_signed_as_the_time_would_be() {
        let signer = |name: &str| {
            let scheme = preset(name).expect("a preset");
            Keyed::new(scheme, Secret::new("c2VjcmV0LXNlY3JldC1zZWNyZXQ="), "k1").expect("a key")
        };
        let stated = |text: &str| Forgery { timestamp: Some(text.into()), ..Forgery::default() };
        let stamp = Stamp { unix_ms: 1_700_000_000_000, nonce: "n".into() };
        let signed = |signer: &dyn Signer| {
            let mut request = Request::get("/").with_header("Host", "api.example");
            signer.sign(&mut request, &stamp);
            request.headers
        };
        for name in ["stripe", "slack", "coinbase", "article", "binance"] {
            let honest = signer(name);
            let same = honest.forged(&stated(&honest.scheme().clock.write(stamp.unix_ms))).expect("it has a time");
            let other = honest.forged(&stated("NaN")).expect("it has a time");
            assert_eq!(signed(&*same), signed(&honest), "{name}");
            assert_ne!(signed(&*other), signed(&honest), "{name}");
        }
        assert!(signer("github").forged(&stated("NaN")).is_none());
        assert_eq!(
            signed(&*signer("slack").forged(&stated("")).expect("a time")).first("x-slack-request-timestamp"),
            Some("")
        );
    }

    #[test]
    fn presets_say_where_their_signature_stands() {
        let places = |name: &str| {
            let scheme = preset(name).expect("a preset");
            Keyed::new(scheme, Secret::new("c2VjcmV0LXNlY3JldC1zZWNyZXQ="), "k1").expect("a key").places()
        };
        let request = |header: &str, value: &str| Request::get("/").with_header(header, value);
        let stripe = places("stripe").expect("a header");
        let signed = request("Stripe-Signature", "t=1700000000,v1=abcdef");
        assert_eq!(stripe.signature.read(&signed).as_deref(), Some("abcdef"));
        assert_eq!(stripe.timestamp.expect("a time").read(&signed).as_deref(), Some("1700000000"));
        let article = places("article").expect("a header");
        assert_eq!(article.signature.read(&request("X-Signature", "00ff")).as_deref(), Some("00ff"));
        let github = places("github").expect("a header");
        assert_eq!(github.signature.read(&request("X-Hub-Signature-256", "sha256=00ff")).as_deref(), Some("00ff"));
    }
}
