//! What of other people's data is masked before a response is recorded.
//!
//! Checks take their facts from the response as it came; the record keeps only what shows that
//! something stood there. Equal values get equal masks within a scan, so that judges can compare.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::redact::End;
use model::sensitive::{self, Named};
use model::{Answer, Body, Exchange, Headers, Redactor, Response};
use sha2::{Digest, Sha256};

/// Bytes of a body that are recorded at most, after masking.
///
/// **Source**: chosen; the size of a record, `docs/safety.md`.
pub const KEPT: usize = 256 * 1024;

/// Different values of one response that are masked wherever they stand, beside their names or not.
///
/// **Source**: chosen; a listing of people repeats none of their passwords elsewhere, an error may.
const MOST_REPEATED: usize = 64;

/// A shorter value is masked beside its name only: elsewhere it stands by chance.
///
/// **Source**: chosen; the shortest password that most servers allow.
const SHORTEST_REPEATED: usize = 8;

/// The last word of a body that was cut is no longer than this.
///
/// **Source**: chosen; twice the longest token that common servers take in a header.
const LONGEST_WORD: usize = 16 * 1024;

/// What stands in the place of a word that was cut.
const CUT: &[u8] = b"{{cut}}";

/// Shorter cookies are flags and languages.
///
/// **Source**: chosen; a session takes 64 bits at least, which are 11 characters of base64.
const SHORTEST_COOKIE: usize = 8;

/// Bytes of long bodies that a scan holds at once at most, as they came.
///
/// **Source**: chosen; 64 bodies of 4 MiB, and a bound on memory whatever a server sends.
const MOST_HELD: usize = 256 * 1024 * 1024;

/// Bounds what a scan holds of bodies that are longer than what is recorded.
#[derive(Debug, Default)]
pub(crate) struct Held(AtomicUsize);

