//! How bad a flaw is: a rating of its CVSS 4.0 vector.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rating of a flaw, worst first.
///
/// **Source**: CVSS v4.0 specification, section 6 (qualitative severity rating scale); `info` is
/// for flaws without a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// 9.0 to 10.0.
    Critical,
    /// 7.0 to 8.9.
    High,
    /// 4.0 to 6.9.
    Medium,
    /// 0.1 to 3.9.
    Low,
    /// No vector: a note.
    Info,
}

impl Severity {
    /// All ratings, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The word used in JSON and in options.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }

    /// The rating of a CVSS 4.0 vector, or `None` where it does not parse.
    pub fn of_vector(vector: &str) -> Option<Self> {
        let score = vector.parse::<cvss::v4::Vector>().ok()?.score().value();
        Some(match score {
            s if s >= 9.0 => Self::Critical,
            s if s >= 7.0 => Self::High,
            s if s >= 4.0 => Self::Medium,
            s if s > 0.0 => Self::Low,
            _ => Self::Info,
        })
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Severity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|s| s.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| format!("`{text}` is none of critical, high, medium, low, info"))
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Proven by the exchanges, with its controls.
    #[default]
    Confirmed,
    /// Strong signs, one control missing.
    Likely,
    /// A sign only; never counts.
    Possible,
}

impl Confidence {
    /// The word used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
