//! The command line: one file per subcommand, no logic of its own.

mod args;
mod checks_list;
pub mod demo;
mod explain;
mod output;
mod progress;
mod scan;
mod shell;
mod sign;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Arguments, Command};

/// What a command ends with when it cannot tell: usage, configuration, unreachable.
const CANNOT_TELL: u8 = 2;

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&anyhow::Error::new(error).context("cannot start")),
    };
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
    ended.unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    output::error(error);
    ExitCode::from(CANNOT_TELL)
}
