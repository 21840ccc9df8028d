//! The forms in which a credential as a whole may travel or come back.
//!
//! Escapes of single characters are not among them: those are undone before the search.

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use data_encoding::BASE32_NOPAD;

use super::SHORTEST_REST;
use crate::escapes::meaning;

/// Shortest credential that is searched inside other base64: of a shorter one, too few characters do not
/// depend on what stands beside it.
///
/// **Source**: chosen; 10 bytes are 12 characters at least, which no word is by chance.
const SHORTEST_INSIDE: usize = 10;

/// Characters that an escape takes at most of what stands behind its mark.
///
/// **Source**: `\u` and four hexadecimal digits (RFC 8259, section 7).
const MOST_EATEN: usize = 5;

/// Shortest credential that is searched in capitals, and in small letters.
///
/// **Source**: chosen; a shorter one may be a word.
const SHORTEST_IN_ONE_CASE: usize = 16;

/// Shortest credential whose bytes are searched as numbers, or in another case.
///
/// **Source**: chosen; a shorter run of numbers stands in data by chance.
const SHORTEST_SPELLED: usize = 8;

/// The value itself, and its whole forms.
pub(super) fn forms(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let mut forms: Vec<Vec<u8>> = vec![
        bytes.to_vec(),
        // What is left of a value that looks like an escape itself.
        meaning(bytes),
        url::form_urlencoded::byte_serialize(bytes).collect::<String>().into(),
        secret.replace(' ', "+").into(),
        // RFC 4180, section 2; SQL literals; RFC 2045, section 6.7 (quoted-printable).
        doubled(secret, '"').into(),
        doubled(secret, '\'').into(),
        secret.replace('=', "=3D").into(),
        // ISO-8859-1, of which `%E9` and `\xe9` may speak too.
        secret.chars().map(|c| u8::try_from(c).ok()).collect::<Option<_>>().unwrap_or_default(),
        hex(bytes, |byte| format!("{byte:02x}")),
        hex(bytes, |byte| format!("{byte:02X}")),
        BASE64_STANDARD_NO_PAD.encode(bytes).into(),
        BASE64_URL_SAFE_NO_PAD.encode(bytes).into(),
    ];
    if bytes.len() >= SHORTEST_INSIDE {
        for before in 0..3 {
            forms.push(inside(&BASE64_STANDARD_NO_PAD, bytes, before));
            forms.push(inside(&BASE64_URL_SAFE_NO_PAD, bytes, before));
        }
    }
    forms.extend(rest(bytes));
    if bytes.len() >= SHORTEST_SPELLED {
        forms.extend(spelled(bytes));
    }
    forms.sort();
    forms.dedup();
    forms
}

/// What is left of a value whose beginning an escape eats that began before it, as `\\0` and `%4` do with
/// digits. A value that no encoder touches is found as it is written.
fn rest(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(byte)) {
        return None;
    }
    let eaten = MOST_EATEN.min(bytes.len().checked_sub(SHORTEST_REST)?);
    Some(bytes[eaten..].to_vec())
}

/// The bytes one by one, as dumps, certificates, arrays and mails write them; in two encodings, one in the
/// other; and, for a long value, in one case.
fn spelled(bytes: &[u8]) -> Vec<Vec<u8>> {
    let joined = |digit: &dyn Fn(&u8) -> String, between: &str| {
        bytes.iter().map(digit).collect::<Vec<_>>().join(between).into_bytes()
    };
    let (lower, upper) = (|byte: &u8| format!("{byte:02x}"), |byte: &u8| format!("{byte:02X}"));
    let mut forms: Vec<Vec<u8>> = Vec::new();
    for between in [":", " ", "-", ", 0x", ",0x", " 0x"] {
        forms.push(joined(&lower, between));
        forms.push(joined(&upper, between));
    }
    // RFC 2045, section 6.7, with every byte encoded.
    forms.push(joined(&upper, "="));
    forms.extend([",", ", ", " "].map(|between| joined(&u8::to_string, between)));
    // UTF-16 of either order, read as bytes.
    forms.push(joined(&|byte| char::from(*byte).to_string(), "\0"));
    let base64 = |bytes: &[u8]| BASE64_STANDARD_NO_PAD.encode(bytes).into_bytes();
    forms.push(base64(&base64(bytes)));
    forms.push(base64(BASE64_STANDARD.encode(bytes).as_bytes()));
    forms.push(base64(&hex(bytes, lower)));
    forms.push(BASE32_NOPAD.encode(bytes).into_bytes());
    if bytes.len() >= SHORTEST_IN_ONE_CASE {
        forms.extend([bytes.to_ascii_lowercase(), bytes.to_ascii_uppercase()]);
    }
    forms
}

/// The value with its inner quotes doubled; those at its ends may be the ones around it.
fn doubled(secret: &str, quote: char) -> String {
    let inner = secret.trim_matches(quote);
    secret.replacen(inner, &inner.replace(quote, &format!("{quote}{quote}")), 1)
}

fn hex(bytes: &[u8], digits: impl Fn(&u8) -> String) -> Vec<u8> {
    bytes.iter().map(digits).collect::<String>().into()
}

/// The characters that the bytes have in the base64 of a longer text, with so many bytes (modulo 3) before
/// them, whatever stands beside them.
fn inside(engine: &GeneralPurpose, bytes: &[u8], before: usize) -> Vec<u8> {
    let padded: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
    let encoded = engine.encode(&padded).into_bytes();
    let first = (before * 8).div_ceil(6);
    let last = padded.len() * 8 / 6;
    encoded[first..last].to_vec()
}
