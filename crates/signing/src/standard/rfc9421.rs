//! HTTP Message Signatures.
//!
//! **Source**: RFC 9421; the digest of the body by RFC 9530.

use model::{Request, Stamp};

use super::{algorithm, header, malformed};
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
    /// True where a body's SHA-256 goes into `Content-Digest` and is signed.
    pub digest: bool,
    /// True where the algorithm is stated.
    pub algorithm: bool,
    /// True where a nonce is stated.
    pub nonce: bool,
}

impl Rfc9421 {
    pub(super) fn prepare(&self, scheme: &Scheme, request: &mut Request, stamp: &Stamp, key_id: &str) {
        let has = |name: &str| name.starts_with("\"@") || request.headers.contains(name.trim_matches('"'));
        let mut components: Vec<&str> = self.components.iter().map(String::as_str).filter(|name| has(name)).collect();
        if self.digest && !request.body.is_empty() {
            let digest = Encoding::Base64.encode(&Hash::Sha256.of(request.body.bytes()));
            request.headers.set("Content-Digest", format!("sha-256=:{digest}:"));
            components.push("\"content-digest\"");
        }
        let mut input =
            format!("{}=({});created={}", self.label, components.join(" "), Clock::Seconds.write(stamp.unix_ms));
        if self.nonce {
            input.push_str(&format!(";nonce=\"{}\"", stamp.nonce));
        }
        input.push_str(&format!(";keyid=\"{key_id}\""));
        if self.algorithm {
            input.push_str(&format!(";alg=\"{}\"", scheme.algorithm));
        }
        request.headers.set("Signature-Input", input);
        request.headers.set("Signature", format!("{}=::", self.label));
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
        let has = |name: &str| split(parameters, ';').iter().any(|p| p.split('=').next() == Some(name));
        Self {
            label: (*label).to_owned(),
            digest: components.iter().any(|c| c == "\"content-digest\""),
            components: components.into_iter().filter(|c| c != "\"content-digest\"").collect(),
            algorithm: has("alg"),
            nonce: has("nonce"),
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
