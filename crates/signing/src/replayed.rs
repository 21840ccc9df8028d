//! A captured signed request without its secret: it can be sent again, and nothing else can be signed.

use std::fmt;

use model::{Place, Request, Sample, SignedPlaces, Signer, Stamp};

use crate::formula::Variable;
use crate::infer::guessed_slots;
use crate::preset::{PRESETS, preset};
use crate::scheme::Scheme;
use crate::slot::Slot;

/// Headers that say nothing of the request itself: the transport writes them.
///
/// **Source**: RFC 9110, sections 7.2, 7.6.1 and 8.6; RFC 9112, section 6.
const OF_THE_TRANSPORT: [&str; 6] =
    ["host", "content-length", "connection", "transfer-encoding", "accept-encoding", "user-agent"];

/// True for the name of a header or parameter that holds a credential by custom.
///
/// **Source**: chosen; the words of RFC 9110 section 11.6, RFC 6265, and of the headers of the presets.
pub fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["authorization", "cookie", "key", "token", "secret", "session", "password", "passwd", "credential"]
        .iter()
        .any(|word| name.contains(word))
}

/// Why a sample cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no header or parameter of the sample is known to hold a signature")]
pub struct NoSignature;

/// Gives every request the signature of a captured one.
pub struct Replayed {
    sample: Sample,
    places: SignedPlaces,
}

impl Replayed {
    /// A replayer of a sample. The scheme says where its signature stands; without one, that of the first
    /// preset that fits, or the names and forms of its values.
    ///
    /// # Errors
    /// Where no signature is found.
    pub fn new(captured: Request, scheme: Option<&Scheme>) -> Result<Self, NoSignature> {
        let places = match scheme {
            Some(scheme) => places_of(&scheme.slots, &captured),
            None => {
                let fitting = PRESETS.iter().filter_map(|name| preset(name)).filter(|s| s.read(&captured).is_ok());
                let mut known = fitting.filter_map(|scheme| places_of(&scheme.slots, &captured));
                known.next().or_else(|| places_of(&guessed_slots(&captured), &captured))
            }
        };
        let places = places.ok_or(NoSignature)?;
        let mut bare = Request { origin: None, ..captured.clone() };
        let names: Vec<String> = bare.headers.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            let lower = name.to_ascii_lowercase();
            if lower.starts_with(':') || OF_THE_TRANSPORT.contains(&lower.as_str()) {
                bare.headers.remove(&name);
            }
        }
        places.all().into_iter().for_each(|place| place.clear(&mut bare));
        Ok(Self { sample: Sample { captured, bare }, places })
    }

    /// The same, without headers that are credentials of their own, which are given back as name and value.
    pub fn take_credentials(&mut self) -> Vec<(String, String)> {
        let bare = &mut self.sample.bare;
        let own: Vec<(String, String)> =
            bare.headers.iter().filter(|(name, _)| is_credential(name)).map(|(n, v)| (n.into(), v.into())).collect();
        own.iter().for_each(|(name, _)| bare.headers.remove(name));
        own
    }
}

impl fmt::Debug for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replayed").field("places", &self.places).finish_non_exhaustive()
    }
}

impl Signer for Replayed {
    fn sign(&self, request: &mut Request, _: &Stamp) {
        // The order of its query may be signed.
        if request.target == self.sample.bare.target {
            request.target.clone_from(&self.sample.captured.target);
        }
        for place in self.places.all() {
            let is_there = matches!(place, Place::Query { .. }) && place.read(request).is_some();
            if let (Some(value), false) = (place.read(&self.sample.captured), is_there) {
                place.put(request, &value);
            }
        }
    }

    fn places(&self) -> Option<SignedPlaces> {
        Some(self.places.clone())
    }

    fn sample(&self) -> Option<&Sample> {
        Some(&self.sample)
    }
}

/// Where the parts of slots stand, if a request has a signature there.
fn places_of(slots: &[Slot], request: &Request) -> Option<SignedPlaces> {
    let place = |variable| {
        let place = slots.iter().find_map(|slot| slot.place_of(&variable))?;
        place.read(request).is_some_and(|value| !value.is_empty()).then_some(place)
    };
    Some(SignedPlaces {
        signature: place(Variable::Signature)?,
        timestamp: place(Variable::Timestamp),
        nonce: place(Variable::Nonce),
        key_id: place(Variable::KeyId),
        window: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp() -> Stamp {
        Stamp { unix_ms: 0, nonce: String::new() }
    }

    fn captured() -> Request {
        Request::get("/orders?limit=2")
            .with_header("Host", "api.example.com")
            .with_header("X-Partner-Key", "ak_1")
            .with_header("X-Partner-Time", "1795299533")
            .with_header("X-Partner-Signature", &"0a".repeat(32))
            .with_header("Cookie", "sid=s1")
            .with_header("Accept", "application/json")
    }

    #[test]
    fn a_sample_is_taken_apart_and_put_together_again() {
        let mut replayed = Replayed::new(captured(), None).expect("it has a signature");
        assert_eq!(replayed.take_credentials(), [("Cookie".to_owned(), "sid=s1".to_owned())]);
        let bare = replayed.sample().expect("it is one").bare.clone();
        let names: Vec<&str> = bare.headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Accept"]);
        let mut again = bare;
        replayed.sign(&mut again, &stamp());
        for name in ["X-Partner-Key", "X-Partner-Time", "X-Partner-Signature"] {
            assert_eq!(again.headers.first(name), captured().headers.first(name), "{name}");
        }
        let mut other = Request::get("/orders/7");
        replayed.sign(&mut other, &stamp());
        assert_eq!(other.headers.first("X-Partner-Signature"), captured().headers.first("X-Partner-Signature"));
    }

    #[test]
    fn a_signature_in_the_query_keeps_its_order() {
        let captured =
            Request::get(&format!("/account?timestamp=1795299533000&signature={}&recvWindow=5", "0a".repeat(32)));
        let replayed = Replayed::new(captured.clone(), None).expect("it has a signature");
        let mut again = replayed.sample().expect("it is one").bare.clone();
        assert!(!again.target.contains("signature"), "{}", again.target);
        replayed.sign(&mut again, &stamp());
        assert_eq!(again.target, captured.target);
    }

    #[test]
    fn a_nonce_as_long_as_a_hash_is_no_signature() {
        let captured = Request::get("/orders")
            .with_header("X-Seal-Nonce", &"0b".repeat(16))
            .with_header("X-Seal", &"0a".repeat(32));
        let places = Replayed::new(captured, None).expect("it has a signature").places().expect("it says where");
        assert_eq!(places.signature, model::SignedPlace::header("X-Seal"));
        assert_eq!(places.nonce, Some(model::SignedPlace::header("X-Seal-Nonce")));
    }

    #[test]
    fn a_request_without_a_signature_is_no_sample() {
        assert!(Replayed::new(Request::get("/orders").with_header("X-API-Key", "ak_1"), None).is_err());
    }
}
