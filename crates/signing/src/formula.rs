//! The language of canonical strings: `{ts}\n{METHOD}\n{path_query}\n{sha256hex(body)}`.
//!
//! Text stands for itself; `{…}` holds a variable, `header(Name)`, `param(name)`, or a function of
//! one or more values, which are joined: `{sha256(nonce, body)}`. A quoted text is a value too.
//! `{{` and `}}` are braces; `\n`, `\r`, `\t` and `\\` are what they are in most languages.

use std::fmt;
use std::str::{CharIndices, FromStr};

use serde::{Serialize, Serializer};

use crate::algorithm::Hash;

/// Levels of nested functions that a formula may have.
///
/// **Source**: chosen.
const MAX_DEPTH: usize = 16;

/// A parsed canonical formula. Its `Display` is the text that it was parsed from.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Formula {
    text: String,
    pub(crate) pieces: Vec<Piece>,
}

/// One part of a formula.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Piece {
    Text(String),
    Value(Variable),
    Call(Function, Vec<Piece>),
}

/// A value taken from the request or from its stamp.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Variable {
    /// `ts`: the timestamp, as sent.
    Timestamp,
    /// `date`: the timestamp's day, `YYYYMMDD` in UTC.
    Date,
    /// `nonce`.
    Nonce,
    /// `key_id`.
    KeyId,
    /// `sig`: the signature; in templates only.
    Signature,
    /// `METHOD`: in upper case.
    Method,
    /// `method`: in lower case.
    MethodLower,
    /// `path`: percent-decoded, bytes that are not UTF-8 as U+FFFD (as WSGI servers show it).
    Path,
    /// `raw_path`: as sent.
    RawPath,
    /// `query`: as sent, without `?`, without the signature's own parameter.
    Query,
    /// `sorted_query`: the pairs of `query` in byte order.
    SortedQuery,
    /// `joined_query`: the decoded pairs `name=value` of `query`, values of one name joined by `,`, in
    /// byte order, without separators.
    JoinedQuery,
    /// `path_query`: `raw_path`, and `?query` where there is one.
    PathQuery,
    /// `host`: with the port unless it is the scheme's own.
    Host,
    /// `hostname`: without the port.
    HostName,
    /// `port`.
    Port,
    /// `scheme`: `http` or `https`.
    Scheme,
    /// `url`: scheme, host, path and query.
    Url,
    /// `body`: its bytes.
    Body,
    /// `content_type`: the header, as sent.
    ContentType,
    /// `media_type`: the content type in lower case without parameters.
    MediaType,
    /// `form`: names and values of an urlencoded body, decoded, sorted by name, without separators.
    Form,
    /// `header(Name)`: the values of a header, joined by `, `.
    Header(String),
    /// `param(name)`: the decoded value of the first query parameter of this name.
    Param(String),
}

/// What a function does to its joined values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    Hash(Hash, Form),
    Hex,
    Base64,
    Lower,
    Upper,
    Text,
}

/// How the hash's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    Raw,
    Hex,
    Base64,
}

/// Plain variables by their names.
const VARIABLES: &[(&str, Variable)] = &[
    ("ts", Variable::Timestamp),
    ("date", Variable::Date),
    ("nonce", Variable::Nonce),
    ("key_id", Variable::KeyId),
    ("METHOD", Variable::Method),
    ("method", Variable::MethodLower),
    ("path", Variable::Path),
    ("raw_path", Variable::RawPath),
    ("query", Variable::Query),
    ("sorted_query", Variable::SortedQuery),
    ("joined_query", Variable::JoinedQuery),
    ("path_query", Variable::PathQuery),
    ("host", Variable::Host),
    ("hostname", Variable::HostName),
    ("port", Variable::Port),
    ("scheme", Variable::Scheme),
    ("url", Variable::Url),
    ("body", Variable::Body),
    ("content_type", Variable::ContentType),
    ("media_type", Variable::MediaType),
    ("form", Variable::Form),
];

const FUNCTIONS: &[(&str, Function)] = &[
    ("sha256hex", Function::Hash(Hash::Sha256, Form::Hex)),
    ("sha256b64", Function::Hash(Hash::Sha256, Form::Base64)),
    ("sha256", Function::Hash(Hash::Sha256, Form::Raw)),
    ("sha1hex", Function::Hash(Hash::Sha1, Form::Hex)),
    ("sha1b64", Function::Hash(Hash::Sha1, Form::Base64)),
    ("sha1", Function::Hash(Hash::Sha1, Form::Raw)),
    ("sha384hex", Function::Hash(Hash::Sha384, Form::Hex)),
    ("sha384b64", Function::Hash(Hash::Sha384, Form::Base64)),
    ("sha384", Function::Hash(Hash::Sha384, Form::Raw)),
    ("sha512hex", Function::Hash(Hash::Sha512, Form::Hex)),
    ("sha512b64", Function::Hash(Hash::Sha512, Form::Base64)),
    ("sha512", Function::Hash(Hash::Sha512, Form::Raw)),
    ("md5hex", Function::Hash(Hash::Md5, Form::Hex)),
    ("md5b64", Function::Hash(Hash::Md5, Form::Base64)),
    ("md5", Function::Hash(Hash::Md5, Form::Raw)),
    ("hex", Function::Hex),
    ("b64", Function::Base64),
    ("lower", Function::Lower),
    ("upper", Function::Upper),
    ("text", Function::Text),
];

