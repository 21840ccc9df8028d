//! The project's own commands. `cargo xtask` lists them.

mod accuracy;
mod bench;
mod ci;
mod docs;
mod fuzz;
mod new_check;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

const USAGE: &str = "\
cargo xtask COMMAND

  test              install what the tests need into the build folder, and run all of them
  ci                what must hold on main: fmt, clippy, tests, generated files, cargo-deny
  new-check ID      scaffold a check's folder, which fails its tests until it is filled
  docs              write the generated documents
  bench             measure: description loading, scan of the hardened API
  fuzz [TARGET] [--minutes N] [--seeds DIR]
                    run the fuzzer (each target 10 minutes of processor time), keep its corpus, add to its sums
  accuracy [--vampi URL1 URL0]
                    scan the end-to-end applications, the zoo and every pair; write docs/accuracy.md
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match words.as_slice() {
        ["test", rest @ ..] => ci::test(rest),
        ["ci"] => ci::ci(),
        ["new-check", id] => new_check::run(id),
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::check(),
        ["bench"] => bench::run(),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["accuracy", rest @ ..] => accuracy::run(rest),
        _ => {
            say(USAGE);
            return ExitCode::from(2);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a command for people")]
fn say(text: &str) {
    println!("{text}");
}

/// The repository's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap_or_else(|_| PathBuf::from("."))
}

/// The build folder, as cargo sees it.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Runs a command in the repository's folder.
///
/// # Errors
/// It cannot be started, or fails.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = format!("{command:?}").replace('"', "");
    say(&format!("> {shown}"));
    let status = command.current_dir(root()).status().with_context(|| format!("cannot start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed");
    }
    Ok(())
}
