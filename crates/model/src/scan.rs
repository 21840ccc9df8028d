//! The one record of a scan, as it is stored, sent and rendered.
//!
//! Command line, REST, MCP and the Action all return this; none of them computes.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::exchange::{Exchange, OperationKey};
use crate::finding::Finding;
use crate::gate::GateResult;
use crate::http::Origin;
use crate::meta::Mode;
use crate::score::Score;
use crate::verdict::Verdict;

/// Version of the JSON that a [`Scan`] serializes to. Fields are only added within a version.
pub const SCHEMA_VERSION: u32 = 2;

/// What stands behind a mask, for commands that people run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Behind {
    /// The user's environment variable that holds it.
    Variable(String),
    /// A value that the scan made up.
    Value(String),
    /// A credential that stands in no variable.
    Credential,
}

/// What an assessment is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKey {
    /// The API as a whole.
    Target,
    /// One scheme, host and port.
    Origin(String),
    /// One identity, by name.
    Identity(String),
    /// One operation.
    Operation(OperationKey),
    /// One exchange, by id, and the operation that it belongs to.
    Exchange {
        /// The exchange's id.
        id: u32,
        /// The operation, where it belongs to one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        operation: Option<OperationKey>,
        /// Name of the identity that sent it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
    },
}

impl SubjectKey {
    /// The operation that the subject is or belongs to.
    pub fn operation(&self) -> Option<&OperationKey> {
        match self {
            Self::Operation(operation) => Some(operation),
            Self::Exchange { operation, .. } => operation.as_ref(),
            Self::Target | Self::Origin(_) | Self::Identity(_) => None,
        }
    }

    /// The identity that the subject is or belongs to.
    pub fn identity(&self) -> Option<&str> {
        match self {
            Self::Identity(name) => Some(name),
            Self::Exchange { identity, .. } => identity.as_deref(),
            Self::Target | Self::Origin(_) | Self::Operation(_) => None,
        }
    }
}

/// One row of a scan: a check, a subject, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assessment {
    /// Id of the check.
    pub check: String,
    /// What it was asked of.
    pub subject: SubjectKey,
    /// The observation, kept where the verdict is a fail or inconclusive; exchanges are ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observation: Option<Value>,
    /// The answer.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// The program that made a scan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `middlebrick`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What was scanned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetSummary {
    /// As the user typed it.
    pub given: String,
    /// Where requests went.
    pub origin: Option<Origin>,
    /// Path that stands before every operation's path; empty or starting with `/`.
    pub base_path: String,
    /// True where the origin is this machine.
    pub loopback: bool,
    /// The configuration file that was read, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
}

/// How a run ended. Where the run was no scan (usage), this is all that its JSON holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Outcome {
    /// Done, and enough was tested for a verdict.
    #[default]
    #[serde(alias = "complete")]
    Done,
    /// Done, on the part of the API or of the checks that the user asked for: a verdict on that part,
    /// and none on the API.
    Partial {
        /// What was asked for, in one sentence.
        reason: String,
    },
    /// Done or stopped, without enough for a verdict.
    #[serde(alias = "cannot-tell")]
    FellShort {
        /// The kind of reason, for programs.
        #[serde(default)]
        cause: Shortfall,
        /// Why, in one sentence.
        reason: String,
        /// What to try, where something is known to help.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// Stopped by the user.
    Interrupted,
    /// Nothing was scanned: an option, the configuration or the target as typed cannot be used.
    Usage {
        /// What is wrong, in one sentence.
        reason: String,
        /// What to try, where something is known to help.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
}

/// Why a scan fell short of a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shortfall {
    /// There is no connection to the target, or no response on it.
    Unreachable,
    /// No description was found, so what the API consists of is not known.
    NoDescription,
    /// An identity does not work, or operations ask for one and none is given.
    Identity,
    /// The target refuses, limits or fails everybody, or stopped responding.
    Target,
    /// The budget of time or requests was used up.
    Budget,
    /// A check of the program failed by itself.
    Check,
    /// Fewer operations or checks were decided than a verdict needs.
    #[default]
    Coverage,
}

impl Outcome {
    /// A scan that fell short, with what may help.
    pub fn fell_short(cause: Shortfall, reason: impl Into<String>, hint: Option<&str>) -> Self {
        Self::FellShort { cause, reason: reason.into(), hint: hint.map(Into::into) }
    }

    /// Nothing was scanned.
    pub fn usage(reason: impl Into<String>, hint: Option<String>) -> Self {
        Self::Usage { reason: reason.into(), hint }
    }