/// Why a formula cannot be read, and where: `position` counts characters from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormulaError {
    /// No variable or function of this name.
    #[error("`{name}` at position {position} is no part of a request{}", hint(nearest.as_deref()))]
    UnknownName {
        /// Where it begins.
        position: usize,
        /// As written.
        name: String,
        /// The nearest name that there is.
        nearest: Option<String>,
    },
    /// A brace, parenthesis or quote without its end.
    #[error("`{opened}` at position {position} is never closed")]
    Unclosed {
        /// Where it stands.
        position: usize,
        /// What was opened.
        opened: char,
    },
    /// Something else was expected here.
    #[error("expected {expected} at position {position}, found `{found}`")]
    Unexpected {
        /// Where it stands.
        position: usize,
        /// What is there; empty at the end.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
    /// A backslash before a character that it does not change.
    #[error("`\\{found}` at position {position} means nothing; `\\n`, `\\r`, `\\t` and `\\\\` do")]
    Escape {
        /// Where the backslash stands.
        position: usize,
        /// What follows it.
        found: String,
    },
    /// Functions nested beyond the limit.
    #[error("functions at position {position} are nested more than {MAX_DEPTH} levels deep")]
    TooDeep {
        /// Where the limit is passed.
        position: usize,
    },
    /// A formula without any part of the request.
    #[error("the formula holds no part of a request")]
    Constant,
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map(|n| format!("; did you mean `{n}`?")).unwrap_or_default()
}

impl Formula {
    /// The text that it was parsed from.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The variables of the formula, in order, those inside functions too.
    pub fn variables(&self) -> Vec<&Variable> {
        fn walk<'a>(pieces: &'a [Piece], found: &mut Vec<&'a Variable>) {
            for piece in pieces {
                match piece {
                    Piece::Text(_) => {}
                    Piece::Value(variable) => found.push(variable),
                    Piece::Call(_, values) => walk(values, found),
                }
            }
        }
        let mut found = Vec::new();
        walk(&self.pieces, &mut found);
        found
    }

    /// Puts a fixed text in place of a variable; the formula's own text stays.
    pub(crate) fn fix(&mut self, variable: &Variable, text: &str) {
        fn walk(pieces: &mut [Piece], variable: &Variable, text: &str) {
            for piece in pieces {
                match piece {
                    Piece::Text(_) => {}
                    Piece::Value(own) if own == variable => *piece = Piece::Text(text.to_owned()),
                    Piece::Value(_) => {}
                    Piece::Call(_, values) => walk(values, variable, text),
                }
            }
        }
        walk(&mut self.pieces, variable, text);
    }

    /// The formula of a header's value: as a canonical formula, with `{sig}`, and constants are fine.
    ///
    /// # Errors
    /// As [`Formula::from_str`].
    pub fn template(text: &str) -> Result<Self, FormulaError> {
        let pieces = Parser { text, chars: text.char_indices(), position: 0, with_signature: true }.formula()?;
        Ok(Self { text: text.to_owned(), pieces })
    }
}

impl FromStr for Formula {
    type Err = FormulaError;

