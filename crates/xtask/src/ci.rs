//! `test` and `ci`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::{docs, root, run, say, target};

/// Version of cargo-deny; built from its registry into the build folder.
const CARGO_DENY: &str = "0.20.2";

/// Installs what the tests need, then runs all of them.
pub(crate) fn test(rest: &[&str]) -> anyhow::Result<()> {
    set_up()?;
    run(cargo(&["test", "--workspace", "--all-features"]).args(rest))
}

/// What must hold on main.
pub(crate) fn ci() -> anyhow::Result<()> {
    run(&mut cargo(&["fmt", "--all", "--check"]))?;
    run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))?;
    test(&[])?;
    docs::check()?;
    deny()
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// Where the end-to-end applications' own dependencies go.
pub(crate) fn e2e() -> PathBuf {
    target().join("e2e")
}

/// A virtual environment with the Python applications' requirements, made once per version of them.
pub(crate) fn set_up() -> anyhow::Result<()> {
    let requirements =
        std::fs::read_to_string(root().join("e2e/requirements.txt")).context("cannot read e2e/requirements.txt")?;
    let environment = e2e().join("venv");
    let stamp = environment.join("requirements.installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == requirements) {
        return Ok(());
    }
    std::fs::create_dir_all(e2e()).context("cannot make the build folder")?;
    let made = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
    if made.is_err() {
        bail!("python3 cannot make a virtual environment; on Debian: apt-get install python3 python3-venv");
    }
    run(Command::new(environment.join("bin/pip")).args([
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
        "e2e/requirements.txt",
    ]))?;
    std::fs::write(stamp, requirements).context("cannot note what is installed")
}

/// Licenses, sources and banned crates. Advisories need the network and are not looked up here.
fn deny() -> anyhow::Result<()> {
    let tools = target().join("tools");
    let program = tools.join("bin/cargo-deny");
    if !program.exists() {
        say("building cargo-deny, once");
        run(cargo(&[
            "install",
            "cargo-deny",
            "--version",
            CARGO_DENY,
            "--locked",
            "--debug",
            "--no-default-features",
            "--root",
        ])
        .arg(&tools)
        .env("CARGO_TARGET_DIR", target().join("tools-build")))?;
    }
    run(Command::new(program).args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))
}
