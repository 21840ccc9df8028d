//! Text as its reader gets it: the escapes of JSON, JavaScript, Java, C, HTML, XML and URLs undone, with the
//! way back to where each byte stood.
//!
//! An encoder is free to write a character as itself or as an escape, and every framework chooses its own
//! way. What is searched for a meaning is therefore searched in each [reading](readings).

use std::ops::Range;

use memchr::{memchr_iter, memchr3_iter};

/// Times that escapes are undone: a value in JSON in JSON in a query in HTML needs four.
///
/// **Source**: chosen; one more than the deepest nesting met.
const DEEPEST: usize = 5;

/// The bytes with which escapes begin, one for each kind.
const KINDS: [u8; 3] = [b'\\', b'%', b'&'];

/// One reading of a text, and where its bytes stand in the text.
#[derive(Debug, Default)]
struct Reading {
    bytes: Vec<u8>,
    escapes: Vec<Escape>,
}

/// Bytes of a reading that were written as an escape.
#[derive(Debug)]
struct Escape {
    read: Range<usize>,
    written: Range<usize>,
}

impl Reading {
    /// The text with one level of these escapes undone; `None` where there is none.
    fn of(text: &[u8], kinds: &[u8]) -> Option<Self> {
        let mut reading = Self::default();
        let mut copied = 0;
        // Escapes of one kind, or of all three.
        let marks: Box<dyn Iterator<Item = usize>> = match kinds {
            [kind] => Box::new(memchr_iter(*kind, text)),
            _ => Box::new(memchr3_iter(KINDS[0], KINDS[1], KINDS[2], text)),
        };
        for at in marks {
            if at < copied {
                continue;
            }
            let Some((character, length)) = escape(&text[at..]) else { continue };
            if reading.escapes.is_empty() {
                reading.bytes.reserve(text.len());
            }
            reading.bytes.extend_from_slice(&text[copied..at]);
            let start = reading.bytes.len();
            match character {
                Meant::Byte(byte) => reading.bytes.push(byte),
                Meant::Char(c) => reading.bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            copied = at + length;
            reading.escapes.push(Escape { read: start..reading.bytes.len(), written: at..copied });
        }
        if reading.escapes.is_empty() {
            return None;
        }
        reading.bytes.extend_from_slice(&text[copied..]);
        Some(reading)
    }

    /// The bytes as read.
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a stretch of the reading is written; escapes belong to it as a whole.
    fn written(&self, read: Range<usize>) -> Range<usize> {
        self.place(read.start, |escape| escape.written.start)..self.place_of_end(read.end)
    }

    fn place_of_end(&self, end: usize) -> usize {
        // An end lies behind the byte before it.
        match end.checked_sub(1) {
            Some(last) => self.place(last, |escape| escape.written.end - 1) + 1,
            None => 0,
        }
    }

    fn place(&self, at: usize, inside: impl Fn(&Escape) -> usize) -> usize {
        let before = self.escapes.partition_point(|escape| escape.read.start <= at);
        match before.checked_sub(1).map(|index| &self.escapes[index]) {
            Some(escape) if at < escape.read.end => inside(escape),
            Some(escape) => escape.written.end + (at - escape.read.end),
            None => at,
        }
    }
}

/// What is called with the bytes of a reading, and with the way from a stretch of them to where it is
/// written in the text.
pub(crate) type See<'s> = dyn FnMut(&[u8], &dyn Fn(Range<usize>) -> Range<usize>) + 's;

/// Shows the text and its readings: with escapes of one kind undone, of two kinds one after the other, and
/// with all of them undone, level by level, until nothing changes. One kind alone is right where a value
/// holds what another kind would take for an escape; all together reach whatever is nested deeper.
pub(crate) fn readings(text: &[u8], see: &mut See<'_>) {
    see(text, &|read| read);
    let mut path = Vec::new();
    let is_mixed = explore(text, &mut path, see);
    while let Some(next) = (path.len() < DEEPEST).then(|| next(text, &path, &KINDS)).flatten() {
        path.push(next);
        // All kinds together are no other reading where there is one kind at each level.
        if is_mixed || path.len() > 2 {
            show(&path, see);
        }
    }
}

/// Shows the text, and what it is with escapes of all kinds undone, level by level. Enough, and faster than
/// [`readings`], where what is searched has a form and no certain spelling.
pub(crate) fn levels(text: &[u8], see: &mut See<'_>) {
    see(text, &|read| read);
    let mut path = Vec::new();
    while let Some(next) = (path.len() < DEEPEST).then(|| next(text, &path, &KINDS)).flatten() {
        path.push(next);
        show(&path, see);
    }
}

/// Shows the readings of two levels at most, one kind each; true if a level has several kinds.
fn explore(text: &[u8], path: &mut Vec<Reading>, see: &mut See<'_>) -> bool {
    let mut kinds = 0;
    let mut is_mixed = false;
    for kind in KINDS {
        let Some(next) = next(text, path, &[kind]) else { continue };
        kinds += 1;
        path.push(next);
        show(path, see);
        if path.len() < 2 {
            is_mixed |= explore(text, path, see);
        }
        path.pop();
    }
    is_mixed || kinds > 1
}

fn next(text: &[u8], path: &[Reading], kinds: &[u8]) -> Option<Reading> {
    Reading::of(path.last().map_or(text, Reading::bytes), kinds)
}

fn show(path: &[Reading], see: &mut See<'_>) {
    let Some(last) = path.last() else { return };
    see(last.bytes(), &|read| path.iter().rev().fold(read, |range, reading| reading.written(range)));
}

/// The text with all escapes undone.
pub(crate) fn meaning(text: &[u8]) -> Vec<u8> {
    let mut meaning = text.to_vec();
    for _ in 0..DEEPEST {
        let Some(next) = Reading::of(&meaning, &KINDS) else { break };
        meaning = next.bytes;
    }
    meaning
}

#[derive(Clone, Copy)]
enum Meant {
    Byte(u8),
    Char(char),
}

/// What the escape at the start of a text means, and its length.
fn escape(text: &[u8]) -> Option<(Meant, usize)> {
    match text.first()? {
        b'\\' => backslash(text),
        b'%' => percent(text),
        b'&' => entity(text),
        _ => None,
    }
}

/// **Source**: RFC 8259 section 7 (JSON); ECMA-262 section 12.9.4 (`\x`, `\u{}`); Java `Properties` (`\:`,
/// `\=`, `\uXXXX`); C11 section 6.4.4.4 (octal, `\UXXXXXXXX`).
fn backslash(text: &[u8]) -> Option<(Meant, usize)> {
    let byte = |byte: u8| Some((Meant::Byte(byte), 2));
    match *text.get(1)? {
        b'u' if text.get(2) == Some(&b'{') => braced(text),
        b'u' => utf16(text),
        b'U' => Some((Meant::Char(char::from_u32(hex(text, 2, 8)?)?), 10)),
        b'x' if text.get(2) == Some(&b'{') => braced(text),
        b'x' => Some((Meant::Byte(u8::try_from(hex(text, 2, 2)?).ok()?), 4)),
        first @ b'0'..=b'3' => match text.get(2..4) {
            Some(&[second @ b'0'..=b'7', third @ b'0'..=b'7']) => {
                Some((Meant::Byte(((first - b'0') << 6) | ((second - b'0') << 3) | (third - b'0')), 4))
            }
            _ if first == b'0' => byte(0),
            _ => None,
        },
        b'n' => byte(b'\n'),
        b't' => byte(b'\t'),
        b'r' => byte(b'\r'),
        b'f' => byte(0x0c),
        b'b' => byte(0x08),
        b'v' => byte(0x0b),
        b'a' => byte(0x07),
        b'e' => byte(0x1b),
        other if other.is_ascii_punctuation() || other == b' ' => byte(other),
        _ => None,
    }
}

/// `\u00e9`, `%u00E9`, or two such that are one character.
fn utf16(text: &[u8]) -> Option<(Meant, usize)> {
    let first = hex(text, 2, 4)?;
    let second = (text.get(6..8) == text.get(..2)).then(|| hex(text, 8, 4)).flatten();
    match (first, second) {
        (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => {
            let code = 0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00);
            Some((Meant::Char(char::from_u32(code)?), 12))
        }
        _ => Some((Meant::Char(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER)), 6)),
    }
}

