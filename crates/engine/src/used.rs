//! Signatures that were sent, so that each is sent once.
//!
//! Where a scheme has a time and no nonce, equal requests of one second carry one signature, and a
//! server that remembers signatures refuses the second as a replay. The stamp of such a request goes
//! back until its signature is new.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use model::SignedPlaces;
use model::{Request, Signer, Stamp};

/// How far back a stamp may go where the scheme states no window.
///
/// **Source**: chosen; half of Coinbase's 30 seconds, among the shortest documented windows.
const BACK: Duration = Duration::from_secs(15);

/// Milliseconds that are tried before whole seconds.
///
/// **Source**: chosen; equal requests that go out within one millisecond are at most as many as are
/// sent at once.
const MILLISECONDS: i64 = 16;

/// Signatures of one identity that were sent, and whether the server remembers them.
#[derive(Debug, Default)]
pub(crate) struct UsedSignatures {
    sent: Mutex<HashSet<String>>,
    refused: OnceLock<bool>,
}

impl UsedSignatures {
    /// Notes whether the server refuses a signature that it has seen.
    pub(crate) fn learn(&self, refused: bool) {
        _ = self.refused.set(refused);
    }

    /// True if the server refuses a signature that it has seen.
    pub(crate) fn are_refused(&self) -> bool {
        self.refused.get() == Some(&true)
    }

    /// True if a signature matters that was sent before: the scheme has a time and no nonce, and the
    /// server is not known to forget.
    pub(crate) fn matter(&self, signer: &dyn Signer, places: &SignedPlaces) -> bool {
        let only_time = places.timestamp.is_some() && places.nonce.is_none() && !signer.is_monotone();
        only_time && self.refused.get() != Some(&false)
    }

    /// The latest stamp up to `now` whose signature for this request is new, half the scheme's window
    /// back at most; its signature counts as sent. None where all of them were sent.
    pub(crate) fn reserve(
        &self,
        signer: &dyn Signer,
        places: &SignedPlaces,
        request: &Request,
        now: &Stamp,
    ) -> Option<Stamp> {
        let back = places.window.map_or(BACK, |window| window / 2);
        let seconds =
            (1..=back.as_secs()).map(|seconds| i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000));
        // A time that counts milliseconds needs no more than one of them.
        (0..=MILLISECONDS).chain(seconds).find_map(|ago_ms| {
            let stamp = Stamp { unix_ms: now.unix_ms.saturating_sub(ago_ms), nonce: now.nonce.clone() };
            self.note(signer, places, request, &stamp).then_some(stamp)
        })
    }

    /// Notes the signature that a stamp gives; false if it was sent before.
    fn note(&self, signer: &dyn Signer, places: &SignedPlaces, request: &Request, stamp: &Stamp) -> bool {
        let mut signed = request.clone();
        signer.sign(&mut signed, stamp);
        let Some(signature) = places.signature.read(&signed) else { return true };
        self.sent.lock().expect("no holder panics").insert(signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::SignedPlace;

    #[derive(Debug)]
    struct PathAndSecond;

    impl Signer for PathAndSecond {
        fn sign(&self, request: &mut Request, stamp: &Stamp) {
            let signature = format!("{} {}", request.target, stamp.unix_ms / 1000);
            request.headers.set("X-Signature", signature);
        }
    }

    fn places(window_s: u64) -> SignedPlaces {
        SignedPlaces {
            signature: SignedPlace::header("X-Signature"),
            timestamp: Some(SignedPlace::header("X-Time")),
            nonce: None,
            key_id: None,
            window: Some(Duration::from_secs(window_s)),
        }
    }

    #[test]
    fn equal_requests_of_one_second_go_back_until_half_the_window_is_used() {
        let used = UsedSignatures::default();
        let now = Stamp { unix_ms: 1_700_000_000_500, nonce: String::new() };
        let second = |path: &str| {
            let stamp = used.reserve(&PathAndSecond, &places(5), &Request::get(path), &now)?;
            Some((stamp.unix_ms - now.unix_ms) / 1000)
        };
        assert_eq!([second("/a"), second("/a"), second("/b")], [Some(0), Some(-1), Some(0)]);
        assert_eq!([second("/a"), second("/a")], [Some(-2), None]);
    }

    #[test]
    fn a_nonce_or_a_server_that_forgets_makes_used_signatures_unimportant() {
        let used = UsedSignatures::default();
        let with_nonce = SignedPlaces { nonce: Some(SignedPlace::header("X-Nonce")), ..places(5) };
        assert!(used.matter(&PathAndSecond, &places(5)) && !used.matter(&PathAndSecond, &with_nonce));
        used.learn(false);
        assert!(!used.matter(&PathAndSecond, &places(5)) && !used.are_refused());
    }
}
