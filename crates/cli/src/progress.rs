//! Progress on stderr: a live line on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::{Event, Events, Phase};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::words;

/// Shows what a scan is doing.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    verbose: bool,
    planned: AtomicUsize,
    assessed: AtomicUsize,
}

impl Progress {
    pub(crate) fn new(quiet: bool, verbose: bool) -> Self {
        let live = !quiet && !verbose && std::io::stderr().is_terminal();
        let bar = live.then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]")
                .unwrap_or_else(|_| ProgressStyle::default_spinner());
            let bar = ProgressBar::new_spinner().with_style(style);
            bar.enable_steady_tick(std::time::Duration::from_millis(100));
            bar
        });
        Self { bar, quiet, verbose, planned: AtomicUsize::new(0), assessed: AtomicUsize::new(0) }
    }

    /// Takes the live line away.
    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn show(&self, text: String) {
        match &self.bar {
            Some(bar) => bar.set_message(report::visible(&text).into_owned()),
            None if !self.quiet => words(&text),
            None => {}
        }
    }
}

impl Events for Progress {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Phase(Phase::SignIn) => {}
            Event::Phase(Phase::Survey) => self.show("finding working requests".into()),
            Event::Phase(Phase::Checks) => {}
            Event::Phase(Phase::DisturbingChecks) => self.show("asking what disturbs others, one at a time".into()),
            Event::Planned { observations, requests } => {
                self.planned.store(observations, Ordering::Relaxed);
                self.show(format!("{observations} observations, about {requests} requests"));
            }
            Event::Sent { total } => {
                if let Some(bar) = &self.bar {
                    let (assessed, planned) =
                        (self.assessed.load(Ordering::Relaxed), self.planned.load(Ordering::Relaxed));
                    match planned {
                        0 => bar.set_message(format!("finding working requests: {total} sent")),
                        planned => bar.set_message(format!(
                            "{} of {planned} observations, {total} requests",
                            assessed.min(planned)
                        )),
                    }
                }
            }
            Event::Assessed { check, subject, verdict } => {
                if !matches!(subject, model::SubjectKey::Exchange { .. }) {
                    self.assessed.fetch_add(1, Ordering::Relaxed);
                }
                if self.verbose && verdict != "not-applicable" {
                    let place = subject
                        .operation()
                        .map(ToString::to_string)
                        .or(subject.identity().map(Into::into))
                        .unwrap_or_default();
                    words(&format!("{verdict:<13} {check} {place}"));
                }
            }
            Event::Notice(text) => self.show(text),
        }
    }
}
