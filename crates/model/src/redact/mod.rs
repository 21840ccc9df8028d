//! Replaces credentials by their names before anything is recorded.
//!
//! A server's encoder writes a credential in its own way, so it is searched in what a reader gets: in the
//! text as it is, and in the text with its escapes undone, level by level ([`crate::escapes`]). Whole
//! encodings (hex, base64) are forms that are searched too. Short credentials are masked only where they
//! stand alone, so that the password `admin` does not eat `/administrators`, and words not in names.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};
use serde_json::Value;

use crate::escapes::readings;
use crate::exchange::{Answer, Exchange};
use crate::http::{Body, Headers, Request, Response};
use crate::secret::Secret;

mod forms;
mod parts;
#[cfg(test)]
mod tests;

use forms::forms;
pub use parts::{is_secret, legible, parts};

/// Shortest text that is searched: anything shorter stands in ordinary text by chance. One with other
/// characters than letters may be shorter by one.
///
/// **Source**: chosen; a 3-character value occurs by chance in a page of text.
const SHORTEST: usize = 4;

/// Length below which a match must stand alone (no letter or digit beside it).
///
/// **Source**: chosen; English words are rarely longer.
const STANDS_ALONE_BELOW: usize = 12;

/// Shortest form of a long credential that may stand beside other characters: escapes ate the rest of it.
///
/// **Source**: chosen; `\000` leaves nine of twelve characters.
const SHORTEST_REST: usize = 9;

/// How a text ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself.
    Whole,
    /// It was cut, perhaps in the middle of a credential.
    Cut,
}

/// Knows the credentials of a scan and masks them as `{{label}}`.
#[derive(Debug, Default)]
pub struct Redactor {
    secrets: Vec<Secret>,
    forms: Vec<Form>,
    search: OnceLock<Option<AhoCorasick>>,
}

#[derive(Debug)]
struct Form {
    text: zeroize::Zeroizing<Vec<u8>>,
    mask: String,
    /// True if it counts only where it stands alone.
    is_short: bool,
}

impl Form {
    /// True for a word that may as well be the name of something.
    fn is_word(&self) -> bool {
        self.is_short && self.text.iter().all(u8::is_ascii_alphabetic)
    }
}

/// A stretch that is masked, and the form that was found there.
type Found = (Range<usize>, usize);

impl Redactor {
    /// Adds a credential; `label` names it without telling anything of it, such as `alice.bearer`.
    pub fn add(&mut self, secret: &str, label: &str) {
        let is_searched = secret.len() >= SHORTEST
            || (secret.len() + 1 >= SHORTEST && !secret.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let is_literal = matches!(secret, "true" | "false" | "null");
        if !is_searched || is_literal || self.secrets.iter().any(|known| known.expose() == secret) {
            return;
        }
        self.secrets.push(Secret::new(secret));
        let mask = format!("{{{{{}}}}}", label.replace(|c: char| c.is_control() || "\"\\<>&{}".contains(c), "_"));
        let is_long = secret.len() >= STANDS_ALONE_BELOW;
        for form in forms(secret) {
            if form.len() + 1 >= SHORTEST && !self.forms.iter().any(|known| *known.text == form) {
                let is_rest = is_long && form.len() >= SHORTEST_REST;
                let is_short = form.len() < STANDS_ALONE_BELOW && !is_rest;
                self.forms.push(Form { text: form.into(), mask: mask.clone(), is_short });
            }
        }
        self.search = OnceLock::new();
    }

    /// The labels of the credentials that are known.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.forms.iter().map(|form| form.mask.trim_start_matches('{').trim_end_matches('}'))
    }

    /// True if the text is a credential that is known, or one stands in it.
    pub fn knows(&self, text: &str) -> bool {
        !self.found(text.as_bytes(), End::Whole).is_empty()
    }

