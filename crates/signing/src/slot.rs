//! Where timestamp, nonce, key id and signature stand in a request, and how they are written there.

use std::fmt;

use model::SignedPlace;
use model::{Place, Request};
use serde::Serialize;

use crate::formula::{Formula, FormulaError, Piece, Variable};
use crate::seen::{self, Seen};

/// A place in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spot {
    /// A header.
    Header(String),
    /// A query parameter.
    Query(String),
    /// A field of an urlencoded body.
    Form(String),
}

impl Spot {
    /// True if both are headers, both query parameters, or both fields of a form.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// The value in this place: of a header the first, of a parameter decoded.
    pub(crate) fn read(&self, request: &Request) -> Option<String> {
        match self {
            Self::Header(name) => request.headers.first(name).map(Into::into),
            Self::Query(name) => seen::param(request, name),
            Self::Form(name) => {
                seen::pairs(request.body.bytes()).into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
            }
        }
    }

    /// Puts a value here, replacing what stands in this place. A query parameter becomes the last
    /// one, a form field the first one.
    pub(crate) fn write(&self, request: &mut Request, value: &str) {
        match self {
            Self::Header(name) => request.headers.set(name, value),
            Self::Query(name) => {
                seen::without_param(request, name);
                if request.target.ends_with('?') {
                    request.target.pop();
                }
                *request = request.clone().with_query(name, value);
            }
            Self::Form(name) => {
                let others = seen::pairs(request.body.bytes()).into_iter().filter(|(n, _)| n != name);
                request.body = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair(name, value)
                    .extend_pairs(others)
                    .finish()
                    .into();
                if !request.headers.contains("content-type") {
                    request.headers.push("Content-Type", "application/x-www-form-urlencoded");
                }
            }
        }
    }

    /// Takes the value out, so that the rest of the request is what was signed.
    pub(crate) fn clear(&self, request: &mut Request) {
        match self {
            Self::Header(name) => request.headers.remove(name),
            Self::Query(name) => seen::without_param(request, name),
            Self::Form(_) => {}
        }
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header {name}"),
            Self::Query(name) => write!(f, "query parameter {name}"),
            Self::Form(name) => write!(f, "form field {name}"),
        }
    }
}

/// When a slot is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filled {
    /// In every request.
    #[default]
    Always,
    /// In requests with a body that is no urlencoded form.
    UnlessForm,
}

/// One place and the template of what stands there, such as `t={ts},v1={sig}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Slot {
    /// The place.
    pub spot: Spot,
    /// What stands there.
    pub template: Formula,
    /// When.
    pub filled: Filled,
}

impl Slot {
    /// A header with a template.
    ///
    /// # Errors
    /// Where the template cannot be read.
    pub fn header(name: &str, template: &str) -> Result<Self, FormulaError> {
        Self::new(Spot::Header(name.into()), template)
    }

    /// A query parameter with a template.
    ///
    /// # Errors
    /// Where the template cannot be read.
    pub fn query(name: &str, template: &str) -> Result<Self, FormulaError> {
        Self::new(Spot::Query(name.into()), template)
    }

    /// Any place with a template.
    ///
    /// # Errors
    /// Where the template cannot be read.
    pub fn new(spot: Spot, template: &str) -> Result<Self, FormulaError> {
        Ok(Self { spot, template: Formula::template(template)?, filled: Filled::Always })
    }

    /// The place of one value, so that it can be changed after signing; none in a body, and none where
    /// no fixed text tells it from its neighbor.
    pub(crate) fn place_of(&self, variable: &Variable) -> Option<SignedPlace> {
        let pieces = &self.template.pieces;
        let at = pieces.iter().position(|piece| matches!(piece, Piece::Value(own) if own == variable))?;
        let before = match at.checked_sub(1).map(|before| &pieces[before]) {
            Some(Piece::Text(text)) => text.as_str(),
            Some(Piece::Value(_) | Piece::Call(..)) => return None,
            None => "",
        };
        // One value after a fixed text, such as `sha256={sig}`, or a member of a list, such as `t={ts},v1={sig}`.
        let is_alone = pieces.iter().all(|piece| matches!(piece, Piece::Text(_)) || *piece == pieces[at]);
        let prefix = if is_alone { before.to_owned() } else { String::new() };
        let place = match &self.spot {
            Spot::Header(name) => Place::Header { name: name.clone(), prefix },
            Spot::Query(name) if prefix.is_empty() => Place::Query { name: name.clone() },
            Spot::Query(_) | Spot::Form(_) => return None,
        };
        Some(SignedPlace { place, member: if is_alone { None } else { Some(self.member(at, before)?) } })
    }

