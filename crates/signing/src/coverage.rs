//! Which parts of a request a signature covers.

use std::fmt;

use model::Request;
use serde::Serialize;

use crate::formula::{Formula, Variable};
use crate::slot::{Slot, Spot};

/// A part of a request that a signature may cover.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The method.
    Method,
    /// Scheme, host and port.
    Host,
    /// The path.
    Path,
    /// The query.
    Query,
    /// The content type.
    ContentType,
    /// The body.
    Body,
    /// The timestamp.
    Timestamp,
    /// The nonce.
    Nonce,
    /// The key id.
    KeyId,
    /// Another header, by its name in lower case.
    Header(String),
}

impl Part {
    /// The parts that every coverage row has, in its order.
    pub const ROW: [Self; 9] = [
        Self::Method,
        Self::Host,
        Self::Path,
        Self::Query,
        Self::ContentType,
        Self::Body,
        Self::Timestamp,
        Self::Nonce,
        Self::KeyId,
    ];

    pub(crate) fn of_header(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "host" => Self::Host,
            "content-type" => Self::ContentType,
            name => Self::Header(name.to_owned()),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method => f.write_str("method"),
            Self::Host => f.write_str("host"),
            Self::Path => f.write_str("path"),
            Self::Query => f.write_str("query"),
            Self::ContentType => f.write_str("content type"),
            Self::Body => f.write_str("body"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Nonce => f.write_str("nonce"),
            Self::KeyId => f.write_str("key id"),
            Self::Header(name) => write!(f, "header {name}"),
        }
    }
}

/// Whether a signature covers a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "why")]
pub enum Covered {
    /// It does.
    Yes,
    /// It does not: whoever holds the request can change this part.
    No,
    /// The request cannot tell, for this reason.
    Undecidable(&'static str),
    /// The scheme's requests have no such part.
    Absent,
}

/// One row of a coverage map: what the signature of one request covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage(pub Vec<(Part, Covered)>);

impl Coverage {
    /// The row of a request whose canonical string holds `covers`. What `exact` is true for is said
    /// by a document, so an empty part is decided too.
    pub(crate) fn of(request: &Request, covers: &[Part], has: Stamped, exact: bool) -> Self {
        let row = Part::ROW.into_iter().map(|part| {
            let state = if covers.contains(&part) {
                match empty(request, &part) {
                    Some(why) if !exact => Covered::Undecidable(why),
                    _ => Covered::Yes,
                }
            } else {
                match part {
                    Part::Timestamp if !has.timestamp => Covered::Absent,
                    Part::Nonce if !has.nonce => Covered::Absent,
                    Part::KeyId if !has.key_id => Covered::Absent,
                    _ => match empty(request, &part) {
                        Some(why) if !exact => Covered::Undecidable(why),
                        _ => Covered::No,
                    },
                }
            };
            (part, state)
        });
        let headers = covers.iter().filter(|p| matches!(p, Part::Header(_))).map(|p| (p.clone(), Covered::Yes));
        Self(row.chain(headers).collect())
    }

    /// The state of one part.
    pub fn state(&self, part: &Part) -> Option<Covered> {
        self.0.iter().find(|(p, _)| p == part).map(|(_, state)| *state)
    }

    /// The parts that are not covered.
    pub fn not_covered(&self) -> Vec<Part> {
        self.0.iter().filter(|(_, state)| *state == Covered::No).map(|(part, _)| part.clone()).collect()
    }

    /// The parts of which this request cannot tell, with the reason.
    pub fn undecidable(&self) -> Vec<(Part, &'static str)> {
        self.0
            .iter()
            .filter_map(|(part, state)| match state {
                Covered::Undecidable(why) => Some((part.clone(), *why)),
                Covered::Yes | Covered::No | Covered::Absent => None,
            })
            .collect()
    }
}

/// Which stamps a request carries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamped {
    pub(crate) timestamp: bool,
    pub(crate) nonce: bool,
    pub(crate) key_id: bool,
}

fn empty(request: &Request, part: &Part) -> Option<&'static str> {
    match part {
        Part::Query if request.query().is_none_or(str::is_empty) => Some("the sample has no query"),
        Part::Body if request.body.is_empty() => Some("the sample has no body"),
        Part::ContentType if !request.headers.contains("content-type") => Some("the sample has no content type"),
        _ => None,
    }
}

/// The parts that a formula holds. A slot that is itself covered covers what its template is
/// computed from: a digest header covers the body, a timestamp parameter goes with the query.
pub(crate) fn of_formula(formula: &Formula, slots: &[Slot], request: &Request) -> Vec<Part> {
    let mut parts = Vec::new();
    add(&formula.variables(), &mut parts);
    for slot in slots.iter().filter(|s| s.is_filled_in(request)) {
        let is_covered = match &slot.spot {
            Spot::Header(name) => parts.contains(&Part::of_header(name)),
            Spot::Query(_) => parts.contains(&Part::Query),
            Spot::Form(_) => parts.contains(&Part::Body),
        };
        if is_covered {
            add(&slot.template.variables(), &mut parts);
        }
    }
    parts.sort();
    parts.dedup();
    parts
}

fn add(variables: &[&Variable], parts: &mut Vec<Part>) {
    for variable in variables {
        match variable {
            Variable::Timestamp | Variable::Date => parts.push(Part::Timestamp),
            Variable::Nonce => parts.push(Part::Nonce),
            Variable::KeyId => parts.push(Part::KeyId),
            Variable::Signature => {}
            Variable::Method | Variable::MethodLower => parts.push(Part::Method),
            Variable::Path | Variable::RawPath => parts.push(Part::Path),
            Variable::Query | Variable::SortedQuery | Variable::JoinedQuery => parts.push(Part::Query),
            Variable::PathQuery => parts.extend([Part::Path, Part::Query]),
            Variable::Host | Variable::HostName | Variable::Port | Variable::Scheme => parts.push(Part::Host),
            Variable::Url => parts.extend([Part::Host, Part::Path, Part::Query]),
            Variable::Body | Variable::Form => parts.push(Part::Body),
            Variable::ContentType | Variable::MediaType => parts.push(Part::ContentType),
            Variable::Header(name) => parts.push(Part::of_header(name)),
            // One parameter of the query is not the query.
            Variable::Param(_) => {}
        }
    }
}
