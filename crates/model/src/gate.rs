//! The user's conditions on a scan, and whether they hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::score::Score;
use crate::severity::{Confidence, Severity};

/// Conditions that a scan must meet; none by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gate {
    /// Least points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_score: Option<u8>,
    /// Most risk, which is 100 minus the points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_risk: Option<u8>,
    /// Fails on a finding of this severity or worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail_on: Option<Severity>,
}

/// One condition, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// The condition, in words.
    pub condition: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, in words.
    pub found: String,
}

/// What came of the conditions; empty where none is set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct GateResult(pub Vec<Condition>);

impl GateResult {
    /// True if every condition holds.
    pub fn holds(&self) -> bool {
        self.0.iter().all(|c| c.holds)
    }
}

impl Gate {
    /// Judges the conditions. Findings that are suppressed or only possible never fail a gate.
    pub fn judge(&self, score: &Score, findings: &[Finding]) -> GateResult {
        let mut conditions = Vec::new();
        if let Some(least) = self.min_score {
            conditions.push(Condition {
                condition: format!("score of at least {least}"),
                holds: score.points >= least,
                found: format!("{} points", score.points),
            });
        }
        if let Some(most) = self.max_risk {
            conditions.push(Condition {
                condition: format!("risk of at most {most}"),
                holds: score.risk <= most,
                found: format!("risk {}", score.risk),
            });
        }
        if let Some(severity) = self.fail_on {
            let worse: Vec<_> = findings
                .iter()
                .filter(|f| f.severity <= severity && f.suppressed.is_none() && f.confidence != Confidence::Possible)
                .collect();
            conditions.push(Condition {
                condition: format!("no finding of severity {severity} or worse"),
                holds: worse.is_empty(),
                found: format!("{} such", worse.len()),
            });
        }
        GateResult(conditions)
    }
}
