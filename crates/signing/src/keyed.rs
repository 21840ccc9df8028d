//! A scheme with its key: what an identity signs its requests with.

use std::sync::Arc;

use model::SignedPlaces;
use model::{Forgery, Origin, Request, Secret, SignedPlace, Signer, Stamp};

use crate::extension::Extended;
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

    /// Length of the key in bytes; none for a key pair.
    pub(crate) fn key_bytes(&self) -> Option<usize> {
        match &self.key {
            Key::Shared(bytes) => Some(bytes.len()),
            Key::Ed25519(_) | Key::Ecdsa(_) | Key::Rsa(_) | Key::Public(_) => None,
        }
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

    fn secret(&self) -> Option<&Secret> {
        Some(&self.secret)
    }

    fn canonical(&self, request: &Request) -> Option<Vec<u8>> {
        self.scheme.read(&self.at_origin(request.clone())).ok().map(|reading| reading.canonical)
    }

    fn forged(&self, forgery: &Forgery) -> Option<Arc<dyn Signer>> {
        let mut scheme = self.scheme.clone();
        if let Some(components) = &forgery.components {
            scheme.canonical.sign_only(components)?;
        }
        if let Some(text) = &forgery.timestamp {
            scheme.state_time(text)?;
        }
        if let Some(name) = &forgery.algorithm {
            scheme.algorithm = name.parse().ok()?;
        }
        if let Some(formula) = &forgery.canonical {
            let Canonical::Formula(own) = &mut scheme.canonical else { return None };
            *own = formula.parse().ok()?;
        }
        let secret = forgery.secret.clone().unwrap_or_else(|| self.secret.clone());
        let key_id = forgery.key_id.clone().unwrap_or_else(|| self.key_id.clone());
        let mut forged = Self::new(scheme, secret, key_id).ok()?;
        forged.origin.clone_from(&self.origin);
        match &forgery.extension {
            Some(suffix) => Some(Arc::new(Extended::of(forged, suffix.clone())?)),
            None => Some(Arc::new(forged)),
        }
    }

    fn is_length_extensible(&self) -> bool {
        self.scheme.algorithm.is_length_extensible()
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
            (request.target, request.headers)
        };
        for name in ["stripe", "slack", "coinbase", "article", "binance"] {
            let honest = signer(name);
            let same = honest.forged(&stated(&honest.scheme().clock.write(stamp.unix_ms))).expect("it has a time");
            let other = honest.forged(&stated("NaN")).expect("it has a time");
            assert_eq!(signed(&*same), signed(&honest), "{name}");
            assert_ne!(signed(&*other), signed(&honest), "{name}");
        }
        assert!(signer("github").forged(&stated("NaN")).is_none());
        let (_, headers) = signed(&*signer("slack").forged(&stated("")).expect("it has a time"));
        assert_eq!(headers.first("x-slack-request-timestamp"), Some(""));
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

    #[test]
    fn a_place_is_known_by_the_text_around_it_where_it_has_no_name() {
        let places = |template: &str| {
            let json = serde_json::json!({
                "canonical": "{ts}{METHOD}{path_query}",
                "secret": "5b8e0c3f96d14a27",
                "headers": { "timestamp": format!("Authorization: {template}"), "signature": format!("Authorization: {template}") },
            });
            let settings: crate::Settings = serde_json::from_value(json).expect("settings");
            settings.signer().expect("a signer").places()
        };
        let mut request = Request::get("/").with_header("Authorization", "HMAC 1573504737300:76251c63");
        let own = places("HMAC {ts}:{sig}").expect("both places");
        let timestamp = own.timestamp.expect("a time");
        assert_eq!(own.signature.read(&request).as_deref(), Some("76251c63"));
        assert_eq!(timestamp.read(&request).as_deref(), Some("1573504737300"));
        timestamp.write(&mut request, "1");
        own.signature.clear(&mut request);
        assert_eq!(request.headers.first("authorization"), Some("HMAC 1:"));
        let versioned = places("v1:{ts}:{sig}").expect("both places");
        assert_eq!(
            versioned.signature.read(&Request::get("/").with_header("Authorization", "v1:7:ab")).as_deref(),
            Some("ab")
        );
        assert_eq!(places("HMAC {ts}{sig}"), None, "nothing tells where the signature begins");
    }
}
