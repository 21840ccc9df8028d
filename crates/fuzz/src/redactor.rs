//! Any text with a credential in it, in the spelling of one encoder or another. The first line is the
//! credential; in the rest `{0}`, `{1}` … are the credential as encoder 0, 1 … writes it.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use model::{Headers, Redactor, Response};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Shorter credentials stand in other words by chance.
const SHORTEST: usize = 12;
/// Longer ones show nothing more.
const LONGEST: usize = 64;

/// Spellings of a credential, each as a whole.
const ENCODERS: [fn(&str) -> String; 8] = [
    str::to_owned,
    |secret| serde_json::to_string(secret).unwrap_or_default().trim_matches('"').to_owned(),
    |secret| utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
    |secret| BASE64_STANDARD.encode(secret),
    |secret| BASE64_URL_SAFE_NO_PAD.encode(secret),
    |secret| secret.bytes().map(|byte| format!("{byte:02x}")).collect(),
    |secret| secret.chars().map(|c| unicode_escape(c, |c| c.is_ascii_alphanumeric())).collect(),
    |secret| secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;"),
];

/// Masks it in a text, in bytes, in a header and in a body: no decoder reads the credential from what comes out.
pub fn run(data: &[u8]) {
    let (secret, text) = crate::first_line(data);
    let is_key = secret.bytes().all(|byte| byte.is_ascii_graphic()) && !secret.contains(['{', '}']);
    if !is_key || !(SHORTEST..=LONGEST).contains(&secret.len()) {
        return;
    }
    let mut text = String::from_utf8_lossy(text).into_owned();
    for (number, encode) in ENCODERS.iter().enumerate() {
        text = text.replace(&format!("{{{number}}}"), &encode(&secret));
    }
    let mut redactor = Redactor::default();
    redactor.add(&secret, "alice.key");
    let response = Response {
        status: 200,
        headers: Headers::from_iter([("X-Echo", text.clone())]),
        body: text.clone().into(),
        body_bytes: text.len() as u64,
        truncated: false,
    };
    let response = redactor.response(&response);
    let shown = [redactor.text(&text).into_owned(), response.headers.first("x-echo").unwrap_or_default().to_owned()];
    for shown in shown.into_iter().chain([response.body.text().into_owned()]) {
        for (decoder, decoded) in decoded(&shown) {
            assert!(!decoded.contains(&secret), "legible {decoder}: {shown:?}");
        }
    }
}

/// A text as each decoder reads it.
fn decoded(text: &str) -> Vec<(&'static str, String)> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/_-=".contains(c));
    let mut all = vec![
        ("as it is", text.to_owned()),
        ("percent-decoded", percent_decode_str(text).decode_utf8_lossy().into_owned()),
        ("from JSON", json_unescaped(text)),
        ("from HTML", html_unescaped(text)),
    ];
    for word in words.filter(|word| word.len() >= SHORTEST) {
        let bare = word.trim_end_matches('=');
        let padded = BASE64_STANDARD.decode(format!("{bare}{}", &"==="[..(4 - bare.len() % 4) % 4]));
        for bytes in [padded.ok(), BASE64_URL_SAFE_NO_PAD.decode(bare).ok(), from_hex(word)].into_iter().flatten() {
            all.push(("from base64 or hex", String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    all
}

fn unicode_escape(c: char, is_plain: impl Fn(char) -> bool) -> String {
    if is_plain(c) { c.to_string() } else { format!("\\u{:04x}", c as u32) }
}

/// The text with `\uXXXX`, `\/` and the other escapes of JSON read, wherever they stand.
fn json_unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let code = rest.strip_prefix('u').and_then(|hex| hex.get(..4));
        match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(c) => {
                plain.push(c);
                rest = &rest[5..];
            }
            None => {
                plain.extend(rest.chars().next());
                rest = rest.get(rest.chars().next().map_or(0, char::len_utf8)..).unwrap_or_default();
            }
        }
    }
    plain + rest
}

fn html_unescaped(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&#34;", "\""), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (entity, plain)| text.replace(entity, plain))
}

fn from_hex(word: &str) -> Option<Vec<u8>> {
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    word.as_bytes().chunks(2).map(pair).collect()
}
