//! What of other people's data is masked before a response is recorded.
//!
//! Checks take their facts from the response as it came; the record keeps only what shows that
//! something stood there. Equal values get equal masks within a scan, so that judges can compare.

use model::{Answer, Body, Exchange, Response, sensitive};
use sha2::{Digest, Sha256};

/// Longest body that is searched for members to mask.
///
/// **Source**: chosen; recordings keep 256 KiB.
const LONGEST: usize = 256 * 1024;

/// Shorter cookies are flags and languages.
///
/// **Source**: chosen; a session takes 64 bits at least, which are 11 characters of base64.
const SHORTEST_COOKIE: usize = 8;

/// Masks secrets in responses.
#[derive(Debug)]
pub(crate) struct Masker {
    salt: [u8; 32],
}

impl Masker {
    /// The salt makes masks of different scans incomparable, so that a short value cannot be
    /// found by trying all.
    pub(crate) fn new(seed: u64) -> Self {
        let unique = uuid::Uuid::now_v7();
        let salt = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(unique.as_bytes()).finalize();
        Self { salt: salt.into() }
    }

    /// The exchange with secrets of its response masked.
    pub(crate) fn exchange(&self, mut exchange: Exchange) -> Exchange {
        if let Answer::Response(response) = &mut exchange.answer {
            self.response(response);
        }
        exchange
    }

    /// A text with what looks like a secret masked.
    pub(crate) fn text(&self, text: &str) -> String {
        match self.detected(text.as_bytes()) {
            Some(masked) => String::from_utf8_lossy(&masked).into_owned(),
            None => text.to_owned(),
        }
    }

    fn response(&self, response: &mut Response) {
        for (name, value) in response.headers.values_mut() {
            if name.eq_ignore_ascii_case("set-cookie") {
                *value = self.cookie(value);
            }
            if let Some(masked) = self.detected(value.as_bytes()) {
                *value = String::from_utf8_lossy(&masked).into_owned();
            }
        }
        if response.body.is_empty() || response.body.len() > LONGEST {
            return;
        }
        if let Some(masked) = self.detected(response.body.bytes()) {
            response.body = Body::from(masked);
        }
        self.members(response);
    }

    /// A `Set-Cookie` with its value masked: it may be a session. Name and attributes stay.
    fn cookie(&self, header: &str) -> String {
        let (pair, attributes) = header.split_once(';').map_or((header, ""), |(pair, rest)| (pair, rest));
        match pair.split_once('=') {
            Some((name, value)) if value.len() >= SHORTEST_COOKIE && !value.contains("{{") => {
                let separator = if attributes.is_empty() { "" } else { ";" };
                format!("{name}={}{separator}{attributes}", self.mask("cookie", value.as_bytes()))
            }
            Some(_) | None => header.to_owned(),
        }
    }

    /// Provider keys, private keys, card numbers and their like, wherever they stand.
    fn detected(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let found = sensitive::detect(bytes);
        let mut masked = Vec::with_capacity(bytes.len());
        let mut copied = 0;
        for detection in found.iter().filter(|d| !d.publishable) {
            if detection.start < copied || detection.end > bytes.len() {
                continue;
            }
            masked.extend_from_slice(&bytes[copied..detection.start]);
            masked.extend_from_slice(self.mask(&detection.rule, &bytes[detection.start..detection.end]).as_bytes());
            copied = detection.end;
        }
        if copied == 0 {
            return None;
        }
        masked.extend_from_slice(&bytes[copied..]);
        Some(masked)
    }

    /// Members that hold passwords, keys and their like, by name and value.
    fn members(&self, response: &mut Response) {
        let Some(body) = response.json() else { return };
        let fields = sensitive::sensitive_fields(&body);
        let mut text = match std::str::from_utf8(response.body.bytes()) {
            Ok(text) if !fields.is_empty() => text.to_owned(),
            Ok(_) | Err(_) => return,
        };
        for field in fields.iter().filter(|f| f.kind.is_secret()) {
            let Some(value) = body.pointer(&field.pointer).and_then(|v| v.as_str()) else { continue };
            let name = field.pointer.rsplit('/').next().unwrap_or("value");
            let quoted = serde_json::to_string(value).unwrap_or_default();
            // Inside quotes only, so that the text stays JSON.
            let mask = format!("\"{}\"", self.mask(name, value.as_bytes()));
            text = text.replace(&quoted, &mask);
        }
        response.body = text.into();
    }

    fn mask(&self, name: &str, value: &[u8]) -> String {
        format!("{{{{masked:{}}}}}", self.label(name, value))
    }

    /// A name for a value, the same for equal values of one scan.
    pub(crate) fn label(&self, name: &str, value: &[u8]) -> String {
        let digest = Sha256::new().chain_update(self.salt).chain_update(value).finalize();
        format!("{name}:{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
    }
}