    /// Why the run is no whole scan, in one sentence; none where it is one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Interrupted => Some("the scan was stopped"),
            Self::Partial { reason } | Self::FellShort { reason, .. } | Self::Usage { reason, .. } => Some(reason),
        }
    }

    /// The process's exit code: 0 done and no condition failed, 1 a condition failed, 2 fell short of a
    /// verdict, a condition that could not be judged, or nothing scanned, 130 interrupted.
    ///
    /// **Source**: docs/scoring.md; 130 is 128 + SIGINT, as shells report it.
    pub fn exit_code(&self, gate: &GateResult) -> u8 {
        match self {
            Self::Interrupted => 130,
            Self::Usage { .. } => 2,
            Self::Done | Self::Partial { .. } | Self::FellShort { .. } if gate.failed() => 1,
            Self::Done | Self::Partial { .. } if gate.held() => 0,
            Self::Done | Self::Partial { .. } | Self::FellShort { .. } => 2,
        }
    }

    /// What to try, where something is known to help.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Done | Self::Interrupted | Self::Partial { .. } => None,
            Self::FellShort { hint, .. } | Self::Usage { hint, .. } => hint.as_deref(),
        }
    }
}

/// Requests by what they were made for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequestCounts {
    /// All of them.
    pub total: u32,
    /// Looking for the description.
    #[serde(default)]
    pub description: u32,
    /// Getting or refreshing credentials.
    pub sign_in: u32,
    /// Finding out what works.
    pub survey: u32,
    /// Observing for checks.
    pub check: u32,
}

/// One identity of the scan. Holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentitySummary {
    /// Name in the configuration.
    pub name: String,
    /// Role, where the user states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Where its credentials stand, such as `header X-API-Key`.
    pub credentials: Vec<String>,
    /// True if it gets past a refusal that a request without credentials gets, or if nothing refuses
    /// anybody.
    pub alive: bool,
    /// What shows that it is alive, or why it is not.
    pub note: String,
}

/// An oddity in the description or in what the scan met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Document and JSON pointer, where it has a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What is odd.
    pub message: String,
}

/// What the description holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventorySummary {
    /// Such as `OpenAPI 3.0`; absent where no description was found.
    pub format: Option<String>,
    /// Title of the API.
    pub title: Option<String>,
    /// Version of the API.
    pub version: Option<String>,
    /// Operations.
    pub operations: usize,
    /// Operations that read.
    pub reading: usize,
    /// References.
    pub references: usize,
    /// Oddities.
    pub warnings: Vec<Warning>,
}

/// How many assessments of a check ended in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoverageRow {
    /// Id of the check.
    pub check: String,
    /// Word of the verdict.
    pub verdict: String,
    /// Why, for inconclusive and not applicable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often.
    pub count: u32,
}

/// An operation that was not tested, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Untested {
    /// The operation.
    pub operation: OperationKey,
    /// Why, in one sentence.
    pub reason: String,
}

/// How much of the API the verdict rests on.
///
/// An operation is *tested* where it has a working request, where it is the sign-in that worked, or where
/// it refused a request without invented values of an identity that is shown to work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// `assessments_ratio` times `operations_ratio`, 0.0 to 1.0.
    pub ratio: f64,
    /// Decided assessments among the decided and inconclusive.
    pub assessments_ratio: f64,
    /// Tested operations among all that are described; one whose response was not read to its end counts
    /// in part.
    pub operations_ratio: f64,
    /// The same among those that the mode may send.
    #[serde(default)]
    pub sendable_ratio: f64,
    /// Operations of the description, those included that the user left out.
    #[serde(default)]
    pub described: usize,
    /// Operations that the mode may send.
    pub sendable: usize,
    /// Operations that were tested.
    #[serde(default)]
    pub tested: usize,
    /// Of these, with a working request.
    pub working: usize,
    /// Of these, refused for every identity given.
    pub refused: usize,
    /// Checks with at least one decided assessment.
    pub checks_decided: usize,
    /// Checks that had a subject.
    pub checks_asked: usize,
    /// Sendable operations that were not tested.
    pub unreachable: Vec<Untested>,
    /// Tested operations whose responses were not read to their end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partly: Vec<Untested>,
    /// Operations that the user left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<OperationKey>,
    /// Checks that the user skipped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
    /// How the assessments ended, by check, verdict and reason.
    pub rows: Vec<CoverageRow>,
    /// Questions that no check of the scan asks at all, such as `authorization between users (BOLA, BFLA)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unasked: Vec<String>,
    /// What was not tested at all and how to change that, in sentences.
    pub untested: Vec<String>,
}

/// A part of a request that a signature may cover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each name is the part")]
pub enum SignedPart {
    Method,
    Host,
    Path,
    Query,
    ContentType,
    Headers,
    Body,
    Timestamp,
    Nonce,
}

impl SignedPart {
    /// The words used in text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Host => "host",
            Self::Path => "path",
            Self::Query => "query",
            Self::ContentType => "content type",
            Self::Headers => "headers",
            Self::Body => "body",
            Self::Timestamp => "timestamp",
            Self::Nonce => "nonce",
        }
    }
}