    /// The text with every credential masked.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        lossy(text, self.bytes(text.as_bytes()))
    }

    /// The bytes with every credential masked.
    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        self.apply(bytes, self.found(bytes, End::Whole))
    }

    /// Text that names things (a path, the name of a header or of a member) with every credential masked,
    /// but for short words: those are the names themselves.
    pub fn name<'t>(&self, name: &'t str) -> Cow<'t, str> {
        let mut found = self.found(name.as_bytes(), End::Whole);
        found.retain(|(_, form)| !self.forms[*form].is_word());
        lossy(name, self.apply(name.as_bytes(), found))
    }

    /// A JSON value with every credential in its texts and names masked, but for short words.
    pub fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.name(text) {
                    *text = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(fields) => {
                fields.values_mut().for_each(|field| self.value(field));
                if fields.keys().any(|name| matches!(self.name(name), Cow::Owned(_))) {
                    let named = std::mem::take(fields).into_iter();
                    *fields = named.map(|(name, field)| (self.name(&name).into_owned(), field)).collect();
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A request with every credential masked.
    pub fn request(&self, request: &Request) -> Request {
        let mut masked = request.clone();
        masked.method = self.name(&request.method).into_owned();
        masked.target = match request.target.split_once('?') {
            Some((path, query)) => format!("{}?{}", self.name(path), self.text(query)),
            None => self.name(&request.target).into_owned(),
        };
        masked.headers = self.headers(&request.headers);
        masked.body = self.body(&request.body, End::Whole);
        masked
    }

    /// A response with every credential masked.
    pub fn response(&self, response: &Response) -> Response {
        let mut masked = response.clone();
        masked.headers = self.headers(&response.headers);
        let end = if response.truncated { End::Cut } else { End::Whole };
        masked.body = self.body(&response.body, end);
        masked
    }

    /// An exchange with every credential masked. Its operation stays, which others find by it.
    pub fn exchange(&self, mut exchange: Exchange) -> Exchange {
        exchange.request = self.request(&exchange.request);
        if let Some(signed) = exchange.signed_as.as_mut().and_then(|signed_as| signed_as.request.as_mut()) {
            *signed = self.request(signed);
        }
        exchange.answer = match exchange.answer {
            Answer::Response(response) => Answer::Response(self.response(&response)),
            Answer::Error(mut error) => {
                error.message = self.text(&error.message).into_owned();
                Answer::Error(error)
            }
        };
        exchange
    }

    fn headers(&self, headers: &Headers) -> Headers {
        headers.iter().map(|(name, value)| (self.name(name), self.text(value))).collect()
    }

    fn body(&self, body: &Body, end: End) -> Body {
        match self.apply(body.bytes(), self.found(body.bytes(), end)) {
            Cow::Borrowed(_) => body.clone(),
            Cow::Owned(bytes) => bytes.into(),
        }
    }

    /// Where credentials are written, in order, without overlaps.
    fn found(&self, bytes: &[u8], end: End) -> Vec<Found> {
        let Some(search) = self.search.get_or_init(|| self.build()) else { return Vec::new() };
        let mut found: Vec<Found> = Vec::new();
        readings(bytes, &mut |read, written| {
            let mut from = 0;
            // From the next byte on: a match that does not count must not hide one that begins inside it.
            while let Some(matched) = search.find(Input::new(read).range(from..)) {
                from = matched.start() + 1;
                let form = matched.pattern().as_usize();
                if self.counts(form, read, matched.range()) {
                    found.push((written(matched.range()), form));
                }
            }
            if end == End::Cut
                && let Some((begun, form)) = self.begun_at_end(read)
            {
                found.push((written(read.len() - begun..read.len()), form));
            }
        });
        merged(found)
    }

    fn build(&self) -> Option<AhoCorasick> {
        if self.forms.is_empty() {
            return None;
        }
        let texts = self.forms.iter().map(|form| form.text.as_slice());
        AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts).ok()
    }

    /// Whether a match is a credential, and not part of a longer word, nor a name.
    fn counts(&self, form: usize, text: &[u8], at: Range<usize>) -> bool {
        let form = &self.forms[form];
        if !form.is_short {
            return true;
        }
        stands_alone(text, &at) && !(form.is_word() && is_member_name(text, &at))
    }

    /// The length of the longest beginning of a credential with which a text ends.
    fn begun_at_end(&self, text: &[u8]) -> Option<(usize, usize)> {
        let begun = self.forms.iter().enumerate().filter_map(|(index, form)| {
            let longest = form.text.len().min(text.len());
            let length = (SHORTEST..longest).rev().find(|length| text.ends_with(&form.text[..*length]))?;
            Some((length, index))
        });
        begun.max()
    }

    fn apply<'t>(&self, bytes: &'t [u8], found: Vec<Found>) -> Cow<'t, [u8]> {
        if found.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut masked: Vec<u8> = Vec::with_capacity(bytes.len());
        let mut copied = 0;
        for (at, form) in found {
            masked.extend_from_slice(&bytes[copied..at.start]);
            let quote: &[u8] = if is_bare_json(bytes, &at) { b"\"" } else { b"" };
            masked.extend_from_slice(quote);
            masked.extend_from_slice(self.forms[form].mask.as_bytes());
            masked.extend_from_slice(quote);
            copied = at.end;
        }
        masked.extend_from_slice(&bytes[copied..]);
        Cow::Owned(masked)
    }
}

/// In order, overlapping ones as one that is named after the longest.
fn merged(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|(a, _), (b, _)| a.start.cmp(&b.start).then(b.end.cmp(&a.end)));
    let mut merged: Vec<Found> = Vec::with_capacity(found.len());
    for (at, form) in found {
        match merged.last_mut() {
            Some((last, _)) if at.start < last.end => last.end = last.end.max(at.end),
            _ => merged.push((at, form)),
        }
    }
    merged
}

fn lossy<'t>(text: &'t str, bytes: Cow<'_, [u8]>) -> Cow<'t, str> {
    match bytes {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn stands_alone(bytes: &[u8], at: &Range<usize>) -> bool {
    let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    !joins(at.start.checked_sub(1).and_then(|i| bytes.get(i))) && !joins(bytes.get(at.end))
}

/// True for `"word":`.
fn is_member_name(bytes: &[u8], at: &Range<usize>) -> bool {
    let opened = at.start.checked_sub(1).is_some_and(|before| bytes[before] == b'"');
    let mut behind = bytes[at.end..].iter().skip_while(|byte| **byte == b'\\');
    opened && behind.next() == Some(&b'"') && behind.find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
}

/// True for a number that stands in JSON without quotes.
fn is_bare_json(bytes: &[u8], at: &Range<usize>) -> bool {
    if !bytes[at.clone()].iter().all(|byte| byte.is_ascii_digit()) || !starts_json(bytes) {
        return false;
    }
    let before = bytes[..at.start].iter().rev().find(|byte| !byte.is_ascii_whitespace());
    let behind = bytes[at.end..].iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(before, Some(b':' | b'[' | b',')) && matches!(behind, Some(b',' | b']' | b'}'))
}

pub(crate) fn starts_json(bytes: &[u8]) -> bool {
    matches!(bytes.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['))
}
