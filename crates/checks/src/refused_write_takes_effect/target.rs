//! Signed notes that are stored before, or after, their signature is checked.

use crate::Pair;
use crate::signature_oracle::target::{Flaw, serve};

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    vec![Pair {
        check: "refused-write-takes-effect",
        vulnerable: serve(Flaw::StoresFirst),
        fixed: serve(Flaw::Nothing),
    }]
}
