//! Length extension: a signature of a longer text from a signature of a shorter one, without the
//! secret.
//!
//! A Merkle–Damgård hash ends in its whole inner state, so whoever knows `H(secret || message)` and
//! how long the secret is can go on hashing behind the padding.
//!
//! **Source**: CWE-328; Flickr's API signature forgery (Duong and Rizzo, 2009); padding by RFC 1321,
//! section 3.1 and 3.2, and FIPS 180-4, section 5.1.

use model::{Request, SignedPlaces, Signer, Stamp};

use crate::algorithm::{Algorithm, Hash};
use crate::formula::{Piece, Variable};
use crate::keyed::Keyed;
use crate::scheme::Canonical;

/// Signs a request as its owner does, then appends to the body and continues the signature as
/// somebody would who saw the request and knows no more of the secret than its length.
#[derive(Debug)]
pub(crate) struct Extended {
    owner: Keyed,
    hash: Hash,
    key_bytes: usize,
    suffix: Vec<u8>,
}

impl Extended {
    /// `None` where the signature cannot be continued, or the signed text does not end in bytes of the
    /// body as they are.
    pub(crate) fn of(owner: Keyed, suffix: Vec<u8>) -> Option<Self> {
        let scheme = owner.scheme();
        let (Algorithm::SecretFirst(hash), true) = (scheme.algorithm, scheme.algorithm.is_length_extensible()) else {
            return None;
        };
        let Canonical::Formula(formula) = &scheme.canonical else { return None };
        let holds_body = |variable: &Variable| matches!(variable, Variable::Body | Variable::Form);
        let once = formula.variables().into_iter().filter(|v| holds_body(v)).count() == 1;
        let last = matches!(formula.pieces.last(), Some(Piece::Value(Variable::Body)));
        let elsewhere = scheme.slots.iter().any(|slot| slot.template.variables().into_iter().any(holds_body));
        let key_bytes = owner.key_bytes()?;
        (once && last && !elsewhere).then_some(Self { owner, hash, key_bytes, suffix })
    }
}

impl Signer for Extended {
    fn sign(&self, request: &mut Request, stamp: &Stamp) {
        self.owner.sign(request, stamp);
        let (Ok(reading), Some(places)) = (self.owner.scheme().read(request), self.places()) else { return };
        let hashed = self.key_bytes + reading.canonical.len();
        let continued =
            reading.signatures.first().and_then(|digest| continued(self.hash, digest, hashed, &self.suffix));
        let Some(signature) = continued else { return };
        let glue = padding(self.hash, hashed);
        request.body = [request.body.bytes().as_ref(), &glue, &self.suffix].concat().into();
        places.signature.write(request, &self.owner.scheme().encoding.encode(&signature));
    }

    fn places(&self) -> Option<SignedPlaces> {
        self.owner.places()
    }

    fn is_monotone(&self) -> bool {
        self.owner.is_monotone()
    }
}

/// What the hash itself puts behind a message of this many bytes.
fn padding(hash: Hash, bytes: usize) -> Vec<u8> {
    let bits = bytes as u64 * 8;
    let (block, length): (usize, Vec<u8>) = match hash {
        Hash::Md5 => (64, bits.to_le_bytes().to_vec()),
        Hash::Sha1 | Hash::Sha256 => (64, bits.to_be_bytes().to_vec()),
        Hash::Sha384 | Hash::Sha512 => (128, u128::from(bits).to_be_bytes().to_vec()),
    };
    let zeros = (2 * block - 1 - length.len() - bytes % block) % block;
    [vec![0x80], vec![0; zeros], length].concat()
}

