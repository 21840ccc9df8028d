//! The command line: one file per subcommand, no logic of its own.

mod args;
mod checks_list;
mod configuration;
pub mod demo;
mod explain;
mod output;
mod outputs;
mod progress;
mod scan;
mod shell;
mod sign;
mod signals;

use std::ffi::OsString;
use std::panic::{Location, UnwindSafe, catch_unwind};
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser};
use model::{Outcome, Shortfall};

use args::{Arguments, Command};

/// What a command ends with when it cannot tell: usage, configuration, unreachable.
const CANNOT_TELL: u8 = 2;

/// Runs the program. Whatever happens, it ends with a documented exit code, and with JSON on stdout where
/// that was asked for.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| output::words(&defect(panic.location()))));
    let json = asks_for_json(std::env::args_os());
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error, json),
    };
    guarded(json, || run(arguments))
}

/// The exit code of a command, its errors told.
fn guarded(json: bool, command: impl FnOnce() -> anyhow::Result<ExitCode> + UnwindSafe) -> ExitCode {
    match catch_unwind(command) {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => failed(&error, json),
        Err(_) => {
            let outcome = Outcome::fell_short(Shortfall::Check, defect(None), Some(REPORT));
            output::words(&format!("hint: {REPORT}"));
            ended(&outcome, json)
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let ended = runtime.block_on(async {
        match arguments.command {
            Command::Scan(options) => scan::run(*options).await,
            Command::Survey(options) => scan::survey(*options).await,
            Command::Demo(options) => demo::run(options).await,
            Command::Checks(options) => checks_list::run(&options),
            Command::Explain { what, framework } => explain::run(&what, framework.as_deref()),
            Command::Sign(command) => sign::run(&command),
            Command::Completions { shell } => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Arguments::command(), "middlebrick", &mut script);
                output::data(&String::from_utf8_lossy(&script))
            }
            Command::Man => {
                let mut page = Vec::new();
                clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
                output::data(&String::from_utf8_lossy(&page))
            }
        }
    });
    // Connections that a stopped scan left open must not hold up the end.
    runtime.shutdown_background();
    ended
}

/// What to do about a defect of the program.
const REPORT: &str = "please report this with the command line, without its credentials";

/// A defect in words. The panic's own words are left out: they may hold what the program worked on.
fn defect(location: Option<&Location<'_>>) -> String {
    let place = location.map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
    format!("middlebrick {} failed by a defect of its own{place}", env!("CARGO_PKG_VERSION"))
}

/// True if JSON is to go to stdout, as far as options can be told that are not understood.
fn asks_for_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let arguments: Vec<OsString> = arguments.collect();
    arguments.iter().any(|argument| argument == "--format=json")
        || arguments.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json")
}

/// Help and version are no errors; the rest is usage.
fn not_understood(error: &clap::Error, json: bool) -> ExitCode {
    if !error.use_stderr() {
        _ = error.print();
        return ExitCode::SUCCESS;
    }
    // Without colors: the text repeats what was typed.
    let text = error.render().to_string();
    output::words(text.trim_end());
    let reason = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
    ended(&Outcome::usage(reason, Some("middlebrick help lists the commands and options".into())), json)
}

fn failed(error: &anyhow::Error, json: bool) -> ExitCode {
    output::error(error);
    ended(&output::outcome_of(error), json)
}

/// The end of a run that is no scan.
fn ended(outcome: &Outcome, json: bool) -> ExitCode {
    if json && let Err(error) = output::data(&outputs::json_of(outcome)) {
        output::error(&error);
    }
    ExitCode::from(CANNOT_TELL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_defects_end_with_the_documented_exit_code() {
        let two = ExitCode::from(CANNOT_TELL);
        assert_eq!(guarded(false, || Ok(ExitCode::from(1))), ExitCode::from(1));
        assert_eq!(guarded(false, || Err(output::hinted("no", None))), two);
        let nothing: Option<ExitCode> = std::env::args().nth(1_000).map(|_| two);
        assert_eq!(guarded(false, move || Ok(nothing.expect("a defect"))), two);
    }

    #[test]
    fn json_is_asked_for_wherever_the_option_stands() {
        let asks = |typed: &[&str]| asks_for_json(typed.iter().map(Into::into));
        assert!(asks(&["scan", "--format=json"]) && asks(&["--format", "json", "scan"]));
        assert!(!asks(&["scan", "--format", "summary", "json"]) && !asks(&["scan", "--format"]));
    }
}
