//! Random keys that look like a real one, and how many of those there are.

use rand::RngExt;
use rand::rngs::StdRng;

/// Letters of a part of a key that says what kind it is: `sk`, `live`.
///
/// **Source**: chosen from the prefixes of Stripe, GitHub and Slack.
const LONGEST_KIND: usize = 6;

/// A random key of the same kind, length and kinds of characters. What could name a real key (any part
/// with a digit) is random too, so that nobody's key is locked.
pub(crate) fn twin(key: &str, random: &mut StdRng) -> String {
    let (kind, rest) = key.split_at(kind_length(key));
    let rest = rest.chars().map(|c| match c {
        'a'..='f' if is_hex(rest) => char::from_digit(random.random_range(0..16), 16).unwrap_or(c),
        '0'..='9' if is_hex(rest) && !is_decimal(rest) => char::from_digit(random.random_range(0..16), 16).unwrap_or(c),
        'a'..='z' => char::from(random.random_range(b'a'..=b'z')),
        'A'..='Z' => char::from(random.random_range(b'A'..=b'Z')),
        '0'..='9' => char::from(random.random_range(b'0'..=b'9')),
        other => other,
    });
    format!("{kind}{}", rest.collect::<String>())
}

/// Random bits of a key, as its characters suggest: an upper bound.
pub(super) fn bits(key: &str) -> u32 {
    let rest = &key[kind_length(key)..];
    let has = |kind: fn(&char) -> bool| rest.chars().any(|c| kind(&c));
    let alphabet = match () {
        () if is_decimal(rest) => 10,
        () if is_hex(rest) => 16,
        () => {
            u32::from(has(char::is_ascii_lowercase)) * 26
                + u32::from(has(char::is_ascii_uppercase)) * 26
                + u32::from(has(char::is_ascii_digit)) * 10
        }
    };
    let length = rest.chars().filter(char::is_ascii_alphanumeric).count();
    (length as f64 * f64::from(alphabet.max(1)).log2()) as u32
}

/// True for a JSON Web Token.
///
/// **Source**: RFC 7519, section 3; base64url of `{"` is `eyJ`.
pub(super) fn is_token(key: &str) -> bool {
    key.starts_with("eyJ") && key.matches('.').count() >= 2
}

/// Bytes of the leading parts that only say what kind of key it is.
fn kind_length(key: &str) -> usize {
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

fn is_decimal(text: &str) -> bool {
    text.chars().all(|c| !c.is_ascii_alphabetic())
}

fn is_hex(text: &str) -> bool {
    text.chars().all(|c| !c.is_ascii_alphabetic() || matches!(c, 'a'..='f'))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn a_twin_keeps_the_kind_and_nothing_that_names_a_key() {
        let mut random = StdRng::seed_from_u64(1);
        let made = twin("sk_live_4f2a9c", &mut random);
        assert!(made.starts_with("sk_live_") && made.len() == 14 && made != "sk_live_4f2a9c");
        assert!(made[8..].chars().all(|c| c.is_ascii_hexdigit()));
        let made = twin("k17x-Secret9", &mut random);
        assert_ne!(&made[..4], "k17x", "an id of a key is random");
    }

    #[test]
    fn bits_follow_from_length_and_alphabet() {
        assert_eq!(bits("0123456789abcdef0123456789abcdef"), 128);
        assert_eq!(bits("ak_7f3e91d0c4b2"), 48);
        assert_eq!(bits("483920"), 19);
        assert!(bits("sk_live_Zk3rT9vQ1mXy8LwP") > 90);
        assert!(is_token("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.x"));
    }
}
