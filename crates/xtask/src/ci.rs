//! `test` and `ci`.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, bail};

use crate::{docs, root, run, say, target};

/// Version of cargo-deny; built from its registry into the build folder.
const CARGO_DENY: &str = "0.20.2";

/// Installs what the tests need, then runs all of them: one that fails does not hide the rest.
pub(crate) fn test(rest: &[&str]) -> anyhow::Result<()> {
    set_up()?;
    run(cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]).args(rest))
}

/// What must hold on main besides the tests. One that fails does not hide the rest.
pub(crate) fn lint() -> anyhow::Result<()> {
    all([
        run(&mut cargo(&["fmt", "--all", "--check"])),
        run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"])),
        docs::check(),
        deny(),
    ])
}

/// What must hold on main.
pub(crate) fn ci() -> anyhow::Result<()> {
    all([lint(), test(&[])])
}

/// Success, or what failed.
fn all<const N: usize>(ended: [anyhow::Result<()>; N]) -> anyhow::Result<()> {
    let failed: Vec<String> = ended.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    if failed.is_empty() { Ok(()) } else { bail!(failed.join("; ")) }
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

/// What the applications of `e2e/` need.
pub(crate) fn set_up() -> anyhow::Result<()> {
    set_up_python()?;
    set_up_node()
}

/// A virtual environment with the Python applications' requirements, made once per version of them.
fn set_up_python() -> anyhow::Result<()> {
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
        "--disable-pip-version-check",
        "--progress-bar",
        "off",
        "-r",
        "e2e/requirements.txt",
    ]))?;
    std::fs::write(stamp, requirements).context("cannot note what is installed")
}

/// The packages of the applications for Node.js, installed once per version of them, in the build folder:
/// where `NODE_PATH` leads; and above a link to the verifiers, whose modules are found in no other way.
fn set_up_node() -> anyhow::Result<()> {
    npm("e2e/express_keys", &["package.json"], "node", &["install", "--no-package-lock"])?;
    let files = ["package-lock.json", "package.json"];
    npm("e2e/verifiers/node", &files, "verifiers", &["ci", "--ignore-scripts"])?;
    let (link, sources) = (e2e().join("verifiers/src"), root().join("e2e/verifiers/node"));
    if std::fs::read_link(&link).is_ok_and(|there| there == sources) {
        return Ok(());
    }
    _ = std::fs::remove_file(&link);
    #[cfg(unix)]
    std::os::unix::fs::symlink(&sources, &link).context("cannot link to the verifiers")?;
    Ok(())
}

/// Installs in a folder of the build folder what these files of an application name, unless it is there.
fn npm(application: &str, files: &[&str], folder: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let folder = e2e().join(folder);
    std::fs::create_dir_all(&folder).context("cannot make the build folder")?;
    let mut wanted = String::new();
    for file in files {
        let from = root().join(application).join(file);
        wanted += &std::fs::read_to_string(&from).with_context(|| format!("cannot read {}", from.display()))?;
        std::fs::copy(&from, folder.join(file)).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let stamp = folder.join("node_modules/installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    say(&format!("installing the packages of {application}"));
    let mut npm = Command::new("npm");
    npm.args(arguments).args(["--no-audit", "--no-fund", "--prefix"]).arg(&folder);
    if run(&mut npm).is_err() {
        bail!("npm cannot install the packages; on Debian: apt-get install nodejs npm");
    }
    std::fs::write(stamp, wanted).context("cannot note what is installed")
}

/// Licenses, sources and banned crates. Advisories need the network and are not looked up here.
fn deny() -> anyhow::Result<()> {
    let tools = target().join("tools");
    let program = tools.join("bin/cargo-deny");
    if !program.exists() {
        say("building cargo-deny, once: some minutes");
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
