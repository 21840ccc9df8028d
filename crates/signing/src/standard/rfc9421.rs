//! HTTP Message Signatures.
//!
//! **Source**: RFC 9421; the digest of the body by RFC 9530.

use model::{Request, SignedPlaces, Stamp};

use super::{algorithm, header, malformed, member};
use crate::algorithm::{Encoding, Hash};
use crate::clock::Clock;
use crate::coverage::Part;
use crate::scheme::{Mismatch, Reading, Scheme};
use crate::seen;

/// What the client chooses to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rfc9421 {
    /// Label of the signature.
    pub label: String,
    /// Component identifiers as they are written, such as `"@method"` or `"@query-param";name="id"`.
    /// Headers that a request does not have are left out of its signature.
    pub components: Vec<String>,
    /// True where a body's SHA-256 goes into `Content-Digest` and is signed. Where the components name
    /// that header, it is there for every request.
    pub digest: bool,
    /// Signature parameters in order: `created`, `expires`, `nonce`, `keyid`, `alg`; others as they are
    /// written, such as `tag="orders"`.
    pub parameters: Vec<String>,
}

/// As a component identifier.
const CONTENT_DIGEST: &str = "\"content-digest\"";

/// Between `created` and `expires`.
///
/// **Source**: chosen; the window that the preset assumes of verifiers.
const LIFETIME_MS: i64 = 300_000;

impl Rfc9421 {
    pub(super) fn prepare(&self, scheme: &Scheme, request: &mut Request, stamp: &Stamp, key_id: &str) {
        let is_named = self.components.iter().any(|name| name == CONTENT_DIGEST);
        let is_added = self.digest && !is_named && !request.body.is_empty();
        if is_named || is_added {
            let digest = Encoding::Base64.encode(&Hash::Sha256.of(request.body.bytes()));
            request.headers.set("Content-Digest", format!("sha-256=:{digest}:"));
        }
        let has = |name: &str| name.starts_with("\"@") || request.headers.contains(name.trim_matches('"'));
        let mut components: Vec<&str> = self.components.iter().map(String::as_str).filter(|name| has(name)).collect();
        components.extend(is_added.then_some(CONTENT_DIGEST));
        let mut input = format!("{}=({})", self.label, components.join(" "));
        for parameter in &self.parameters {
            input.push(';');
            input.push_str(&match parameter.as_str() {
                "created" => format!("created={}", Clock::Seconds.write(stamp.unix_ms)),
                "expires" => format!("expires={}", Clock::Seconds.write(stamp.unix_ms.saturating_add(LIFETIME_MS))),
                "nonce" => format!("nonce=\"{}\"", stamp.nonce),
                "keyid" => format!("keyid=\"{key_id}\""),
                "alg" => format!("alg=\"{}\"", scheme.algorithm),
                other => other.to_owned(),
            });
        }
        request.headers.set("Signature-Input", input);
        request.headers.set("Signature", format!("{}=::", self.label));
    }

    /// True where a request with a body states its digest.
    pub(super) fn states_digest(&self) -> bool {
        self.digest || self.components.iter().any(|c| c == CONTENT_DIGEST)
    }

    /// Where the signature and what belongs to it stand.
    pub(super) fn places(&self) -> SignedPlaces {
        let stated =
            |name: &str| self.parameters.iter().any(|own| own == name).then(|| member("Signature-Input", name));
        SignedPlaces {
            signature: member("Signature", &self.label),
            timestamp: stated("created"),
            nonce: stated("nonce"),
            key_id: stated("keyid"),
            window: None,
        }
    }

    /// The same for the components that a request signs.
    pub(crate) fn adapted(&self, request: &Request) -> Self {
        let inputs = members(request.headers.first("signature-input").unwrap_or_default());
        let Some((label, input)) = inputs.iter().find(|(label, _)| *label == self.label).or(inputs.first()) else {
            return self.clone();
        };
        let Some((components, parameters)) = input.strip_prefix('(').and_then(close) else { return self.clone() };
        let components: Vec<String> =
            split(components, ' ').into_iter().filter(|c| !c.is_empty()).map(Into::into).collect();
        const WRITTEN: [&str; 5] = ["created", "expires", "nonce", "keyid", "alg"];
        let parameter = |text: &str| {
            let name = text.split('=').next().unwrap_or_default();
            if WRITTEN.contains(&name) { name.to_owned() } else { text.to_owned() }
        };
        Self {
            label: (*label).to_owned(),
            digest: components.iter().any(|c| c == CONTENT_DIGEST),
            components: components.into_iter().filter(|c| c != CONTENT_DIGEST).collect(),
            parameters: split(parameters, ';').into_iter().filter(|p| !p.is_empty()).map(parameter).collect(),
        }
    }