/// Whether a signature covers a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Covered {
    /// A signature that was made for another value of it is refused.
    Covered,
    /// A signature that was made for another value of it is accepted.
    NotCovered,
    /// Neither could be shown.
    NotTestable,
}

/// What the signatures of an identity cover of one operation's requests, part by part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct SignatureCoverage {
    /// Name of the identity that signs.
    pub identity: String,
    /// The operation.
    pub operation: OperationKey,
    /// The part.
    pub part: SignedPart,
    /// Whether it is covered.
    pub covered: Covered,
    /// What was seen, or why nothing could be shown; absent where it is covered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How far the timestamp of an accepted signature may be from the server's clock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ReplayWindow {
    /// Name of the identity that signs.
    pub identity: String,
    /// Into the past: how long a captured request works.
    pub past: WindowBounds,
    /// Into the future: how much longer a post-dated one does.
    pub future: WindowBounds,
}

/// Where a window ends in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct WindowBounds {
    /// Most seconds that were accepted; 0 if none of the tried ones was.
    pub accepted_s: i64,
    /// Fewest seconds that were refused; absent if all tried ones were accepted.
    pub refused_s: Option<i64>,
}

impl fmt::Display for WindowBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.accepted_s, self.refused_s) {
            (accepted, None) => write!(f, "{accepted} s or more"),
            (0, Some(refused)) => write!(f, "less than {refused} s"),
            (accepted, Some(refused)) => write!(f, "{accepted} to {refused} s"),
        }
    }
}

/// The record of one scan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    /// Version of this JSON.
    pub schema_version: u32,
    /// UUIDv7.
    pub id: String,
    /// The program.
    pub tool: Tool,
    /// What was scanned.
    pub target: TargetSummary,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// From start to end.
    pub duration_ms: u64,
    /// What the scan was allowed to do.
    pub mode: Mode,
    /// Seed of everything random in it.
    pub seed: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the user's conditions hold.
    pub gate: GateResult,
    /// Requests sent.
    pub requests: RequestCounts,
    /// Who sent them.
    pub identities: Vec<IdentitySummary>,
    /// Names of headers that went with every request, anonymous ones too, and are no credentials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// What the description holds.
    pub inventory: InventorySummary,
    /// How much was tested.
    pub coverage: Coverage,
    /// What signatures cover, by identity, operation and part; empty where no identity signs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signature_coverage: Vec<SignatureCoverage>,
    /// How long signed requests live, by identity; empty where it was not measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replay_windows: Vec<ReplayWindow>,
    /// What stands behind masks, where that may be said, by the label of the mask.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub masks: BTreeMap<String, Behind>,
    /// Operations that the scan left alone on purpose, and why.
    pub set_aside: Vec<Untested>,
    /// What the scan made and could not remove.
    pub leftovers: Vec<String>,
    /// Points, grade, and what took them.
    pub score: Score,
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
    /// Exchanges that findings refer to, by id; all of them in a complete record.
    pub exchanges: BTreeMap<u32, Arc<Exchange>>,
    /// What was odd.
    pub warnings: Vec<Warning>,
    /// Failing and inconclusive assessments with their observations; all in a complete record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assessments: Vec<Assessment>,
}

impl Scan {
    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        self.outcome.exit_code(&self.gate)
    }
}

/// The JSON Schema of a [`Scan`].
pub fn schema() -> Value {
    schemars::schema_for!(Scan).to_value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_told_apart_by_their_state_and_those_of_older_records_are_read() {
        let json = |outcome: &Outcome| serde_json::to_value(outcome).unwrap();
        let short = Outcome::fell_short(Shortfall::NoDescription, "r", Some("h"));
        assert_eq!(
            json(&short),
            serde_json::json!({ "state": "fell-short", "cause": "no-description", "reason": "r", "hint": "h" })
        );
        assert_eq!(json(&Outcome::usage("r", None)), serde_json::json!({ "state": "usage", "reason": "r" }));
        for outcome in [Outcome::Done, Outcome::Partial { reason: "r".into() }, short, Outcome::Interrupted] {
            assert_eq!(serde_json::from_value::<Outcome>(json(&outcome)).unwrap(), outcome);
        }
        let old = [
            (serde_json::json!({ "state": "complete" }), Outcome::Done),
            (
                serde_json::json!({ "state": "cannot-tell", "reason": "r", "hint": "h" }),
                Outcome::fell_short(Shortfall::Coverage, "r", Some("h")),
            ),
        ];
        for (value, outcome) in old {
            assert_eq!(serde_json::from_value::<Outcome>(value).unwrap(), outcome);
        }
    }
}
