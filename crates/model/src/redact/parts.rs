//! What of a credential is a secret by itself.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::identity::Place;
use crate::sensitive::{entropy_bits_per_char, kind_by_name};

/// A shorter part of a header with several is a flag, a language, a name.
///
/// **Source**: chosen; a session takes 64 bits at least, which are 11 characters of base64, and secrets that
/// people choose are rarely shorter than 8.
const SHORTEST_PART: usize = 8;

/// The parts of a credential that are secrets by themselves, beside the whole: cookies of a `Cookie` header,
/// parameters and token of an unknown scheme, user and password of Basic.
///
/// **Source**: RFC 6265 section 4.2.1; RFC 9110 section 11.4 (auth-param, token68); RFC 7617 section 2.
pub fn parts(place: &Place, value: &str) -> Vec<String> {
    let mut parts = Vec::new();
    match place {
        Place::Header { name, .. } if name.eq_ignore_ascii_case("cookie") => {
            let pairs: Vec<(&str, &str)> = value.split(';').filter_map(|pair| pair.trim().split_once('=')).collect();
            let alone = pairs.len() == 1;
            parts
                .extend(pairs.iter().filter(|(name, value)| alone || is_secret(name, value)).map(|(_, v)| unquoted(v)));
        }
        Place::Header { .. } => {
            if let Some((scheme, rest)) = value.split_once(' ')
                && !scheme.is_empty()
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            {
                parts.push(rest.trim().to_owned());
            }
            let parameters = value.split([',', ' ', ';']).filter_map(|part| part.trim().split_once('='));
            let held = parameters.filter(|(name, value)| !name.is_empty() && is_secret(name, value));
            parts.extend(held.map(|(_, value)| unquoted(value)));
        }
        Place::Query { .. } | Place::Cookie { .. } => {}
    }
    for candidate in std::iter::once(value).chain(value.rsplit(' ').next()) {
        if let Some((user, password)) = basic(candidate) {
            // A key is often sent as the user, with a password that says nothing.
            if password.is_empty() || is_random(&user) {
                parts.push(user.clone());
            }
            parts.push(format!("{user}:{password}"));
            parts.push(password);
        }
    }
    parts.retain(|part| part != value);
    parts
}

fn basic(value: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

fn unquoted(value: &str) -> String {
    value.trim().trim_matches('"').to_owned()
}

/// Whether a named value is a secret, by its name or by its form.
pub fn is_secret(name: &str, value: &str) -> bool {
    let value = value.trim().trim_matches('"');
    let named = kind_by_name(name).is_some_and(crate::sensitive::FieldKind::is_secret);
    (named && !value.is_empty()) || (value.len() >= SHORTEST_PART && is_random(value))
}

/// One word in which letters and digits are mixed, or a long one.
fn is_random(value: &str) -> bool {
    let mixed = value.bytes().any(|b| b.is_ascii_digit()) && value.bytes().any(|b| b.is_ascii_alphabetic());
    !value.contains(char::is_whitespace)
        && value.len() >= SHORTEST_PART
        && (mixed || value.len() >= 20)
        && entropy_bits_per_char(value) >= 2.5
}

/// Shortest word that is taken for a key where a name should stand.
///
/// **Source**: chosen; names with digits in them are shorter.
const SHORTEST_MISPLACED: usize = 12;

/// A name or address as it was typed, for an error that repeats it: what could be a secret in the wrong place
/// (a word like a key, what stands before an `@`) is `…`.
pub fn legible(text: &str) -> String {
    let (start, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (start, rest) = match rest[..authority].rfind('@') {
        Some(at) if at > 0 => (format!("{start}…"), &rest[at..]),
        _ => (start, rest),
    };
    let mut shown = start;
    for word in rest.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_key = bare.len() >= SHORTEST_MISPLACED && bare.bytes().any(|b| b.is_ascii_digit()) && is_random(bare);
        shown.push_str(if is_key { "…" } else { bare });
        shown.push_str(&word[bare.len()..]);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::legible;

    #[test]
    fn a_secret_in_the_place_of_a_name_is_not_repeated() {
        for (typed, shown) in [
            ("u:s3cr3tPw7Qx99zzTop@127.0.0.1:1/x", "…@127.0.0.1:1/x"),
            ("http://u:pw@127.0.0.1:99999/", "http://…@127.0.0.1:99999/"),
            ("s3cr3tPw7Qx99zzTop", "…"),
            ("X-Key: s3cr3tPw7Qx99zzTop", "X-Key: …"),
            ("identities.a.sk_live_9c41f7d2e8b3aa", "identities.a.sk_live_…"),
            ("openapi3.yaml", "openapi3.yaml"),
            ("./specs/petstore-v3-2024.json", "./specs/petstore-v3-2024.json"),
            ("API_KEY_2", "API_KEY_2"),
            ("@file:x", "@file:x"),
            ("löschen", "löschen"),
        ] {
            assert_eq!(legible(typed), shown);
        }
    }
}
