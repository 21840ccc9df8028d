//! OAuth 1.0a. The secret is `consumer-secret&token-secret`, the second part possibly empty; a
//! secret without `&` is a consumer's.
//!
//! **Source**: RFC 5849, section 3.4.

use model::{Request, Stamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{header, malformed, named, parameters};
use crate::algorithm::{Algorithm, Encoding, Hash};
use crate::clock::Clock;
use crate::coverage::Part;
use crate::scheme::{Mismatch, Reading, Scheme};
use crate::seen;

/// RFC 5849, section 3.6.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// On whose behalf a request is signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OAuth1 {
    /// The access token; none for a request of the consumer itself.
    pub token: Option<String>,
}

impl OAuth1 {
    pub(super) fn prepare(&self, scheme: &Scheme, request: &mut Request, stamp: &Stamp, key_id: &str) {
        let ts = Clock::Seconds.write(stamp.unix_ms);
        let mut fields = vec![
            ("oauth_consumer_key", key_id),
            ("oauth_nonce", &stamp.nonce),
            ("oauth_signature_method", method_name(scheme.algorithm)),
            ("oauth_timestamp", &ts),
        ];
        fields.extend(self.token.as_deref().map(|token| ("oauth_token", token)));
        fields.extend([("oauth_version", "1.0"), ("oauth_signature", "")]);
        let fields: Vec<String> = fields.iter().map(|(n, v)| format!("{n}=\"{}\"", encode(v))).collect();
        request.headers.set("Authorization", format!("OAuth {}", fields.join(", ")));
    }

    /// The same for the token that a request states.
    pub(crate) fn adapted(&self, request: &Request) -> Self {
        let fields = request.headers.first("authorization").map(parameters).unwrap_or_default();
        let stated = fields.iter().find(|(name, _)| name.ends_with("oauth_token")).map(|(_, value)| decode(value));
        Self { token: stated.or_else(|| self.token.clone()) }
    }
}

pub(super) fn read(request: &Request) -> Result<Reading, Mismatch> {
    let fields: Vec<(String, String)> = header(request, "authorization")?
        .strip_prefix("OAuth ")
        .map(parameters)
        .ok_or_else(|| malformed("header authorization", "`OAuth oauth_consumer_key=\"…\", …`"))?
        .into_iter()
        .map(|(name, value)| (decode(&name), decode(&value)))
        .collect();
    let need = |name: &str| {
        named(&fields, name).ok_or_else(|| Mismatch::Missing { place: format!("{name} of authorization") })
    };
    let method = need("oauth_signature_method")?;
    let algorithm = match method {
        "HMAC-SHA1" => Algorithm::Hmac(Hash::Sha1),
        "HMAC-SHA256" => Algorithm::Hmac(Hash::Sha256),
        _ => return Err(malformed("oauth_signature_method", "HMAC-SHA1 or HMAC-SHA256")),
    };
    let ts = need("oauth_timestamp")?;
    let mut collected: Vec<(String, String)> =
        fields.iter().filter(|(name, _)| name != "realm" && name != "oauth_signature").cloned().collect();
    collected.extend(seen::pairs(request.query().unwrap_or_default().as_bytes()));
    if seen::is_form(request) {
        collected.extend(seen::pairs(request.body.bytes()));
    }
    let mut covers = vec![Part::Method, Part::Host, Part::Path, Part::Query, Part::Timestamp, Part::Nonce, Part::KeyId];
    if seen::is_form(request) {
        covers.push(Part::Body);
    }
    Ok(Reading {
        canonical: base_string(request, collected).into_bytes(),
        signatures: vec![
            Encoding::Base64
                .decode(need("oauth_signature")?)
                .ok_or_else(|| malformed("oauth_signature of authorization", "base64"))?,
        ],
        unix_ms: Some(Clock::Seconds.read(ts).ok_or_else(|| malformed("oauth_timestamp", "Unix seconds"))?),
        timestamp: Some(ts.to_owned()),
        nonce: named(&fields, "oauth_nonce").map(Into::into),
        key_id: Some(need("oauth_consumer_key")?.to_owned()),
        covers,
        algorithm: Some(algorithm),
        ..Reading::default()
    })
}

/// Section 3.4.1.
fn base_string(request: &Request, collected: Vec<(String, String)>) -> String {
    let mut pairs: Vec<(String, String)> = collected.iter().map(|(n, v)| (encode(n), encode(v))).collect();
    pairs.sort();
    let joined: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    let scheme = seen::scheme(request);
    let (host, port) = seen::host_and_port(request);
    let own = if scheme == "https" { 443 } else { 80 };
    let authority = if port == own { host } else { format!("{host}:{port}") };
    let uri = format!("{scheme}://{}{}", authority.to_ascii_lowercase(), request.path());
    format!("{}&{}&{}", request.method.to_ascii_uppercase(), encode(&uri), encode(&joined.join("&")))
}

fn method_name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Hmac(Hash::Sha256) => "HMAC-SHA256",
        _ => "HMAC-SHA1",
    }
}

/// Section 3.6.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, STRICT).to_string()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