/// The hash of a message, its padding and `suffix`, from the message's hash and its length in bytes;
/// `None` where the hash does not show its whole state.
fn continued(hash: Hash, digest: &[u8], bytes: usize, suffix: &[u8]) -> Option<Vec<u8>> {
    if digest.len() != hash.len_bytes() {
        return None;
    }
    let total = bytes + padding(hash, bytes).len() + suffix.len();
    let rest = [suffix, &padding(hash, total)].concat();
    match hash {
        Hash::Md5 => {
            let mut state = words(digest, u32::from_le_bytes)?;
            md5::block_api::compress(&mut state, rest.as_chunks().0);
            Some(state.iter().flat_map(|word| word.to_le_bytes()).collect())
        }
        Hash::Sha1 => {
            let mut state = words(digest, u32::from_be_bytes)?;
            sha1::block_api::compress(&mut state, rest.as_chunks().0);
            Some(state.iter().flat_map(|word| word.to_be_bytes()).collect())
        }
        Hash::Sha256 => {
            let mut state = words(digest, u32::from_be_bytes)?;
            sha2::block_api::compress256(&mut state, rest.as_chunks().0);
            Some(state.iter().flat_map(|word| word.to_be_bytes()).collect())
        }
        Hash::Sha512 => {
            let mut state = words(digest, u64::from_be_bytes)?;
            sha2::block_api::compress512(&mut state, rest.as_chunks().0);
            Some(state.iter().flat_map(|word| word.to_be_bytes()).collect())
        }
        Hash::Sha384 => None,
    }
}

/// A digest as the words of the hash's state; `None` where it has another length.
fn words<const BYTES: usize, const COUNT: usize, W>(digest: &[u8], word: fn([u8; BYTES]) -> W) -> Option<[W; COUNT]> {
    let (chunks, []) = digest.as_chunks::<BYTES>() else { return None };
    chunks.iter().map(|bytes| word(*bytes)).collect::<Vec<W>>().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_continued_hash_is_that_of_the_longer_message() {
        for hash in [Hash::Md5, Hash::Sha1, Hash::Sha256, Hash::Sha512] {
            for bytes in [0, 1, 54, 55, 56, 63, 64, 65, 110, 111, 112, 127, 128, 129, 300] {
                let message = vec![b'm'; bytes];
                let longer = [message.as_slice(), &padding(hash, bytes), b"suffix"].concat();
                let forged = continued(hash, &hash.of(&message), bytes, b"suffix");
                assert_eq!(forged, Some(hash.of(&longer)), "{hash:?} {bytes}");
            }
        }
        assert_eq!(continued(Hash::Sha384, &[0; 48], 3, b"suffix"), None);
        assert_eq!(continued(Hash::Sha256, &[0; 31], 3, b"suffix"), None);
    }

    fn signer(algorithm: &str, canonical: &str) -> Keyed {
        let mut settings = Settings {
            canonical: Some(canonical.into()),
            algorithm: Some(algorithm.into()),
            secret: model::Secret::new("correct horse"),
            ..Settings::default()
        };
        settings.headers.timestamp = Some("X-Time".into());
        settings.headers.signature = Some("X-Digest".into());
        settings.signer().expect("a signer")
    }

    #[test]
    fn an_extended_request_passes_the_owners_own_verifier() {
        let owner = signer("sha256-secret-first", "{ts}\\n{METHOD}\\n{path}\\n{body}");
        let forgery = model::Forgery { extension: Some(b"&more=1".to_vec()), ..model::Forgery::default() };
        let forged = owner.forged(&forgery).expect("extensible");
        let mut request = Request::get("/orders");
        forged.sign(&mut request, &Stamp { unix_ms: 1_700_000_000_000, nonce: String::new() });
        assert!(request.body.bytes().ends_with(b"&more=1"));
        assert_eq!(owner.check(&request, 1_700_000_000_000), Ok(()));
    }

    #[test]
    fn nothing_is_extended_where_the_end_is_not_free_or_the_hash_is_keyed() {
        let forgery = model::Forgery { extension: Some(b"x".to_vec()), ..model::Forgery::default() };
        for (algorithm, canonical) in [
            ("hmac-sha256", "{ts}{body}"),
            ("sha256-secret-last", "{ts}{body}"),
            ("sha384-secret-first", "{ts}{body}"),
            ("sha256-secret-first", "{ts}{sha256hex(body)}"),
            ("sha256-secret-first", "{ts}{sha256hex(body)}{body}"),
            ("sha256-secret-first", "{body}{ts}"),
        ] {
            assert!(signer(algorithm, canonical).forged(&forgery).is_none(), "{algorithm} {canonical}");
        }
    }
}
