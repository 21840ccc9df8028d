//! Writes a text that matches a regular expression, for the plain patterns that APIs state.
//!
//! Every text is checked with the regex engine before it is returned, so what the small reader here
//! misunderstands yields nothing.

use std::iter::Peekable;
use std::str::Chars;

use regex::RegexBuilder;

/// Longest text that is written, in characters; also the most repetitions of one part.
const LONGEST: usize = 512;

/// Returns the current text if it matches the pattern, else a short one that does, else `None`.
///
/// `/…/flags` of JavaScript and patterns without delimiters are understood; lookaround and
/// backreferences are not.
pub(super) fn text_matching(pattern: &str, current: Option<&str>) -> Option<String> {
    let source = undelimited(pattern);
    let checked = RegexBuilder::new(source).size_limit(1 << 20).build().ok()?;
    if let Some(current) = current.filter(|c| checked.is_match(c)) {
        return Some(current.into());
    }
    let mut rest = source.chars().peekable();
    let text = alternation(&mut rest, 0)?;
    (rest.next().is_none() && text.len() <= LONGEST && checked.is_match(&text)).then_some(text)
}

fn undelimited(pattern: &str) -> &str {
    let Some(inner) = pattern.strip_prefix('/') else { return pattern };
    match inner.rsplit_once('/') {
        Some((source, flags)) if flags.chars().all(|c| c.is_ascii_lowercase()) => source,
        _ => pattern,
    }
}

/// The text of the first branch; the others are read and dropped.
fn alternation(rest: &mut Peekable<Chars>, depth: usize) -> Option<String> {
    if depth > 20 {
        return None;
    }
    let first = sequence(rest, depth)?;
    while rest.next_if_eq(&'|').is_some() {
        sequence(rest, depth)?;
    }
    Some(first)
}

fn sequence(rest: &mut Peekable<Chars>, depth: usize) -> Option<String> {
    let mut text = String::new();
    while let Some(&next) = rest.peek() {
        if matches!(next, '|' | ')') {
            break;
        }
        rest.next();
        let unit = match next {
            '^' | '$' => continue,
            '(' => group(rest, depth)?,
            '[' => class(rest)?.to_string(),
            '\\' => match rest.next()? {
                'b' | 'A' | 'z' | 'Z' => continue,
                escaped => escape(escaped)?.to_string(),
            },
            '.' => "a".into(),
            literal => literal.to_string(),
        };
        let times = repetitions(rest)?;
        if times > LONGEST || text.len() + unit.len() * times > LONGEST {
            return None;
        }
        text.push_str(&unit.repeat(times));
    }
    Some(text)
}

fn group(rest: &mut Peekable<Chars>, depth: usize) -> Option<String> {
    if rest.next_if_eq(&'?').is_some() {
        match rest.next()? {
            ':' => {}
            'P' | '<' => {
                let name: String = rest.by_ref().take_while(|c| *c != '>').collect();
                if name.starts_with(['=', '!']) {
                    return None;
                }
            }
            _ => return None,
        }
    }
    let text = alternation(rest, depth + 1)?;
    rest.next_if_eq(&')').map(|_| text)
}

/// One character of a bracketed class.
fn class(rest: &mut Peekable<Chars>) -> Option<char> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges: Vec<(char, char)> = Vec::new();
    loop {
        let start = match rest.next()? {
            ']' if !ranges.is_empty() => break,
            '\\' => match rest.next()? {
                'd' => {
                    ranges.push(('0', '9'));
                    continue;
                }
                'w' => {
                    ranges.push(('a', 'z'));
                    continue;
                }
                other => escape(other)?,
            },
            plain => plain,
        };
        let mut end = start;
        if rest.next_if_eq(&'-').is_some() {
            match rest.peek()? {
                // A hyphen before the bracket stands for itself.
                ']' => ranges.push(('-', '-')),
                _ => end = rest.next()?,
            }
        }
        ranges.push((start, end));
    }
    if negated {
        return "a0A-_ ".chars().find(|c| !ranges.iter().any(|(from, to)| (from..=to).contains(&c)));
    }
    let starts = || ranges.iter().map(|(from, _)| *from);
    starts().find(|c| c.is_ascii_alphanumeric()).or_else(|| starts().next())
}

fn escape(escaped: char) -> Option<char> {
    Some(match escaped {
        'd' => '1',
        'w' | 'S' | 'D' => 'a',
        's' => ' ',
        'W' => '-',
        't' => '\t',
        'n' => '\n',
        'r' => '\r',
        other if other.is_ascii_alphanumeric() => return None,
        other => other,
    })
}

/// How often the unit before is repeated: the least that the quantifier permits, but once for `*`
/// so that the text is rarely empty.
fn repetitions(rest: &mut Peekable<Chars>) -> Option<usize> {
    let times = match rest.peek() {
        Some('*' | '+' | '?') => {
            rest.next();
            1
        }
        Some('{') => {
            rest.next();
            let bounds: String = rest.by_ref().take_while(|c| *c != '}').collect();
            bounds.split(',').next()?.trim().parse().ok()?
        }
        _ => return Some(1),
    };
    rest.next_if(|c| matches!(c, '?' | '+'));
    Some(times)
}
