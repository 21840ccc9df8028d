//! Schemes whose canonical string a formula cannot say: the request itself names what is signed,
//! or its parts are sorted, re-encoded, or wrapped in a token.

mod azure;
mod cavage;
mod dpop;
mod hawk;
mod oauth1;
mod rfc9421;
mod sigv4;

use model::{Request, Stamp};

pub use cavage::Cavage;
pub use oauth1::OAuth1;
pub use rfc9421::Rfc9421;
pub use sigv4::SigV4;

use crate::algorithm::Algorithm;
use crate::key::Key;
use crate::scheme::{Mismatch, Reading, Scheme};

/// A scheme that a document defines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standard {
    /// AWS Signature Version 4.
    SigV4(SigV4),
    /// HTTP Message Signatures.
    Rfc9421(Rfc9421),
    /// Their predecessor, still used by ActivityPub, Kong and APISIX.
    Cavage(Cavage),
    /// Hawk.
    Hawk,
    /// OAuth 1.0a.
    OAuth1(OAuth1),
    /// Azure Storage Shared Key; the key id is the account.
    Azure,
    /// Demonstrating Proof of Possession.
    Dpop,
}

impl Standard {
    /// The document that says what is signed.
    pub fn document(&self) -> &'static str {
        match self {
            Self::SigV4(_) => "AWS Signature Version 4",
            Self::Rfc9421(_) => "RFC 9421",
            Self::Cavage(_) => "draft-cavage-http-signatures-12",
            Self::Hawk => "Hawk 1",
            Self::OAuth1(_) => "RFC 5849",
            Self::Azure => "Azure Storage Shared Key, 2015-02-21",
            Self::Dpop => "RFC 9449",
        }
    }

    /// Writes everything but the signature, whose place stays empty.
    pub(crate) fn prepare(&self, scheme: &Scheme, request: &mut Request, stamp: &Stamp, key: &Key, key_id: &str) {
        match self {
            Self::SigV4(options) => options.prepare(request, stamp, key_id),
            Self::Rfc9421(options) => options.prepare(scheme, request, stamp, key_id),
            Self::Cavage(options) => options.prepare(scheme, request, stamp, key_id),
            Self::Hawk => hawk::prepare(scheme, request, stamp, key_id),
            Self::OAuth1(options) => options.prepare(scheme, request, stamp, key_id),
            Self::Azure => azure::prepare(request, stamp, key_id),
            Self::Dpop => dpop::prepare(scheme, request, stamp, key),
        }
    }

    /// Takes stamp, signatures and canonical string out of a request.
    pub(crate) fn read(&self, scheme: &Scheme, request: &Request) -> Result<Reading, Mismatch> {
        match self {
            Self::SigV4(_) => sigv4::read(request),
            Self::Rfc9421(options) => options.read(request),
            Self::Cavage(_) => cavage::read(request),
            Self::Hawk => hawk::read(scheme, request),
            Self::OAuth1(_) => oauth1::read(request),
            Self::Azure => azure::read(request),
            Self::Dpop => dpop::read(request),
        }
    }

    /// Writes the signature into its empty place.
    pub(crate) fn place(&self, request: &mut Request, signature: &str) {
        let (header, before, after) = match self {
            Self::SigV4(_) => ("Authorization", "Signature=", ""),
            Self::Rfc9421(_) => ("Signature", "=:", ":"),
            Self::Cavage(_) => ("Signature", "signature=\"", "\""),
            Self::Hawk => ("Authorization", "mac=\"", "\""),
            Self::OAuth1(_) => ("Authorization", "oauth_signature=\"", "\""),
            Self::Azure => ("Authorization", ":", ""),
            Self::Dpop => ("DPoP", ".", ""),
        };
        let Some(value) = request.headers.first(header) else { return };
        let Some(at) = value.rfind(&format!("{before}{after}")).map(|at| at + before.len()) else { return };
        let signature = if matches!(self, Self::OAuth1(_)) { oauth1::encode(signature) } else { signature.to_owned() };
        let value = format!("{}{signature}{}", &value[..at], &value[at..]);
        request.headers.set(header, value);
    }
}

/// The text of a header, or the mismatch that it is missing.
fn header<'a>(request: &'a Request, name: &str) -> Result<&'a str, Mismatch> {
    request.headers.first(name).ok_or_else(|| Mismatch::Missing { place: format!("header {name}") })
}

fn malformed(place: &str, wanted: &str) -> Mismatch {
    Mismatch::Malformed { place: place.to_owned(), wanted: wanted.to_owned() }
}

/// The parameters of a header such as `Hawk id="…", ts="…"`: name and unquoted value.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([',', ' ']).to_owned();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        found.push((name, value.trim().to_owned()));
        rest = after;
    }
    found
}

fn named<'a>(parameters: &'a [(String, String)], name: &str) -> Option<&'a str> {
    parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The algorithm of a name in RFC 9421's registry, or in that of its predecessor.
fn algorithm(name: &str) -> Option<Algorithm> {
    match name.to_ascii_lowercase().as_str() {
        "rsa-sha256" => Some(Algorithm::RsaV15Sha256),
        other => other.parse().ok(),
    }
}