    fn from_str(text: &str) -> Result<Self, FormulaError> {
        let pieces = Parser { text, chars: text.char_indices(), position: 0, with_signature: false }.formula()?;
        let formula = Self { text: text.to_owned(), pieces };
        if formula.variables().is_empty() { Err(FormulaError::Constant) } else { Ok(formula) }
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t"))
    }
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl Serialize for Formula {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Variable {
    /// As it is written in a formula.
    pub fn name(&self) -> String {
        match self {
            Self::Header(name) => format!("header({name})"),
            Self::Param(name) => format!("param({name})"),
            Self::Signature => "sig".into(),
            plain => VARIABLES.iter().find(|(_, v)| v == plain).map_or("", |(n, _)| n).to_owned(),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    chars: CharIndices<'a>,
    position: usize,
    with_signature: bool,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<char> {
        self.chars.clone().next().map(|(_, c)| c)
    }

    fn next(&mut self) -> Option<char> {
        let (_, c) = self.chars.next()?;
        self.position += 1;
        Some(c)
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(' ') {
            self.next();
        }
    }

    fn unexpected(&self, expected: &'static str) -> FormulaError {
        let found = self.peek().map(String::from).unwrap_or_default();
        FormulaError::Unexpected { position: self.position, found, expected }
    }

    fn formula(&mut self) -> Result<Vec<Piece>, FormulaError> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '{' if self.peek() == Some('{') => {
                    self.next();
                    text.push('{');
                }
                '}' if self.peek() == Some('}') => {
                    self.next();
                    text.push('}');
                }
                '{' => {
                    if !text.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut text)));
                    }
                    let opened = self.position - 1;
                    pieces.push(self.value(0, opened)?);
                    self.skip_spaces();
                    match self.next() {
                        Some('}') => {}
                        None => return Err(FormulaError::Unclosed { position: opened, opened: '{' }),
                        Some(c) => {
                            let position = self.position - 1;
                            return Err(FormulaError::Unexpected { position, found: c.into(), expected: "`}`" });
                        }
                    }
                }
                '}' => {
                    let position = self.position - 1;
                    return Err(FormulaError::Unexpected {
                        position,
                        found: "}".into(),
                        expected: "text (a closing brace is written `}}`)",
                    });
                }
                '\\' => text.push(self.escape()?),
                c => text.push(c),
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(pieces)
    }

    fn escape(&mut self) -> Result<char, FormulaError> {
        let position = self.position - 1;
        match self.next() {
            Some('n') => Ok('\n'),
            Some('r') => Ok('\r'),
            Some('t') => Ok('\t'),
            Some('\\') => Ok('\\'),
            other => Err(FormulaError::Escape { position, found: other.map(String::from).unwrap_or_default() }),
        }
    }

    fn word(&mut self) -> (usize, &'a str) {
        let start = self.position;
        let from = self.chars.offset();
        while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-') {
            self.next();
        }
        (start, &self.text[from..self.chars.offset()])
    }

    fn value(&mut self, depth: usize, opened: usize) -> Result<Piece, FormulaError> {
        if depth > MAX_DEPTH {
            return Err(FormulaError::TooDeep { position: self.position });
        }
        self.skip_spaces();
        if let Some(quote @ ('\'' | '"')) = self.peek() {
            return self.quoted(quote);
        }
        let (position, name) = self.word();
        if name.is_empty() {
            return Err(match self.peek() {
                None => FormulaError::Unclosed { position: opened, opened: '{' },
                Some(_) => self.unexpected("a name such as `path`"),
            });
        }
        if self.peek() == Some('(') {
            return self.call(name, position, depth);
        }
        if name == "sig" && self.with_signature {
            return Ok(Piece::Value(Variable::Signature));
        }
        match VARIABLES.iter().find(|(n, _)| *n == name) {
            Some((_, variable)) => Ok(Piece::Value(variable.clone())),
            None => Err(unknown(name, position)),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Piece, FormulaError> {
        let opened = self.position;
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(FormulaError::Unclosed { position: opened, opened: quote }),
                Some('\\') => text.push(self.escape()?),
                Some(c) if c == quote => return Ok(Piece::Text(text)),
                Some(c) => text.push(c),
            }
        }
    }

    fn call(&mut self, name: &str, position: usize, depth: usize) -> Result<Piece, FormulaError> {
        let opened = self.position;
        self.next();
        if name == "header" || name == "param" {
            self.skip_spaces();
            let (_, argument) = self.word();
            if argument.is_empty() {
                return Err(self.unexpected("a name"));
            }
            self.close(opened)?;
            let argument = argument.to_owned();
            return Ok(Piece::Value(if name == "header" {
                Variable::Header(argument)
            } else {
                Variable::Param(argument)
            }));
        }
        let Some((_, function)) = FUNCTIONS.iter().find(|(n, _)| *n == name) else {
            return Err(unknown(name, position));
        };
        let mut values = vec![self.value(depth + 1, opened)?];
        loop {
            self.skip_spaces();
            if self.peek() != Some(',') {
                break;
            }
            self.next();
            values.push(self.value(depth + 1, opened)?);
        }
        self.close(opened)?;
        Ok(Piece::Call(*function, values))
    }

    fn close(&mut self, opened: usize) -> Result<(), FormulaError> {
        self.skip_spaces();
        match self.peek() {
            Some(')') => {
                self.next();
                Ok(())
            }
            None => Err(FormulaError::Unclosed { position: opened, opened: '(' }),
            Some(_) => Err(self.unexpected("`,` or `)`")),
        }
    }
}

fn unknown(name: &str, position: usize) -> FormulaError {
    let known = VARIABLES.iter().map(|(n, _)| *n).chain(FUNCTIONS.iter().map(|(n, _)| *n)).chain(["header", "param"]);
    let nearest = known
        .map(|n| (strsim::damerau_levenshtein(n, name), n))
        .min()
        .filter(|(distance, _)| *distance <= 1 + name.chars().count() / 3)
        .map(|(_, n)| n.to_owned());
    FormulaError::UnknownName { position, name: name.to_owned(), nearest }
}