/// `\u{1F600}`, `\x{41}`.
fn braced(text: &[u8]) -> Option<(Meant, usize)> {
    let digits = text.get(3..)?.iter().take(7).take_while(|byte| byte.is_ascii_hexdigit()).count();
    (text.get(3 + digits) == Some(&b'}')).then_some(())?;
    Some((Meant::Char(char::from_u32(hex(text, 3, digits)?)?), digits + 4))
}

/// **Source**: RFC 3986 section 2.1; ECMA-262 annex B.2.1 (`%uXXXX`).
fn percent(text: &[u8]) -> Option<(Meant, usize)> {
    if let Some(byte) = hex(text, 1, 2) {
        return Some((Meant::Byte(u8::try_from(byte).ok()?), 3));
    }
    if matches!(text.get(1), Some(b'u' | b'U')) { utf16(text) } else { None }
}

/// The characters of ASCII that have names.
///
/// **Source**: WHATWG HTML, section 13.5 (named character references).
const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("LT", '<'),
    ("gt", '>'),
    ("GT", '>'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("midast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("grave", '`'),
    ("DiacriticalGrave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("verbar", '|'),
    ("vert", '|'),
    ("VerticalLine", '|'),
    ("rcub", '}'),
    ("rbrace", '}'),
];

/// Names that are read without a semicolon too.
///
/// **Source**: WHATWG HTML, section 13.5.
const LEGACY: [&str; 9] = ["amp", "AMP", "lt", "LT", "gt", "GT", "quot", "QUOT", "nbsp"];

fn entity(text: &[u8]) -> Option<(Meant, usize)> {
    let (digits_from, radix) = match (text.get(1), text.get(2)) {
        (Some(b'#'), Some(b'x' | b'X')) => (3, 16),
        (Some(b'#'), _) => (2, 10),
        _ => return named(text),
    };
    let digits = text.get(digits_from..)?.iter().take(8).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let number = std::str::from_utf8(&text[digits_from..digits_from + digits]).ok()?;
    let code = u32::from_str_radix(number, radix).ok()?;
    let end = digits_from + digits;
    Some((Meant::Char(char::from_u32(code)?), end + usize::from(text.get(end) == Some(&b';'))))
}

fn named(text: &[u8]) -> Option<(Meant, usize)> {
    let letters = text[1..].iter().take(20).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = std::str::from_utf8(&text[1..=letters]).ok()?;
    if text.get(letters + 1) == Some(&b';') {
        let (_, character) = NAMED.iter().find(|(name, _)| *name == word)?;
        return Some((Meant::Char(*character), letters + 2));
    }
    let name = LEGACY.iter().find(|name| word.starts_with(**name))?;
    let (_, character) = NAMED.iter().find(|(known, _)| known == name)?;
    Some((Meant::Char(*character), name.len() + 1))
}

/// The number of so many hex digits at a place.
fn hex(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    let digits = text.get(at..at + digits).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_write_a_slash_is_read_as_one() {
        for written in [
            r"\/",
            r"\u002f",
            r"\u002F",
            r"\x2f",
            r"\57",
            r"\057",
            r"\u{2f}",
            r"\x{2F}",
            r"\U0000002f",
            "%2f",
            "%2F",
            "%u002F",
            "&#47;",
            "&#047;",
            "&#x2f;",
            "&#X2F;",
            "&#47",
            "&sol;",
            "%252F",
            "&amp;sol;",
            r"\\u002F",
            "%26%2347%3B",
        ] {
            let read = String::from_utf8(meaning(format!("a{written}b").as_bytes())).unwrap();
            let expected = if written == r"\57" { r"a\57b" } else { "a/b" };
            assert_eq!(read, expected, "{written}");
        }
    }

    #[test]
    fn a_stretch_is_found_where_it_is_written() {
        let text = r#"{"a":"x%2Fy&#x5c;u002Fz \"q\""}"#.as_bytes();
        let mut seen = Vec::new();
        readings(text, &mut |bytes, written| {
            if let Some(at) = bytes.windows(5).position(|w| w == b"x/y/z") {
                seen.push(String::from_utf8(text[written(at..at + 5)].to_vec()).unwrap());
            }
        });
        seen.dedup();
        assert_eq!(seen, [r"x%2Fy&#x5c;u002Fz"]);
    }

    #[test]
    fn what_is_no_escape_stays() {
        for text in ["100% of it", "a & b", "c:\\dir\\qux", "&unknown;", "%zz", r"\u12", "&#;", "%", "\\", "&"] {
            assert!(Reading::of(text.as_bytes(), &KINDS).is_none(), "{text}");
        }
    }
}