impl Held {
    /// Cuts a long body to what is recorded where too much is held already: it then counts as not read to
    /// its end.
    pub(crate) fn bound(&self, response: &mut Response) {
        let length = response.body.len();
        if length <= KEPT || self.0.fetch_add(length, Ordering::Relaxed) < MOST_HELD {
            return;
        }
        response.body = Body::from(response.body.bytes()[..KEPT].to_vec());
        response.truncated = true;
    }
}

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
        String::from_utf8_lossy(&self.bytes(text.as_bytes(), End::Whole, &mut BTreeMap::new())).into_owned()
    }

    fn response(&self, response: &mut Response) {
        let end = if response.truncated { End::Cut } else { End::Whole };
        let mut seen = BTreeMap::new();
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in response.headers.iter() {
            let masked = match name.eq_ignore_ascii_case("set-cookie") {
                true => self.text(&self.cookie(value)),
                false => self.header(name, value, &mut seen),
            };
            headers.push((name.to_owned(), masked));
        }
        let mut body = self.bytes(response.body.bytes(), end, &mut seen);
        if !seen.is_empty() && seen.len() <= MOST_REPEATED {
            let mut repeated = Redactor::default();
            seen.iter().for_each(|(value, label)| repeated.add(value, label));
            for (_, value) in &mut headers {
                *value = repeated.text(value).into_owned();
            }
            body = repeated.bytes(&body).into_owned();
        }
        if end == End::Cut {
            cut_last_word(&mut body);
        }
        response.headers = headers.into_iter().collect::<Headers>();
        if body.len() > KEPT {
            body.truncate(whole_until(&body, KEPT));
        }
        if body != **response.body.bytes() {
            response.body = Body::from(body);
        }
    }

    /// The value of a header masked, as text and as the value of its name.
    fn header(&self, name: &str, value: &str, seen: &mut BTreeMap<String, String>) -> String {
        let start = name.len() + 2;
        let line = format!("{name}: {value}");
        let masked = self.bytes(line.as_bytes(), End::Whole, seen);
        String::from_utf8_lossy(masked.get(start..).unwrap_or_default()).into_owned()
    }

    /// The bytes with secrets masked: what has a form of its own, and what stands beside a name that says so.
    /// Notes the values that may stand elsewhere too, with the labels of their masks.
    fn bytes(&self, bytes: &[u8], end: End, seen: &mut BTreeMap<String, String>) -> Vec<u8> {
        let mut masks: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        for found in sensitive::detect(bytes).into_iter().filter(|found| !found.publishable) {
            let at = found.start..found.end;
            let Some(value) = bytes.get(at.clone()) else { continue };
            masks.push((at, self.mask(&found.rule, value).into()));
        }
        for Named { name, at, value, is_bare_json } in sensitive::named_secrets(bytes, end) {
            let name: String =
                name.chars().map(|c| if c.is_alphanumeric() || "_.-".contains(c) { c } else { '_' }).collect();
            let mask = self.mask(&name, value.as_bytes());
            masks.push((at, if is_bare_json { format!("\"{mask}\"") } else { mask }.into()));
            if value.len() >= SHORTEST_REPEATED && seen.len() <= MOST_REPEATED {
                let label = format!("masked:{}", self.label(&name, value.as_bytes()));
                seen.entry(value).or_insert(label);
            }
        }
        applied(bytes, masks)
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

    fn mask(&self, name: &str, value: &[u8]) -> String {
        format!("{{{{masked:{}}}}}", self.label(name, value))
    }

    /// A name for a value, the same for equal values of one scan.
    pub(crate) fn label(&self, name: &str, value: &[u8]) -> String {
        let digest = Sha256::new().chain_update(self.salt).chain_update(value).finalize();
        format!("{name}:{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2])
    }
}

/// The bytes with these stretches replaced. Where two overlap, the first and longest one counts for both.
fn applied(bytes: &[u8], mut masks: Vec<(Range<usize>, Vec<u8>)>) -> Vec<u8> {
    masks.sort_by(|(a, _), (b, _)| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
    let mut masked = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    for (at, mask) in masks {
        if at.start >= copied {
            masked.extend_from_slice(&bytes[copied..at.start]);
            masked.extend_from_slice(&mask);
        }
        copied = copied.max(at.end);
    }
    masked.extend_from_slice(&bytes[copied..]);
    masked
}

/// Takes the last word away, of which nobody knows what it is: a key that is cut has no form any more.
fn cut_last_word(body: &mut Vec<u8>) {
    let from = body.len().saturating_sub(LONGEST_WORD);
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`<>,;&=:{}[]()|".contains(byte);
    let start = body[from..].iter().rposition(ends).map_or(from, |at| from + at + 1);
    // The lines of a private key are words of their own.
    let text = String::from_utf8_lossy(&body[from..]);
    let key = text.rfind("-----BEGIN ").filter(|at| !text[*at..].contains("-----END ") && text[*at..].contains("KEY"));
    let start = key.map_or(start, |_| {
        let marker = b"-----BEGIN ";
        body.windows(marker.len()).rposition(|window| window == marker).unwrap_or(start).min(start)
    });
    if start < body.len() {
        body.truncate(start);
        body.extend_from_slice(CUT);
    }
}

/// The greatest length up to `limit` at which neither a character nor a mask is cut.
fn whole_until(body: &[u8], limit: usize) -> usize {
    let mut length = limit;
    while length > 0 && body.get(length).is_some_and(|byte| byte & 0xc0 == 0x80) {
        length -= 1;
    }
    let window = length.saturating_sub(200);
    let opened = body[window..length].windows(2).rposition(|pair| pair == b"{{");
    let closed = body[window..length].windows(2).rposition(|pair| pair == b"}}");
    match (opened, closed) {
        (Some(opened), closed) if closed.is_none_or(|closed| closed < opened) => window + opened,
        _ => length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(body: &str, truncated: bool) -> Response {
        let headers = [("X-Auth-Token", "At9x2Lq7Vb4Nd8Ms1Zk5Wc"), ("Location", "/cb?password=Hg7kq2Lm9Zx4")];
        let mut response = Response {
            status: 200,
            headers: headers.into_iter().collect(),
            body: body.to_owned().into(),
            body_bytes: 0,
            truncated,
        };
        Masker::new(1).response(&mut response);
        response
    }

    #[test]
    fn a_value_is_masked_beside_its_name_and_wherever_it_is_repeated() {
        let body =
            r#"{"users":[{"name":"bob","password":"Hg7k\/q2Lm9Zx4","pin":4711}],"log":"was Hg7k\u002fq2Lm9Zx4, now"}"#;
        let response = masked(body, false);
        let shown = format!("{} {:?}", response.body.text(), response.headers);
        for hidden in ["q2Lm9Zx4", "4711", "At9x2Lq7", "Hg7k"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
        assert!(response.json().is_some() && shown.contains("bob"), "{shown}");
    }

    #[test]
    fn no_more_is_kept_than_a_record_holds_and_no_mask_is_cut() {
        let many: String = (0..8000).map(|n| format!(r#"{{"id":{n},"password":"Zq4b81d09f3Lm{n}"}},"#)).collect();
        let response = masked(&format!("[{many}{{}}]"), false);
        let text = response.body.text();
        assert!(text.len() <= KEPT && text.len() > KEPT - 300 && !text.contains("Zq4b81"), "{}", text.len());
        assert_eq!(text.matches("{{").count(), text.matches("}}").count());
    }

    #[test]
    fn what_a_scan_holds_of_long_bodies_is_bounded() {
        let held = Held(AtomicUsize::new(MOST_HELD - 1));
        let long = Response { body: vec![b'x'; KEPT + 1].into(), ..masked("", false) };
        let lengths = [long.clone(), long.clone(), masked("short", false)].map(|mut response| {
            held.bound(&mut response);
            (response.body.len(), response.truncated)
        });
        assert_eq!(lengths, [(KEPT + 1, false), (KEPT, true), (5, false)]);
    }

    #[test]
    fn the_last_word_of_a_body_that_was_cut_is_taken_away() {
        for (body, left) in [
            (r#"{"a":"b","note":"sk_li"#, r#"{"a":"b","note":"{{cut}}"#),
            (r#"{"a":"b","password":"sk_li"#, r#"{"a":"b","password":"{{cut}}"#),
            ("a: b\n-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAbCd", "a: b\n{{cut}}"),
            ("[1,2,", "[1,2,"),
        ] {
            let body = masked(body, true).body.text().into_owned();
            assert!(!body.contains("sk_li") && !body.contains("MIIE"), "{body}");
            assert!(body == left || body.starts_with(r#"{"a":"b","password":"{{masked:password:"#), "{body}");
        }
    }
}