    pub(super) fn read(&self, request: &Request) -> Result<Reading, Mismatch> {
        let place = "header signature-input";
        let inputs = members(header(request, "signature-input")?);
        let (label, input) = inputs
            .iter()
            .find(|(label, _)| *label == self.label)
            .or(inputs.first())
            .ok_or_else(|| malformed(place, "`label=(\"@method\" …);created=…`"))?;
        let signatures = members(header(request, "signature")?);
        let signature = signatures
            .iter()
            .find(|(name, _)| name == label)
            .and_then(|(_, value)| Encoding::Base64.decode(value.strip_prefix(':')?.strip_suffix(':')?))
            .ok_or_else(|| malformed("header signature", "`label=:base64:`"))?;
        let (components, parameters) =
            input.strip_prefix('(').and_then(close).ok_or_else(|| malformed(place, "`(\"@method\" …);created=…`"))?;
        let mut base = String::new();
        let mut covers = Vec::new();
        for component in split(components, ' ').into_iter().filter(|c| !c.is_empty()) {
            let value = component_value(request, component, &mut covers)?;
            base.push_str(&format!("{component}: {value}\n"));
        }
        base.push_str(&format!("\"@signature-params\": {input}"));
        check_digest(request)?;
        let parameters: Vec<(&str, &str)> =
            split(parameters, ';').into_iter().filter_map(|p| p.split_once('=')).collect();
        let named = |name: &str| {
            parameters.iter().find(|(n, _)| *n == name).map(|(_, value)| value.trim_matches('"').to_owned())
        };
        let timestamp = named("created");
        let nonce = named("nonce");
        let key_id = named("keyid");
        covers.extend(timestamp.is_some().then_some(Part::Timestamp));
        covers.extend(nonce.is_some().then_some(Part::Nonce));
        covers.extend(key_id.is_some().then_some(Part::KeyId));
        covers.sort();
        covers.dedup();
        Ok(Reading {
            canonical: base.into_bytes(),
            signatures: vec![signature],
            unix_ms: timestamp.as_deref().and_then(|t| Clock::Seconds.read(t)),
            timestamp,
            nonce,
            key_id,
            covers,
            algorithm: named("alg").as_deref().and_then(algorithm),
            ..Reading::default()
        })
    }
}

/// A component identifier from a plain name; one that is quoted stays as it is written.
pub(crate) fn quoted(name: &str) -> String {
    if name.starts_with('"') { name.to_owned() } else { format!("\"{name}\"") }
}

/// Members of a dictionary, by name, each value as written.
fn members(text: &str) -> Vec<(&str, &str)> {
    split(text, ',').into_iter().filter_map(|member| member.trim().split_once('=')).collect()
}

/// Parts between separators that stand outside quotes, parentheses and byte sequences.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quoted, mut escaped) = (0, 0_usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            c if c == separator && !quoted && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// What stands before and after the first closing parenthesis outside quotes.
fn close(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ')' if !quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// Section 2.
fn component_value(request: &Request, component: &str, covers: &mut Vec<Part>) -> Result<String, Mismatch> {
    let parts = split(component, ';');
    let name = parts.first().copied().unwrap_or_default().trim_matches('"');
    let parameter = |wanted: &str| {
        parts
            .iter()
            .skip(1)
            .filter_map(|p| p.split_once('='))
            .find(|(n, _)| *n == wanted)
            .map(|(_, v)| v.trim_matches('"'))
    };
    let target = |query: Option<&str>| query.map(|q| format!("?{q}"));
    Ok(match name {
        "@method" => {
            covers.push(Part::Method);
            request.method.clone()
        }
        "@authority" => {
            covers.push(Part::Host);
            let host = seen::host(request).to_ascii_lowercase();
            let own = if seen::scheme(request) == "https" { ":443" } else { ":80" };
            host.strip_suffix(own).unwrap_or(&host).to_owned()
        }
        "@scheme" => {
            covers.push(Part::Host);
            seen::scheme(request).into()
        }
        "@target-uri" => {
            covers.extend([Part::Host, Part::Path, Part::Query]);
            format!("{}://{}{}", seen::scheme(request), seen::host(request), request.target)
        }
        "@request-target" => {
            covers.extend([Part::Path, Part::Query]);
            request.target.clone()
        }
        "@path" => {
            covers.push(Part::Path);
            if request.path().is_empty() { "/".into() } else { request.path().into() }
        }
        "@query" => {
            covers.push(Part::Query);
            target(request.query()).unwrap_or_else(|| "?".into())
        }
        "@query-param" => {
            let wanted = parameter("name").unwrap_or_default();
            let value = seen::pairs(request.query().unwrap_or_default().as_bytes())
                .into_iter()
                .find(|(n, _)| n == wanted)
                .map(|(_, value)| value)
                .ok_or_else(|| Mismatch::Missing { place: format!("query parameter {wanted}") })?;
            super::oauth1::encode(&value)
        }
        name if name.starts_with('@') => return Err(malformed(component, "a component of a request")),
        name if parts.len() > 1 => {
            return Err(malformed(name, "a header without component parameters"));
        }
        name => {
            match name {
                "content-digest" => covers.push(Part::Body),
                "date" => covers.push(Part::Timestamp),
                name => covers.push(Part::of_header(name)),
            }
            match name {
                "host" => seen::host(request),
                "content-length" if !request.headers.contains(name) => request.body.len().to_string(),
                name => {
                    header(request, name)?;
                    request.headers.all(name).map(str::trim).collect::<Vec<_>>().join(", ")
                }
            }
        }
    })
}

/// RFC 9530, section 2; digests of unknown algorithms are ignored.
fn check_digest(request: &Request) -> Result<(), Mismatch> {
    let Some(stated) = request.headers.first("content-digest") else { return Ok(()) };
    let is_own = members(stated).into_iter().all(|(name, value)| {
        let hash = match name {
            "sha-256" => Hash::Sha256,
            "sha-512" => Hash::Sha512,
            _ => return true,
        };
        value.trim_matches(':') == Encoding::Base64.encode(&hash.of(request.body.bytes()))
    });
    if is_own { Ok(()) } else { Err(Mismatch::Digest { place: "header content-digest".into() }) }
}
