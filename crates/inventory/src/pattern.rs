//! A text that matches a simple regular expression.
//!
//! Descriptions mostly bound identifiers: classes of characters, counts, groups, alternatives.
//! What goes beyond that gets no text, and the caller falls back to another one. Every text is
//! checked against the expression before it is returned.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// Nesting of groups that is read. **Source**: chosen.
const MAX_NESTING: usize = 16;

/// Characters that one text consists of. **Source**: chosen.
const MAX_LENGTH: usize = 4_096;

/// Returns a text that matches a pattern (ECMA-262) and has between `least` and `most` characters.
pub(crate) fn text_matching(pattern: &str, least: usize, most: usize) -> Option<String> {
    let compiled = Regex::new(pattern).ok()?;
    let fits = |text: &String| (least..=most).contains(&text.chars().count()) && compiled.is_match(text);
    // Repeating what may repeat as seldom as possible, then often enough for the least length.
    [1, 2, 4, 8, 16, least].into_iter().find_map(|repeats| {
        let mut source = pattern.chars().peekable();
        let text = alternatives(&mut source, repeats, 0)?;
        let text = if text.is_empty() { "a".repeat(least.max(1)) } else { text };
        source.next().is_none().then_some(text).filter(fits)
    })
}

/// The first of several alternatives that has a text; reads up to `)` or the end.
fn alternatives(source: &mut Peekable<Chars<'_>>, repeats: usize, nesting: usize) -> Option<String> {
    if nesting > MAX_NESTING {
        return None;
    }
    let first = sequence(source, repeats, nesting)?;
    while source.next_if_eq(&'|').is_some() {
        sequence(source, repeats, nesting)?;
    }
    Some(first)
}

fn sequence(source: &mut Peekable<Chars<'_>>, repeats: usize, nesting: usize) -> Option<String> {
    let mut text = String::new();
    while let Some(&next) = source.peek() {
        if matches!(next, '|' | ')') {
            break;
        }
        source.next();
        let piece = match next {
            '^' | '$' => continue,
            '(' => group(source, repeats, nesting)?,
            '[' => class(source)?.to_string(),
            '.' => "a".to_owned(),
            '\\' => match source.next()? {
                'b' | 'B' | 'A' | 'z' | 'Z' => continue,
                escaped => escape(escaped)?.to_string(),
            },
            literal => literal.to_string(),
        };
        let count = count(source, repeats)?;
        if text.len() + piece.len() * count > MAX_LENGTH {
            return None;
        }
        text.push_str(&piece.repeat(count));
    }
    Some(text)
}

/// The text of a group whose `(` is read, up to its `)`.
fn group(source: &mut Peekable<Chars<'_>>, repeats: usize, nesting: usize) -> Option<String> {
    if source.next_if_eq(&'?').is_some() {
        match source.next()? {
            ':' => {}
            'P' | '<' => {
                source.next_if_eq(&'<');
                if matches!(source.peek(), Some('=' | '!')) {
                    return None;
                }
                source.find(|character| *character == '>')?;
            }
            _ => return None,
        }
    }
    let text = alternatives(source, repeats, nesting + 1)?;
    (source.next()? == ')').then_some(text)
}

/// A member of a class whose `[` is read, up to its `]`.
fn class(source: &mut Peekable<Chars<'_>>) -> Option<char> {
    let is_negated = source.next_if_eq(&'^').is_some();
    let mut ranges: Vec<(char, char)> = Vec::new();
    loop {
        let first = match source.next()? {
            ']' if !ranges.is_empty() => break,
            '\\' => escape(source.next()?)?,
            character => character,
        };
        let mut ahead = source.clone();
        let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|end| end != ']');
        if !is_range {
            ranges.push((first, first));
            continue;
        }
        source.next();
        let last = match source.next()? {
            '\\' => escape(source.next()?)?,
            character => character,
        };
        ranges.push((first, last));
    }
    let holds = |wanted: char| ranges.iter().any(|(first, last)| (*first..=*last).contains(&wanted));
    let usual = ('a'..='z').chain('0'..='9').chain('A'..='Z').chain(' '..='~');
    let mut usual = usual.filter(|character| holds(*character) != is_negated);
    usual.next().or_else(|| ranges.first().map(|(first, _)| *first).filter(|_| !is_negated))
}

/// A character of a class that is written with `\`, or the escaped character itself.
fn escape(character: char) -> Option<char> {
    match character {
        'd' => Some('1'),
        'w' | 'D' | 'S' => Some('a'),
        's' | 'W' => Some(' '),
        't' => Some('\t'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        other if other.is_ascii_alphanumeric() => None,
        other => Some(other),
    }
}

/// How often the piece before is repeated.
fn count(source: &mut Peekable<Chars<'_>>, repeats: usize) -> Option<usize> {
    let count = match source.peek() {
        Some('*' | '+') => repeats,
        Some('?') => 1,
        Some('{') => {
            source.next();
            let bounds: String = source.take_while(|character| *character != '}').collect();
            let (least, most) = bounds.split_once(',').unwrap_or((&bounds, &bounds));
            let least: usize = least.trim().parse().ok()?;
            let most = match most.trim() {
                "" => usize::MAX,
                most => most.parse().ok()?,
            };
            source.next_if_eq(&'?');
            return (least <= most).then(|| repeats.clamp(least, most));
        }
        _ => return Some(1),
    };
    source.next();
    source.next_if_eq(&'?');
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::text_matching;

    #[test]
    fn simple_patterns_get_a_text_that_matches() {
        for (pattern, least, most, expected) in [
            ("^[a-z]{3}$", 0, 100, "aaa"),
            (r"^\d{3}-\d{2,}$", 0, 100, "111-11"),
            ("^(?:cus|sub)_[0-9a-zA-Z]+$", 0, 100, "cus_a"),
            ("^[A-Z0-9]+$", 5, 100, "00000000"),
            (r"^[^/]+\.json$", 0, 100, "a.json"),
            ("^(?<name>x)?y*$", 0, 100, "xy"),
            (r"^\+[1-9]\d{1,14}$", 0, 100, "+11"),
            ("", 3, 5, "aaa"),
        ] {
            assert_eq!(text_matching(pattern, least, most).as_deref(), Some(expected), "{pattern}");
        }
    }

    #[test]
    fn patterns_beyond_that_get_none() {
        for pattern in ["^(?=a)b$", r"(a)\1", "[", "(", "a{2", "^[a-z]{200}$", "((((((((((((((((((a))))))))))))))))))"]
        {
            assert_eq!(text_matching(pattern, 0, 100), None, "{pattern}");
        }
    }
}
