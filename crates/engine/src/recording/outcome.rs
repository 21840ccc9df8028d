//! How a scan ended, and where it fell short, the reason that is true for its cause.

use std::sync::Arc;

use model::scan::Coverage;
use model::{Answer, Exchange, Mode, Outcome, Score, Shortfall, TransportError};

use super::Recording;
use crate::controls::Standing;
use crate::identities::Health;
use crate::lifetime::out_of_time;
use crate::scan::Run;
use crate::survey::{Fault, Reach, Survey, SurveyedOperation, trouble_of};
use crate::trouble::silence_hint;

impl Recording<'_> {
    /// How the scan ended, but for how much was tested.
    pub(super) fn ended(&self, run: &Run<'_>, coverage: &Coverage) -> Outcome {
        let (Some(door), Some(survey)) = (self.door, self.survey) else {
            return Outcome::fell_short(Shortfall::Unreachable, "nothing was sent", Some("check the network options"));
        };
        if door.is_interrupted() {
            return Outcome::Interrupted;
        }
        if self.options.limits.mode == Mode::Description {
            return Outcome::Partial { reason: "only the description was read (--mode description)".into() };
        }
        let exchanges = door.exchanges();
        if let (Some(error), true) = (first_error(&exchanges), exchanges.iter().all(|e| e.response().is_none())) {
            let reason = format!("cannot reach {}: {error}", survey.origin);
            return Outcome::fell_short(Shortfall::Unreachable, reason, Some(silence_hint(&error)));
        }
        let in_order = [
            self.no_description(survey),
            self.target_trouble(survey),
            self.dead_identity(survey),
            failed_checks(run),
            self.over_budget(),
            self.partial(run, coverage),
        ];
        in_order.into_iter().flatten().next().unwrap_or(Outcome::Done)
    }

    /// The same, with how much was tested.
    pub(super) fn outcome(&self, ended: Outcome, score: &Score, coverage: &Coverage) -> Outcome {
        if ended != Outcome::Done || score.grade.is_some() {
            return ended;
        }
        let reason = score.note.clone().unwrap_or_else(|| "too little was tested".into());
        let hint = match coverage.unreachable.first() {
            Some(first) => format!("{}: {}", first.operation, first.reason),
            None => "middlebrick survey shows what was answered".to_owned(),
        };
        Outcome::fell_short(Shortfall::Coverage, reason, Some(&hint))
    }

    /// A page, or the root of a host, is no API.
    fn no_description(&self, survey: &Survey) -> Option<Outcome> {
        if self.target.inventory.is_described() {
            return None;
        }
        let operation = survey.operations.first()?;
        let is_page = operation.any_baseline().and_then(|b| b.exchange.response()).is_some_and(|response| {
            let media_type = response.media_type();
            media_type.contains("html") || media_type == "text/plain"
        });
        (is_page || matches!(operation.key.path.as_str(), "" | "/")).then(|| {
            Outcome::fell_short(
                Shortfall::NoDescription,
                "no description (OpenAPI document) was found, and one address is no API",
                Some("give the description as a file or URL: --spec openapi.json"),
            )
        })
    }

    /// The target answers nobody, or stopped to.
    fn target_trouble(&self, survey: &Survey) -> Option<Outcome> {
        let asked = survey.operations.iter().filter(|o| !matches!(o.reach, Reach::SetAside(_))).map(|o| &**o);
        if let Some(trouble) = trouble_of(asked) {
            let reason = format!("the target {}, with credentials and without", trouble.reason());
            return Some(Outcome::fell_short(Shortfall::Target, reason, Some(&trouble.hint())));
        }
        let during = self.door?.identities.iter().find_map(|live| match live.health() {
            Health::Target(trouble) => Some(trouble),
            Health::Works | Health::Refused => None,
        });
        let trouble = during.or_else(|| self.stopped.clone())?;
        let reason = format!("the target stopped responding as it did: it {}", trouble.reason());
        Some(Outcome::fell_short(Shortfall::Target, reason, Some(&trouble.hint())))
    }

    fn dead_identity(&self, survey: &Survey) -> Option<Outcome> {
        let short = |reason: String, hint: &str| Some(Outcome::fell_short(Shortfall::Identity, reason, Some(hint)));
        if let Some(dead) = survey.identities.iter().find(|i| !i.alive) {
            let reason = format!("identity `{}` does not work: {}", dead.name, dead.note);
            return match &dead.fault {
                Some(Fault::Target(trouble)) => {
                    Some(Outcome::fell_short(Shortfall::Target, reason, Some(&trouble.hint())))
                }
                Some(Fault::Sample) => {
                    short(reason, "a sample must be sent within its window, to the operation and host it was made for")
                }
                Some(Fault::SignIn) => short(
                    reason,
                    "check the `login` of the identity: its request, and where the credential stands in the response",
                ),
                Some(Fault::Expired) => {
                    short(reason, "get a fresh token, or give a `login`, so that the scan gets one itself")
                }
                Some(Fault::Credential) => short(
                    reason,
                    "check the credential and where it goes; middlebrick survey shows what each identity gets",
                ),
                Some(Fault::Unknown) | None => Some(Outcome::fell_short(
                    Shortfall::Coverage,
                    reason,
                    Some("middlebrick survey shows the responses"),
                )),
            };
        }
        if let Some(died) = self.door?.identities.iter().find(|l| l.health() == Health::Refused) {
            let now = chrono::Utc::now().timestamp();
            let mut credentials = died.generation().credentials.to_vec().into_iter();
            let why = credentials.find_map(|c| out_of_time(c.value.expose(), now));
            let reason = format!("identity `{}` stopped working during the scan", died.name);
            let reason = why.map_or_else(|| reason.clone(), |why| format!("{reason}: {why}"));
            return match died.sample() {
                Some(_) => short(reason, "the sample grew old: capture a fresh one, and scan within its window"),
                None => short(
                    reason,
                    "give a login instead of a token, so that the scan can sign in again, or a longer-lived token",
                ),
            };
        }
        // Whether or not the description says so.
        let refuses = |o: &&std::sync::Arc<SurveyedOperation>| {
            o.baselines.iter().any(|b| b.identity.is_none() && b.standing == Standing::Refused)
        };
        let refusing = survey.operations.iter().filter(refuses).count();
        if survey.identities.is_empty() && refusing > 0 {
            let plural = if refusing == 1 { " refuses" } else { "s refuse" };
            return short(
                format!("{refusing} operation{plural} requests without credentials, and no identity is given"),
                "add credentials: -H 'NAME: VALUE', or identities in middlebrick.yaml",
            );
        }
        None
    }

    fn over_budget(&self) -> Option<Outcome> {
        let door = self.door?;
        let limits = &self.options.limits;
        let (what, option) = match () {
            () if door.started.elapsed() >= limits.budget => {
                (format!("the time budget of {} s", limits.budget.as_secs_f64()), "--budget")
            }
            () if door.requests() >= limits.max_requests => {
                (format!("the budget of {} requests", limits.max_requests), "--max-requests")
            }
            () => return None,
        };
        let hint = format!("{option} gives it more");
        Some(Outcome::fell_short(Shortfall::Budget, format!("{what} was used up"), Some(&hint)))
    }

    /// What the user asked for, where that is a part of the API or of the checks.
    fn partial(&self, run: &Run<'_>, coverage: &Coverage) -> Option<Outcome> {
        let selection = &self.options.selection;
        let mut asked = Vec::new();
        if !self.target.inventory.is_described() {
            asked
                .push("one address is no API, and no description (OpenAPI document) was found: --spec FILE".to_owned());
        }
        if !selection.only.is_empty() && !run.checks.is_empty() {
            let count = run.checks.len();
            let checks = if count == 1 { "1 check was".to_owned() } else { format!("{count} checks were") };
            asked.push(format!("{checks} asked alone (--only {})", selection.only.join(" --only ")));
        }
        if !selection.left_out.is_empty() {
            asked.push(format!(
                "{} of {} operations were left out (--include, --exclude)",
                selection.left_out.len(),
                coverage.described
            ));
        }
        if asked.is_empty() {
            return None;
        }
        let reason = format!("partial scan: {}", asked.join("; "));
        let decided = run.checks.is_empty() || coverage.checks_decided > 0;
        let answered = coverage.tested * 2 >= coverage.sendable.saturating_sub(coverage.left_out.len());
        if !decided || !answered {
            let hint = coverage.unreachable.first().map(|first| format!("{}: {}", first.operation, first.reason));
            let reason = format!("{reason}; and of what was asked, too little was decided");
            return Some(Outcome::fell_short(Shortfall::Coverage, reason, hint.as_deref()));
        }
        Some(Outcome::Partial { reason })
    }

    /// Why there can be no grade, however much was tested.
    pub(super) fn ungraded(&self, ended: &Outcome) -> Option<String> {
        match ended {
            Outcome::Done | Outcome::FellShort { cause: Shortfall::Budget | Shortfall::Coverage, .. } => None,
            // Operations that were left out count as not tested: coverage decides.
            Outcome::Partial { .. }
                if self.options.selection.only.is_empty()
                    && self.target.inventory.is_described()
                    && self.options.limits.mode > Mode::Description =>
            {
                None
            }
            Outcome::Partial { reason } | Outcome::FellShort { reason, .. } | Outcome::Usage { reason, .. } => {
                Some(reason.clone())
            }
            Outcome::Interrupted => Some("the scan was stopped".into()),
        }
    }
}

/// A check that failed by itself leaves its question open.
fn failed_checks(run: &Run<'_>) -> Option<Outcome> {
    let names: Vec<&str> = run.failed.iter().copied().collect();
    let first = names.first()?;
    let reason = format!("a check failed by itself, so its question is open: {}", names.join(", "));
    let hint = format!("this is a defect of middlebrick, please report it; --skip {first} scans without it");
    Some(Outcome::fell_short(Shortfall::Check, reason, Some(&hint)))
}

fn first_error(exchanges: &[Arc<Exchange>]) -> Option<TransportError> {
    exchanges.iter().find_map(|e| match &e.answer {
        Answer::Error(error) => Some(error.clone()),
        Answer::Response(_) => None,
    })
}