    /// How the value of a piece is told from the others: by its name (`v1` of `t={ts},v1={sig}`), or by
    /// the text around it (`HMAC {*}:{}` for the signature of `HMAC {ts}:{sig}`).
    fn member(&self, at: usize, before: &str) -> Option<String> {
        let pieces = &self.template.pieces;
        if let Some(named) = before.trim_end_matches(['"', ':']).strip_suffix('=') {
            return named.rsplit([',', ';', ' ']).next().filter(|name| !name.is_empty()).map(ToOwned::to_owned);
        }
        let is_text = |piece: &Piece| matches!(piece, Piece::Text(_));
        if pieces.windows(2).any(|pair| !is_text(&pair[0]) && !is_text(&pair[1])) {
            return None;
        }
        let part = |(position, piece): (usize, &Piece)| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Value(_) | Piece::Call(..) if position == at => "{}".into(),
            Piece::Value(_) | Piece::Call(..) => "{*}".into(),
        };
        Some(pieces.iter().enumerate().map(part).collect())
    }

    /// The place, where a digest of the body alone stands there.
    pub(crate) fn digest_place(&self) -> Option<SignedPlace> {
        let is_digest = self.is_derived() && self.template.variables() == [&Variable::Body];
        match &self.spot {
            Spot::Header(name) if is_digest => Some(SignedPlace::header(name)),
            Spot::Query(name) if is_digest => Some(SignedPlace::query(name)),
            Spot::Header(_) | Spot::Query(_) | Spot::Form(_) => None,
        }
    }

    /// True if this variable stands in the slot.
    pub(crate) fn holds(&self, variable: &Variable) -> bool {
        self.template.variables().contains(&variable)
    }

    /// True where the value is computed from the request alone, such as a digest of the body.
    pub(crate) fn is_derived(&self) -> bool {
        use Variable::{Date, KeyId, Nonce, Signature, Timestamp};
        !self.template.variables().iter().any(|v| matches!(v, Timestamp | Date | Nonce | KeyId | Signature))
    }

    pub(crate) fn is_filled_in(&self, request: &Request) -> bool {
        match self.filled {
            Filled::Always => true,
            Filled::UnlessForm => !request.body.is_empty() && !seen::is_form(request),
        }
    }

    pub(crate) fn render(&self, seen: &Seen<'_>) -> String {
        String::from_utf8_lossy(&seen.render(&self.template)).into_owned()
    }

    /// What a value holds in the template's variables; `None` where it is not of this form.
    pub(crate) fn capture(&self, value: &str) -> Option<Captured> {
        let mut captured = Captured::default();
        let pieces = &self.template.pieces;
        if let Some(fields) = fields(pieces) {
            for part in value.split(',') {
                let (name, value) = part.trim().split_once('=')?;
                if let Some((_, variable)) = fields.iter().find(|(field, _)| *field == name) {
                    captured.take(variable, value);
                }
            }
        } else {
            for token in value.split_ascii_whitespace().chain([value]) {
                if let Some(found) = whole(pieces, token) {
                    found.into_iter().for_each(|(variable, value)| captured.take(variable, value));
                }
            }
        }
        let is_complete = self.template.variables().iter().all(|v| captured.has(v));
        is_complete.then_some(captured)
    }
}

/// What slots gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Captured {
    pub(crate) timestamp: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) signatures: Vec<String>,
}

impl Captured {
    fn take(&mut self, variable: &Variable, value: &str) {
        match variable {
            Variable::Timestamp => self.timestamp = Some(value.into()),
            Variable::Nonce => self.nonce = Some(value.into()),
            Variable::KeyId => self.key_id = Some(value.into()),
            Variable::Signature if !self.signatures.iter().any(|s| s == value) => self.signatures.push(value.into()),
            _ => {}
        }
    }

    fn has(&self, variable: &Variable) -> bool {
        match variable {
            Variable::Timestamp => self.timestamp.is_some(),
            Variable::Nonce => self.nonce.is_some(),
            Variable::KeyId => self.key_id.is_some(),
            Variable::Signature => !self.signatures.is_empty(),
            _ => true,
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.timestamp = other.timestamp.or(self.timestamp.take());
        self.nonce = other.nonce.or(self.nonce.take());
        self.key_id = other.key_id.or(self.key_id.take());
        self.signatures.extend(other.signatures);
    }
}

/// The fields of a template such as `t={ts},v1={sig}`, whose values may come in any order and
/// more than once.
fn fields(pieces: &[Piece]) -> Option<Vec<(&str, &Variable)>> {
    let mut fields = Vec::new();
    let (pairs, rest) = pieces.as_chunks::<2>();
    if !rest.is_empty() || pairs.len() < 2 {
        return None;
    }
    for (position, pair) in pairs.iter().enumerate() {
        let [Piece::Text(label), Piece::Value(variable)] = pair else { return None };
        let label = if position == 0 { label.as_str() } else { label.strip_prefix(',')?.trim_start() };
        fields.push((label.strip_suffix('=')?, variable));
    }
    Some(fields)
}

/// The variables of a template that a whole value matches, each ending where the next text begins.
fn whole<'a, 'v>(pieces: &'a [Piece], value: &'v str) -> Option<Vec<(&'a Variable, &'v str)>> {
    let mut rest = value;
    let mut found = Vec::new();
    for (position, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => rest = rest.strip_prefix(text.as_str())?,
            Piece::Value(_) | Piece::Call(..) => {
                let end = match pieces.get(position + 1) {
                    Some(Piece::Text(text)) => rest.find(text.as_str())?,
                    Some(_) => return None,
                    None => rest.len(),
                };
                let (taken, after) = rest.split_at(end);
                rest = after;
                if let Piece::Value(variable) = piece {
                    found.push((variable, taken));
                }
            }
        }
    }
    rest.is_empty().then_some(found)
}
