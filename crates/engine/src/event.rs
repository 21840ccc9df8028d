//! What a scan tells while it runs.

use model::SubjectKey;

/// Something happened.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A part of the scan begins.
    Phase(Phase),
    /// A request was answered, or failed.
    Sent {
        /// Requests so far.
        total: u32,
    },
    /// So many observations are planned, which take about so many requests.
    Planned {
        /// Checks times subjects.
        observations: usize,
        /// Expected requests.
        requests: u32,
    },
    /// An observation is done.
    Assessed {
        /// The check.
        check: &'a str,
        /// The subject.
        subject: &'a SubjectKey,
        /// Word of the verdict.
        verdict: &'a str,
    },
    /// Something that the user should know at once.
    Notice(String),
}

/// A part of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Getting credentials.
    SignIn,
    /// Finding working requests.
    Survey,
    /// Observing for checks.
    Checks,
    /// Observing for checks that disturb others, one after the other.
    DisturbingChecks,
}

/// Takes events. Called from many tasks.
pub trait Events: Send + Sync {
    /// Takes one.
    fn event(&self, event: Event<'_>);
}

/// Takes none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Events for Silent {
    fn event(&self, _: Event<'_>) {}
}
