//! What the characters of a key tell of its form, and values that are derived from it.

use rand::RngExt;
use rand::rngs::StdRng;

/// Letters of a leading part that only says what kind of key it is: `sk`, `live`.
///
/// **Source**: chosen from the prefixes of Stripe, GitHub and Slack.
const LONGEST_KIND: usize = 6;

/// Bytes of the leading parts that only say what kind of key it is, such as `sk_live_`.
pub(crate) fn kind_length(key: &str) -> usize {
    let mut length = 0;
    for part in key.split_inclusive(['_', '-']) {
        let name = part.trim_end_matches(['_', '-']);
        if name.len() == part.len() || name.len() > LONGEST_KIND || !name.chars().all(|c| c.is_ascii_alphabetic()) {
            break;
        }
        length += part.len();
    }
    length
}

/// A random key of the same kind, length and kinds of characters: it is looked up, and unknown.
pub(crate) fn twin(key: &str, random: &mut StdRng) -> String {
    let (kind, rest) = key.split_at(kind_length(key));
    format!("{kind}{}", scrambled(rest, random))
}

/// Random text of the same length and kinds of characters.
pub(crate) fn scrambled(text: &str, random: &mut StdRng) -> String {
    let hexadecimal = is_hexadecimal(text);
    let last = if hexadecimal { 5 } else { 25 };
    let fresh = |c| match c {
        'a'..='z' => char::from(b'a' + random.random_range(0..=last)),
        'A'..='Z' => char::from(b'A' + random.random_range(0..=last)),
        '0'..='9' => char::from(random.random_range(b'0'..=b'9')),
        other => other,
    };
    text.chars().map(fresh).collect()
}

/// True for a JSON Web Token.
///
/// **Source**: RFC 7519, section 3; base64url of `{"` is `eyJ`.
pub(crate) fn is_token(key: &str) -> bool {
    key.starts_with("eyJ") && key.matches('.').count() >= 2
}

/// True where a part of the key may be its name and the rest its secret (`kid.secret`): a wrong secret
/// could lock the key of that name.
pub(super) fn has_id(key: &str) -> bool {
    key[kind_length(key)..].contains(['.', '_', ':'])
}

/// True where the last character may decode like another one, so that a decoded comparison is right to
/// accept it.
///
/// **Source**: RFC 4648, section 3.5.
pub(super) fn is_base64(key: &str) -> bool {
    let rest = &key[kind_length(key)..];
    let has = |kind: fn(&char) -> bool| rest.chars().any(|c| kind(&c));
    rest.contains(['+', '/', '=']) || (has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase))
}

/// The key with its letters in the other case; `None` where case means nothing by design: digits of
/// hexadecimal numbers and UUIDs.
///
/// **Source**: RFC 9562, section 4 (UUIDs are read in either case).
pub(super) fn in_other_case(key: &str) -> Option<String> {
    let (kind, rest) = key.split_at(kind_length(key));
    if is_hexadecimal(rest) {
        return None;
    }
    let swap = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    Some(format!("{kind}{}", rest.chars().map(swap).collect::<String>()))
}

fn is_hexadecimal(text: &str) -> bool {
    text.chars().all(|c| !c.is_ascii_alphabetic() || c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_twin_keeps_the_kind_and_is_random_after_it() {
        let mut random = StdRng::seed_from_u64(1);
        let made = twin("sk_live_4f2a9c77", &mut random);
        assert!(made.starts_with("sk_live_") && made.len() == 16 && made != "sk_live_4f2a9c77");
        assert!(made[8..].chars().all(|c| c.is_ascii_hexdigit()));
    }

    #[test]
    fn a_name_of_a_key_is_told_from_its_kind() {
        assert!(!has_id("sk_live_abc123") && !has_id("0f8fad5b-d9cb-469f-a165-70867728950e"));
        assert!(has_id("k17x.c2VjcmV0") && has_id("mb_k17x_93kd03kd"));
    }

    #[test]
    fn keys_that_are_numbers_have_no_other_case() {
        assert_eq!(in_other_case("ak_7f3e91d0c4b2"), None);
        assert_eq!(in_other_case("0F8FAD5B-D9CB-469F-A165-70867728950E"), None);
        assert_eq!(in_other_case("ak_Zk3r"), Some("ak_zK3R".into()));
        assert!(is_base64("sk_Zk3rT9vQ") && !is_base64("ak_7f3e91d0c4b2"));
    }
}
