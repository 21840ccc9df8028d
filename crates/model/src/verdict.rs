//! What a judge says of an observation.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::meta::Variant;
use crate::severity::Confidence;

/// At least one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct NonEmpty<T>(Vec<T>);

impl<T> NonEmpty<T> {
    /// A single value.
    pub fn one(value: T) -> Self {
        Self(vec![value])
    }

    /// The values, or `None` if there is none.
    pub fn of(values: Vec<T>) -> Option<Self> {
        if values.is_empty() { None } else { Some(Self(values)) }
    }
}

impl<T> std::ops::Deref for NonEmpty<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> IntoIterator for NonEmpty<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for NonEmpty<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Vec::deserialize(deserializer)?).ok_or_else(|| serde::de::Error::custom("an empty list"))
    }
}

/// Where in the API a flaw sits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Location {
    /// The operation, origin or identity as a whole.
    #[default]
    Whole,
    /// A path, query, header or cookie parameter by name.
    Parameter(String),
    /// A request header.
    RequestHeader(String),
    /// A response header.
    ResponseHeader(String),
    /// A JSON pointer into the response body; array indexes are `*`.
    ResponseBody(String),
    /// A JSON pointer into the description.
    Description(String),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => Ok(()),
            Self::Parameter(name) => write!(f, "parameter {name}"),
            Self::RequestHeader(name) => write!(f, "request header {name}"),
            Self::ResponseHeader(name) => write!(f, "response header {name}"),
            Self::ResponseBody(pointer) if pointer.is_empty() => f.write_str("response body"),
            Self::ResponseBody(pointer) => write!(f, "response body {pointer}"),
            Self::Description(pointer) => write!(f, "description {pointer}"),
        }
    }
}

/// The decisive part of an exchange, for people to see at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mark {
    /// Field of the observation that holds the exchange.
    pub role: String,
    /// Text that stands in it, as recorded.
    pub text: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flaw {
    /// Name of a variant of the check's META: decides the severity.
    pub variant: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// What groups flaws across operations into one finding; stable across scans, never a URL,
    /// payload or value.
    pub cause: String,
    /// Where it sits.
    #[serde(default)]
    pub location: Location,
    /// What was seen, in one sentence without a full stop.
    pub message: String,
    /// What to look at in the exchanges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
}

impl Flaw {
    /// A confirmed flaw of the subject as a whole.
    pub fn new(variant: &Variant, cause: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            variant: variant.name.into(),
            confidence: Confidence::Confirmed,
            cause: cause.into(),
            location: Location::Whole,
            message: message.into(),
            marks: Vec::new(),
        }
    }

    /// The same flaw, at a place.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = location;
        self
    }

    /// The same flaw, less or more sure.
    #[must_use]
    pub fn with_confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// The same flaw, pointing at text in the exchange of this role.
    #[must_use]
    pub fn mark(mut self, role: &str, text: impl Into<String>) -> Self {
        self.marks.push(Mark { role: role.into(), text: text.into() });
        self
    }
}

/// The answer to a check's question about one subject.
///
/// **Source**: verdicts of ETSI TTCN-3 (ES 201 873-1, section 24), named as SARIF 2.1.0 `kind`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// The weakness is not there.
    Pass {
        /// What people may want to know all the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The weakness is there.
    Fail {
        /// What exactly is wrong.
        flaws: NonEmpty<Flaw>,
    },
    /// The observation fits no class: it says neither.
    Inconclusive {
        /// Why.
        reason: String,
    },
    /// The question does not arise.
    NotApplicable {
        /// Why.
        reason: String,
    },
}

impl Verdict {
    /// The weakness is not there.
    pub fn pass() -> Self {
        Self::Pass { note: None }
    }

    /// One flaw.
    pub fn fail(flaw: Flaw) -> Self {
        Self::Fail { flaws: NonEmpty::one(flaw) }
    }

    /// These flaws, or a pass where there is none.
    pub fn of_flaws(flaws: Vec<Flaw>) -> Self {
        NonEmpty::of(flaws).map_or_else(Self::pass, |flaws| Self::Fail { flaws })
    }

    /// Says neither, and why.
    pub fn inconclusive(reason: impl Into<String>) -> Self {
        Self::Inconclusive { reason: reason.into() }
    }

    /// The word of the verdict, as used in JSON and as the first word of an example's heading.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "pass",
            Self::Fail { .. } => "fail",
            Self::Inconclusive { .. } => "inconclusive",
            Self::NotApplicable { .. } => "not-applicable",
        }
    }

    /// The flaws of a fail.
    pub fn flaws(&self) -> &[Flaw] {
        match self {
            Self::Fail { flaws } => flaws,
            Self::Pass { .. } | Self::Inconclusive { .. } | Self::NotApplicable { .. } => &[],
        }
    }
}
