//! What the characters of a key tell: how many keys there are of its form, and what stands in it that
//! is not random.

use serde::{Deserialize, Serialize};

use crate::key_comparison::form::kind_length;

/// Random characters of an alphabet of letters and digits, as bits each.
///
/// **Source**: log2(62).
const BITS_OF_A_CHARACTER: f64 = 5.954;

/// Shortest name that is looked for in a key: shorter ones stand there by chance.
///
/// **Source**: chosen; four given letters stand at a given place of a random key once in 450,000.
const SHORTEST_NAME: usize = 4;

/// Seconds and milliseconds since 1970 that are taken for a time: 2001 to 2036.
///
/// **Source**: chosen.
const SECONDS: std::ops::Range<u64> = 1_000_000_000..2_100_000_000;

/// Neighboring characters, of four, that follow each other in a sequence.
///
/// **Source**: chosen; of random hexadecimal digits about one pair in six is equal or adjacent.
const IN_SEQUENCE: (usize, usize) = (3, 4);

/// Facts about a key, none of which tells the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    /// Random bits, as its characters suggest: an upper bound for keys of this alphabet.
    pub(super) bits: u32,
    /// Random bits if it were of letters and digits throughout.
    pub(super) most_bits: u32,
    /// What stands in it that is not random.
    pub(super) parts: Vec<Part>,
}

/// A part of a key that is not random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Part {
    /// Neighbors in the alphabet, or one character repeated.
    Sequence,
    /// A UUID made of a time and a machine.
    TimeBasedUuid,
    /// Seconds or milliseconds since 1970.
    Timestamp,
    /// The name of its owner.
    Name,
}

impl Part {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Sequence => "a sequence",
            Self::TimeBasedUuid => "a UUID made of a time and a machine",
            Self::Timestamp => "a timestamp",
            Self::Name => "its owner's name",
        }
    }
}

/// The shape of a key; `owner` is the name of the identity.
pub(super) fn shape(key: &str, owner: &str) -> Shape {
    let mut rest = key[kind_length(key)..].to_owned();
    let mut parts = Vec::new();
    if is_time_based_uuid(&rest) {
        parts.push(Part::TimeBasedUuid);
    }
    if owner.len() >= SHORTEST_NAME
        && let Some(at) = rest.to_ascii_lowercase().find(&owner.to_ascii_lowercase())
    {
        parts.push(Part::Name);
        rest.replace_range(at..at + owner.len(), "");
    }
    if let Some((at, length)) = timestamp(&rest) {
        parts.push(Part::Timestamp);
        rest.replace_range(at..at + length, "");
    }
    if is_sequence(&rest) {
        parts.push(Part::Sequence);
    }
    let length = rest.chars().filter(char::is_ascii_alphanumeric).count() as f64;
    Shape {
        bits: (length * f64::from(alphabet(&rest)).log2()) as u32,
        most_bits: (length * BITS_OF_A_CHARACTER) as u32,
        parts,
    }
}

/// Characters to choose from, as those of the text suggest.
fn alphabet(text: &str) -> u32 {
    let has = |kind: fn(&char) -> bool| text.chars().any(|c| kind(&c));
    let letters = text.chars().filter(char::is_ascii_alphabetic);
    if !has(char::is_ascii_alphabetic) {
        return 10;
    }
    if has(char::is_ascii_digit) && letters.clone().all(|c| c.is_ascii_hexdigit()) {
        return 16;
    }
    let of = |is_there: bool, count: u32| if is_there { count } else { 0 };
    of(has(char::is_ascii_lowercase), 26) + of(has(char::is_ascii_uppercase), 26) + of(has(char::is_ascii_digit), 10)
}

/// **Source**: RFC 9562, sections 5.1 and 5.6 (versions 1 and 6).
fn is_time_based_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_uuid = groups.iter().map(|g| g.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|g| g.bytes().all(|b| b.is_ascii_hexdigit()));
    is_uuid
        && (groups[2].starts_with('1') || groups[2].starts_with('6'))
        && groups[3].starts_with(['8', '9', 'a', 'b', 'A', 'B'])
}

/// Place and length of a run of digits that is a time.
fn timestamp(text: &str) -> Option<(usize, usize)> {
    let mut at = 0;
    for run in text.split_inclusive(|c: char| !c.is_ascii_digit()) {
        let digits = run.trim_end_matches(|c: char| !c.is_ascii_digit());
        let number = digits.parse::<u64>().ok();
        let seconds = match digits.len() {
            10 => number,
            13 => number.map(|ms| ms / 1000),
            _ => None,
        };
        if seconds.is_some_and(|s| SECONDS.contains(&s)) {
            return Some((at, digits.len()));
        }
        at += run.len();
    }
    None
}

fn is_sequence(text: &str) -> bool {
    let characters: Vec<u8> = text.bytes().filter(u8::is_ascii_alphanumeric).collect();
    let following = characters.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 1).count();
    let (of, all) = IN_SEQUENCE;
    characters.len() >= 4 && following * all >= (characters.len() - 1) * of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_follow_from_length_and_alphabet() {
        assert_eq!(shape("0123456789abcdef0f1e2d3c4b5a6978", "").bits, 128);
        assert_eq!(shape("ak_7f3e91d0c4b2", "").bits, 48);
        assert_eq!(shape("483920", "").bits, 19);
        assert!(shape("sk_live_Zk3rT9vQ1mXy8LwP", "").bits > 90);
    }

    #[test]
    fn what_is_not_random_is_seen() {
        let parts = |key| shape(key, "northwind").parts;
        assert_eq!(parts("sk_live_abc123"), [Part::Sequence]);
        assert_eq!(parts("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), [Part::TimeBasedUuid]);
        assert_eq!(parts("0f8fad5b-d9cb-469f-a165-70867728950e"), []);
        assert_eq!(parts("ak_1718000000_7f3e"), [Part::Timestamp]);
        assert_eq!(parts("northwind-7f3e91d0"), [Part::Name]);
        assert_eq!(shape("northwind-7f3e91d0", "northwind").bits, 32);
    }
}
