//! Schemes whose canonical string a formula cannot say: the request itself names what is signed,
//! or its parts are sorted, re-encoded, or wrapped in a token.

mod azure;
mod cavage;
mod dpop;
mod hawk;
mod oauth1;
mod rfc9421;
mod sigv4;

use model::SignedPlaces;
use model::{Place, Request, SignedPlace, Stamp};

pub use cavage::Cavage;
pub use dpop::Dpop;
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
    Dpop(Dpop),
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
            Self::Dpop(_) => "RFC 9449",
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
            Self::Dpop(options) => options.prepare(scheme, request, stamp, key),
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
            Self::Dpop(options) => options.read(request),
        }
    }

    /// Where the signature and what belongs to it stand; `account` is the key id.
    pub(crate) fn places(&self, account: &str) -> SignedPlaces {
        let field = |name: &str| member("Authorization", name);
        match self {
            Self::SigV4(options) => options.places(),
            Self::Rfc9421(options) => options.places(),
            Self::Cavage(options) => options.places(),
            Self::Hawk => SignedPlaces {
                signature: field("mac"),
                timestamp: Some(field("ts")),
                nonce: Some(field("nonce")),
                key_id: Some(field("id")),
                window: None,
            },
            Self::OAuth1(_) => SignedPlaces {
                signature: field("oauth_signature"),
                timestamp: Some(field("oauth_timestamp")),
                nonce: Some(field("oauth_nonce")),
                key_id: Some(field("oauth_consumer_key")),
                window: None,
            },
            Self::Azure => azure::places(account),
            Self::Dpop(_) => Dpop::places(),
        }
    }

    /// The header that states the digest of the content under the signature.
    pub(crate) fn digest_header(&self) -> Option<&'static str> {
        match self {
            Self::SigV4(options) if options.content_header => Some("X-Amz-Content-Sha256"),
            Self::Rfc9421(options) => options.states_digest().then_some("Content-Digest"),
            Self::Cavage(options) => options.states_digest().then_some("Digest"),
            Self::SigV4(_) | Self::Hawk | Self::OAuth1(_) | Self::Azure | Self::Dpop(_) => None,
        }
    }

    /// What a request of this scheme states that it signs; `None` where the client has no choice.
    pub(crate) fn components(&self) -> Option<Vec<String>> {
        let unquoted = |c: &String| c.trim_matches('"').to_owned();
        match self {
            Self::SigV4(options) => Some(options.components()),
            Self::Rfc9421(options) => Some(options.components.iter().map(unquoted).collect()),
            Self::Cavage(options) => Some(options.headers.clone()),
            Self::Dpop(options) => Some(options.claims.clone()),
            Self::Hawk | Self::OAuth1(_) | Self::Azure => None,
        }
    }

    /// Signs nothing but these parts from here on; `None` where the client has no choice.
    pub(crate) fn sign_only(&mut self, components: &[String]) -> Option<()> {
        match self {
            Self::SigV4(options) => options.signed_headers = Some(components.to_vec()),
            Self::Rfc9421(options) => {
                options.components = components.iter().map(|c| rfc9421::quoted(c)).collect();
                options.digest = false;
            }
            Self::Cavage(options) => {
                options.headers = components.to_vec();
                options.digest = false;
            }
            Self::Dpop(options) => options.claims = components.to_vec(),
            Self::Hawk | Self::OAuth1(_) | Self::Azure => return None,
        }
        Some(())
    }

    /// The header in which a document puts this value, by the name that settings have for it.
    pub(crate) fn has_header(&self, role: &str, header: &str) -> bool {
        let own: &[&str] = match (self, role) {
            (Self::Rfc9421(_), "signature") => &["Signature"],
            (Self::Cavage(_), "signature") => &["Signature", "Authorization"],
            (Self::Dpop(_), "signature") => &["DPoP"],
            (_, "signature") => &["Authorization"],
            (Self::SigV4(_), "timestamp") => &["X-Amz-Date"],
            (Self::Azure, "timestamp") => &["x-ms-date"],
            (Self::Cavage(_), "timestamp") => &["Date"],
            _ => &[],
        };
        own.iter().any(|own| own.eq_ignore_ascii_case(header))
    }

    /// Writes the signature into its empty place.
    pub(crate) fn place(&self, request: &mut Request, signature: &str) {
        let (header, before, after) = match self {
            Self::SigV4(_) => ("Authorization", "Signature=", ""),
            Self::Rfc9421(_) => ("Signature", "=:", ":"),
            Self::Cavage(options) => (options.header(), "signature=\"", "\""),
            Self::Hawk => ("Authorization", "mac=\"", "\""),
            Self::OAuth1(_) => ("Authorization", "oauth_signature=\"", "\""),
            Self::Azure => ("Authorization", ":", ""),
            Self::Dpop(_) => ("DPoP", ".", ""),
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

/// The member of a header.
fn member(header: &str, name: &str) -> SignedPlace {
    let place = Place::Header { name: header.into(), prefix: String::new() };
    SignedPlace { place, member: Some(name.into()) }
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
