//! Signing HTTP Messages, the expired draft that ActivityPub, Kong and APISIX speak.
//!
//! **Source**: draft-cavage-http-signatures-12.

use model::{Request, SignedPlace, SignedPlaces, Stamp};

use super::{algorithm, header, malformed, member, named, parameters};
use crate::algorithm::{Encoding, Hash};
use crate::clock::Clock;
use crate::coverage::Part;
use crate::scheme::{Mismatch, Reading, Scheme};
use crate::seen;

/// What the client chooses to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cavage {
    /// Headers and `(request-target)`, in order.
    pub headers: Vec<String>,
    /// True where a body's SHA-256 goes into `Digest` and is signed. Where `headers` names that header,
    /// it is there for every request.
    pub digest: bool,
    /// True where all stands in `Authorization: Signature …`, false where in `Signature: …`.
    pub authorization: bool,
}

impl Cavage {
    pub(super) fn prepare(&self, scheme: &Scheme, request: &mut Request, stamp: &Stamp, key_id: &str) {
        if self.headers.iter().any(|h| h == "date") {
            request.headers.set("Date", Clock::HttpDate.write(stamp.unix_ms));
        }
        let is_named = self.headers.iter().any(|h| h == "digest");
        let is_added = self.digest && !is_named && !request.body.is_empty();
        if is_named || is_added {
            let digest = Encoding::Base64.encode(&Hash::Sha256.of(request.body.bytes()));
            request.headers.set("Digest", format!("SHA-256={digest}"));
        }
        let is_there = |name: &str| {
            name.starts_with('(') || ["host", "content-length"].contains(&name) || request.headers.contains(name)
        };
        let mut signed: Vec<&str> = self.headers.iter().map(String::as_str).filter(|h| is_there(h)).collect();
        signed.extend(is_added.then_some("digest"));
        let created = if signed.contains(&"(created)") {
            format!("created={},", Clock::Seconds.write(stamp.unix_ms))
        } else {
            String::new()
        };
        let signed = signed.join(" ");
        let algorithm = scheme.algorithm;
        let start = if self.authorization { "Signature " } else { "" };
        request.headers.set(
            self.header(),
            format!("{start}keyId=\"{key_id}\",algorithm=\"{algorithm}\",{created}headers=\"{signed}\",signature=\"\""),
        );
    }

    /// True where a request with a body states its digest.
    pub(super) fn states_digest(&self) -> bool {
        self.digest || self.headers.iter().any(|h| h == "digest")
    }

    /// The header that holds the signature.
    pub(super) fn header(&self) -> &'static str {
        if self.authorization { "Authorization" } else { "Signature" }
    }

    /// Where the signature and what belongs to it stand.
    pub(super) fn places(&self) -> SignedPlaces {
        let is_signed = |name: &str| self.headers.iter().any(|h| h == name);
        let created = || is_signed("(created)").then(|| member(self.header(), "created"));
        SignedPlaces {
            signature: member(self.header(), "signature"),
            timestamp: is_signed("date").then(|| SignedPlace::header("Date")).or_else(created),
            nonce: None,
            key_id: Some(member(self.header(), "keyId")),
            window: None,
        }
    }
}

impl Cavage {
    /// The same for the headers that a request signs.
    pub(crate) fn adapted(&self, request: &Request) -> Self {
        let stated = request.headers.first("signature").or_else(|| request.headers.first("authorization"));
        let fields = stated.map(parameters).unwrap_or_default();
        let signed = named(&fields, "headers").unwrap_or("date").to_ascii_lowercase();
        let digest = signed.split_ascii_whitespace().any(|h| h == "digest");
        let headers = signed.split_ascii_whitespace().filter(|h| *h != "digest").map(Into::into).collect();
        let authorization = !request.headers.contains("signature");
        Self { headers, digest, authorization }
    }
}

pub(super) fn read(request: &Request) -> Result<Reading, Mismatch> {
    let stated = match request.headers.first("signature") {
        Some(stated) => stated,
        None => {
            let authorization = header(request, "authorization")?;
            ["Signature ", "signature ", "hmac ", "Hmac "]
                .iter()
                .find_map(|scheme| authorization.strip_prefix(scheme))
                .ok_or_else(|| malformed("header authorization", "`Signature keyId=\"…\",signature=\"…\"`"))?
        }
    };
    let fields = parameters(stated);
    let need = |name: &str| {
        named(&fields, name).ok_or_else(|| Mismatch::Missing { place: format!("{name} of the signature") })
    };
    let signed = named(&fields, "headers").unwrap_or("date").to_ascii_lowercase();
    let created = named(&fields, "created");
    let mut lines = Vec::new();
    let mut covers = Vec::new();
    for name in signed.split_ascii_whitespace() {
        let value = match name {
            "(request-target)" => {
                covers.extend([Part::Method, Part::Path, Part::Query]);
                format!("{} {}", request.method.to_ascii_lowercase(), request.target)
            }
            "(created)" => {
                covers.push(Part::Timestamp);
                need("created")?.to_owned()
            }
            "(expires)" => need("expires")?.to_owned(),
            "host" => {
                covers.push(Part::Host);
                seen::host(request)
            }
            "content-length" if !request.headers.contains(name) => request.body.len().to_string(),
            name => {
                match name {
                    "date" => covers.push(Part::Timestamp),
                    "digest" => covers.push(Part::Body),
                    name => covers.push(Part::of_header(name)),
                }
                header(request, name)?;
                request.headers.all(name).map(str::trim).collect::<Vec<_>>().join(", ")
            }
        };
        lines.push(format!("{name}: {value}"));
    }
    check_digest(request)?;
    let timestamp = created.or_else(|| request.headers.first("date")).map(ToOwned::to_owned);
    let clock = if created.is_some() { Clock::Seconds } else { Clock::HttpDate };
    Ok(Reading {
        canonical: lines.join("\n").into_bytes(),
        signatures: vec![
            Encoding::Base64.decode(need("signature")?).ok_or_else(|| malformed("the signature", "base64"))?,
        ],
        unix_ms: timestamp.as_deref().and_then(|t| clock.read(t)),
        timestamp,
        key_id: named(&fields, "keyId").or_else(|| named(&fields, "username")).map(Into::into),
        algorithm: named(&fields, "algorithm").and_then(algorithm),
        covers,
        ..Reading::default()
    })
}

fn check_digest(request: &Request) -> Result<(), Mismatch> {
    let Some(stated) = request.headers.first("digest") else { return Ok(()) };
    let own = |hash: Hash| Encoding::Base64.encode(&hash.of(request.body.bytes()));
    let is_own = stated.split(',').all(|one| match one.trim().split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("sha-256") => value == own(Hash::Sha256),
        Some((name, value)) if name.eq_ignore_ascii_case("sha-512") => value == own(Hash::Sha512),
        _ => true,
    });
    if is_own { Ok(()) } else { Err(Mismatch::Digest { place: "header digest".into() }) }
}
