//! A JSON Web Token as data, and the tokens that are made of it.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A signed JSON Web Token in its compact form.
///
/// **Source**: RFC 7515, section 7.1; RFC 7519.
#[derive(Clone)]
pub(super) struct Token {
    text: String,
    /// The decoded JOSE header.
    pub(super) header: Map<String, Value>,
    /// The decoded payload.
    pub(super) claims: Map<String, Value>,
    /// The decoded signature; empty where the token has none.
    pub(super) signature: Vec<u8>,
    payload_start: usize,
    payload_end: usize,
}

impl Token {
    /// Reads a token; `None` for whatever is none: opaque keys, encrypted tokens (five segments).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut segments = text.split('.');
        let (header, payload, signature) = (segments.next()?, segments.next()?, segments.next()?);
        if segments.next().is_some() {
            return None;
        }
        let object = |segment: &str| match serde_json::from_slice(&decode(segment)?).ok()? {
            Value::Object(members) => Some(members),
            _ => None,
        };
        let parsed = Self {
            header: object(header)?,
            claims: object(payload)?,
            signature: decode(signature)?,
            payload_start: header.len() + 1,
            payload_end: header.len() + 1 + payload.len(),
            text: text.to_owned(),
        };
        parsed.header.get("alg")?.as_str()?;
        Some(parsed)
    }

    /// The token as it is sent.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The signature algorithm that the header names, such as `HS256`.
    pub(super) fn algorithm(&self) -> &str {
        self.header.get("alg").and_then(Value::as_str).unwrap_or_default()
    }

    /// True if the header says that there is no signature.
    pub(super) fn is_unsigned(&self) -> bool {
        self.algorithm().eq_ignore_ascii_case("none") || self.signature.is_empty()
    }

    /// The id of its key, where the header names one.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.header.get("kid").and_then(Value::as_str)
    }

    /// Header and payload as they stand: what the signature covers.
    pub(super) fn signing_input(&self) -> &str {
        &self.text[..self.payload_end]
    }

    /// The same token with another signature.
    pub(super) fn with_signature(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.signing_input(), BASE64URL.encode(signature))
    }

    /// The same claims, byte for byte, under another header, with the signature that `sign` gives.
    pub(super) fn with_header(&self, header: &Map<String, Value>, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let payload = &self.text[self.payload_start..self.payload_end];
        signed(format!("{}.{payload}", encode(header)), sign)
    }

    /// Other claims under the same header, byte for byte, with the signature that `sign` gives.
    pub(super) fn with_claims(&self, claims: &Map<String, Value>, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        signed(format!("{}{}", &self.text[..self.payload_start], encode(claims)), sign)
    }

    /// A signature that cannot be right, `length` bytes long and the same for the same token, so that
    /// checks share its exchange.
    pub(super) fn invented_signature(&self, length: usize) -> Vec<u8> {
        self.stream().take(length).collect()
    }

    /// A value of the same length and kinds of characters that is no token at all.
    pub(super) fn scrambled(&self) -> String {
        let pick = |first: u8, count: u8, byte: u8| char::from(first + byte % count);
        self.text
            .chars()
            .zip(self.stream())
            .map(|(character, byte)| match character {
                'a'..='z' => pick(b'a', 26, byte),
                'A'..='Z' => pick(b'A', 26, byte),
                '0'..='9' => pick(b'0', 10, byte),
                other => other,
            })
            .collect()
    }

    /// Bytes that tell nothing of the token.
    fn stream(&self) -> impl Iterator<Item = u8> {
        (0u32..).flat_map(|block| Sha256::new().chain_update(block.to_be_bytes()).chain_update(&self.text).finalize())
    }
}

fn signed(input: String, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let signature = sign(input.as_bytes());
    format!("{input}.{}", BASE64URL.encode(signature))
}

fn encode(members: &Map<String, Value>) -> String {
    BASE64URL.encode(serde_json::to_vec(members).unwrap_or_default())
}

fn decode(segment: &str) -> Option<Vec<u8>> {
    BASE64URL.decode(segment.trim_end_matches('=')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// **Source**: RFC 7515, appendix A.1.
    const RFC_7515: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn the_token_of_rfc_7515_is_read() {
        let token = Token::parse(RFC_7515).unwrap();
        assert_eq!((token.algorithm(), token.key_id(), token.signature.len()), ("HS256", None, 32));
        assert_eq!(token.claims["iss"], "joe");
        assert_eq!(token.with_signature(&token.signature), RFC_7515);
    }

    #[test]
    fn what_is_no_signed_token_is_not_read() {
        for text in ["", "ak_7f3e91d0c4b2", "a.b.c", "e30.e30.AA", "1.2.3.4.5", "W10.W10.AA"] {
            assert!(Token::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn another_header_keeps_the_claims_byte_for_byte() {
        let token = Token::parse(RFC_7515).unwrap();
        let mut header = token.header.clone();
        header["alg"] = "none".into();
        let forged = token.with_header(&header, |_| Vec::new());
        assert_eq!(forged.split('.').nth(1), RFC_7515.split('.').nth(1));
        assert!(forged.ends_with('.') && Token::parse(&forged).unwrap().is_unsigned());
    }

    #[test]
    fn what_is_scrambled_is_no_token() {
        let token = Token::parse(RFC_7515).unwrap();
        let scrambled = token.scrambled();
        assert_eq!(scrambled.len(), RFC_7515.len());
        assert!(Token::parse(&scrambled).is_none());
    }
}
