//! The project's own commands. `cargo xtask` lists them.

mod accuracy;
mod bench;
mod ci;
mod docs;
mod fuzz;
mod new_check;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

const USAGE: &str = "\
cargo xtask COMMAND

  test              install what the tests need into the build folder, and run all of them
  lint              fmt, clippy, generated documents, cargo-deny
  ci                what must hold on main: lint and test
  new-check ID      scaffold a check's folder, which fails its tests until it is filled
  docs              write the generated documents
  bench [FILE...]   measure: scan of the hardened API, and how long descriptions take to load
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
        ["lint"] => ci::lint(),
        ["ci"] => ci::ci(),
        ["new-check", id] => new_check::run(id),
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::check(),
        ["bench", files @ ..] => bench::run(files),
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

/// How often a command that takes long is named again.
///
/// **Source**: chosen; shorter than the patience of people, and of runners that end what is silent.
const NAMED_AGAIN: Duration = Duration::from_secs(60);

/// Runs a command in the repository's folder, and says what it is and how long it has taken.
///
/// # Errors
/// It cannot be started, or fails.
fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let shown = [program].into_iter().chain(command.get_args()).map(|word| word.to_string_lossy());
    let shown = shown.collect::<Vec<_>>().join(" ");
    say(&format!("> {shown}"));
    let started = Instant::now();
    let mut child = command.current_dir(root()).spawn().with_context(|| format!("cannot start `{shown}`"))?;
    let (ended, running) = mpsc::channel::<()>();
    let named = shown.clone();
    let clock = std::thread::spawn(move || {
        while running.recv_timeout(NAMED_AGAIN) == Err(mpsc::RecvTimeoutError::Timeout) {
            say(&format!("… {} min: {named}", started.elapsed().as_secs() / 60));
        }
    });
    let status = child.wait();
    drop(ended);
    _ = clock.join();
    if !status.with_context(|| format!("cannot wait for `{shown}`"))?.success() {
        bail!("`{shown}` failed");
    }
    Ok(())
}
