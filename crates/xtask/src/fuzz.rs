//! `fuzz`: builds the fuzzer, runs each target, keeps what shows something new, and adds up what was done.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::{root, say, target};

/// Minutes of processor time that a target gets in a run.
const MINUTES: f64 = 10.0;

/// Seconds for one input; more is a hang.
const SECONDS_FOR_AN_INPUT: u32 = 30;

/// MiB that the process may hold.
const MOST_MEMORY: u32 = 2048;

/// Bytes of an input at most.
const LONGEST: usize = 8 * 1024;

/// Bytes and number of inputs that are kept of a target, beside those that have names of their own.
const KEPT: (usize, usize) = (36 * 1024, 120);

/// What the compiler adds for libFuzzer.
///
/// **Source**: `cargo fuzz`; Clang, SanitizerCoverage.
const FLAGS: [&str; 7] = [
    "--cfg",
    "fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// `cargo xtask fuzz [TARGET] [--minutes N] [--seeds DIR]`.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    let mut words = words.iter().copied();
    let (mut minutes, mut seeds, mut only) = (MINUTES, None, None);
    while let Some(word) = words.next() {
        match word {
            "--minutes" => minutes = words.next().and_then(|n| n.parse().ok()).context("--minutes takes a number")?,
            "--seeds" => seeds = Some(PathBuf::from(words.next().context("--seeds takes a folder")?)),
            name if fuzz::target(name).is_some() => only = Some(name),
            other => bail!("`{other}` is no target: {}", fuzz::TARGETS.map(|(name, _)| name).join(", ")),
        }
    }
    let fuzzer = Fuzzer { program: build()?, seeds };
    let mut found = Vec::new();
    for (name, _) in fuzz::TARGETS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        found.extend(fuzzer.target(name, minutes)?);
    }
    if !found.is_empty() {
        bail!("inputs that are not as they must be:\n  {}", found.join("\n  "));
    }
    Ok(())
}

/// Where everything of the fuzzer is built and written.
fn folder() -> PathBuf {
    target().join("fuzz")
}

/// Builds the fuzzer and returns the program.
fn build() -> anyhow::Result<PathBuf> {
    let version = Command::new("rustc").arg("-vV").output().context("cannot start rustc")?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    // With --target, build scripts and macros are built without the flags.
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--profile", "fuzz", "--package", "middlebrick-fuzz", "--bin", "fuzz"]);
    cargo.args(["--target", host, "--target-dir"]).arg(folder());
    crate::run(cargo.env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f")))?;
    Ok(folder().join(host).join("fuzz/fuzz"))
}

struct Fuzzer {
    program: PathBuf,
    seeds: Option<PathBuf>,
}

/// What came of a run.
#[derive(Default)]
struct Sum {
    executions: i64,
    seconds: f64,
    findings: Vec<String>,
}

impl Fuzzer {
    /// Runs a target, keeps its corpus and adds to the sums. Returns the files of its findings.
    fn target(&self, name: &str, minutes: f64) -> anyhow::Result<Vec<String>> {
        let work = folder().join("corpus").join(name);
        fs::create_dir_all(&work)?;
        let kept = kept_folder(name);
        copy_all(&kept, &work)?;
        if let Some(seeds) = &self.seeds {
            copy_all(seeds, &work)?;
        }
        for (number, seed) in seeds(name).iter().enumerate() {
            fs::write(work.join(format!("seed-{number}")), seed)?;
        }
        say(&format!("{name}: {minutes} minutes of processor time"));
        let sum = self.run(name, &work, minutes * 60.0)?;
        self.keep(name, &work, &kept)?;
        let (files, bytes) = size(&kept)?;
        add_up(name, &sum)?;
        say(&format!(
            "{name}: {} executions in {:.1} minutes of processor time, {files} inputs of {bytes} bytes kept, {} findings",
            sum.executions,
            sum.seconds / 60.0,
            sum.findings.len()
        ));
        Ok(sum.findings)
    }

    /// Runs until the processor time is used up or something is found.
    fn run(&self, name: &str, work: &Path, seconds: f64) -> anyhow::Result<Sum> {
        let mut sum = Sum::default();
        let log = folder().join(format!("{name}.log"));
        fs::create_dir_all(folder().join("findings"))?;
        while seconds - sum.seconds >= 1.0 && sum.findings.is_empty() {
            let mut command = self.command(name, &log)?;
            command.arg(format!("-max_total_time={}", (seconds - sum.seconds).ceil()));
            command.args(["-print_final_stats=1", "-reload=0"]).arg(work);
            let (ended, took) = wait(command.spawn().context("cannot start the fuzzer")?)?;
            let written = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
            let after = |word: &str| {
                written.lines().filter_map(|line| line.split_once(word)).next_back().map(|(_, n)| n.trim())
            };
            sum.seconds += took.as_secs_f64();
            sum.executions +=
                after("stat::number_of_executed_units:").and_then(|n| n.parse::<i64>().ok()).unwrap_or_default();
            sum.findings.extend(after("Test unit written to").map(str::to_owned));
            if !ended && sum.findings.is_empty() {
                bail!("the fuzzer failed: see {}", log.display());
            }
        }
        Ok(sum)
    }

    /// Puts the smallest inputs that together show everything in place of those that were kept before.
    fn keep(&self, name: &str, work: &Path, kept: &Path) -> anyhow::Result<()> {
        let minimized = folder().join("minimized").join(name);
        _ = fs::remove_dir_all(&minimized);
        fs::create_dir_all(&minimized)?;
        let mut command = self.command(name, &folder().join(format!("{name}.merge.log")))?;
        command.args(["-set_cover_merge=1"]).arg(&minimized).arg(work);
        if !wait(command.spawn().context("cannot start the fuzzer")?)?.0 {
            bail!("the corpus of {name} cannot be minimized: see the log in {}", folder().display());
        }
        let own: BTreeSet<Vec<u8>> = named(kept)?.iter().map(fs::read).collect::<Result<_, _>>()?;
        let mut inputs: Vec<(PathBuf, Vec<u8>)> = files(&minimized)?
            .into_iter()
            .map(|file| Ok((file.clone(), fs::read(file)?)))
            .collect::<anyhow::Result<_>>()?;
        inputs.retain(|(_, data)| data.len() <= LONGEST && !own.contains(data));
        inputs.sort_by_key(|(_, data)| data.len());
        for file in files(kept)? {
            if !named(kept)?.contains(&file) {
                fs::remove_file(file)?;
            }
        }
        let mut bytes = 0;
        for (file, data) in inputs.into_iter().take(KEPT.1) {
            bytes += data.len();
            if bytes > KEPT.0 {
                break;
            }
            fs::write(kept.join(file.file_name().unwrap_or_default()), data)?;
        }
        Ok(())
    }

    fn command(&self, name: &str, log: &Path) -> anyhow::Result<Command> {
        let log = fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(&self.program);
        command.arg(format!("--target={name}")).arg(format!("-timeout={SECONDS_FOR_AN_INPUT}"));
        command.arg(format!("-rss_limit_mb={MOST_MEMORY}")).arg(format!("-max_len={LONGEST}"));
        command.arg(format!("-dict={}", root().join("crates/fuzz/dictionary.txt").display()));
        command.arg(format!("-artifact_prefix={}/{name}-", folder().join("findings").display()));
        command.env("RUST_BACKTRACE", "1").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(command)
    }
}

/// Waits for a process; whether it succeeded, and the processor time that it took.
fn wait(mut child: Child) -> anyhow::Result<(bool, Duration)> {
    let started = Instant::now();
    let mut took = None;
    loop {
        took = processor_time(child.id()).or(took);
        if let Some(status) = child.try_wait()? {
            return Ok((status.success(), took.unwrap_or_else(|| started.elapsed())));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Processor time of a living process, where the system tells.
///
/// **Source**: proc(5), fields 14 and 15 of `/proc/PID/stat`, in hundredths of a second.
fn processor_time(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    (ticks > 0).then(|| Duration::from_millis(ticks * 10))
}

fn kept_folder(name: &str) -> PathBuf {
    root().join("crates/fuzz/corpus").join(name)
}

fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.is_file()).collect())
}

/// Hand-written inputs: libFuzzer names its own by their SHA-1.
fn named(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_found = |name: &str| name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut all = files(folder)?;
    all.retain(|file| !file.file_name().is_some_and(|name| is_found(&name.to_string_lossy())));
    Ok(all)
}

fn copy_all(from: &Path, to: &Path) -> anyhow::Result<()> {
    for file in files(from)? {
        fs::copy(&file, to.join(file.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// Number and bytes of the files of a folder.
fn size(folder: &Path) -> anyhow::Result<(usize, u64)> {
    let files = files(folder)?;
    let bytes = files.iter().map(|file| fs::metadata(file).map(|data| data.len())).sum::<Result<u64, _>>()?;
    Ok((files.len(), bytes))
}

/// The lab's own descriptions, as inputs of a target that reads some.
fn seeds(name: &str) -> Vec<Vec<u8>> {
    let (before, behind): (&str, &str) = match name {
        "description" => ("", ""),
        "door" => (
            "safe key query\n",
            "\n%%%%\n200 application/json\n[{\"id\": 7, \"name\": \"a\"}]\n%%%%\n401 application/json\n{\"error\": \"no key\"}",
        ),
        _ => return Vec::new(),
    };
    let specimens = lab::zoo::specimens().into_iter().map(|specimen| (specimen.serve)());
    let served = specimens.chain([lab::hardened::hardened()]);
    let descriptions: BTreeSet<String> =
        served.filter_map(|served| served.description).map(|description| description.to_string()).collect();
    descriptions.into_iter().map(|description| format!("{before}{description}{behind}").into_bytes()).collect()
}

fn sums() -> PathBuf {
    root().join("crates/fuzz/sums.toml")
}

/// Adds a run to the sums of all runs.
fn add_up(name: &str, sum: &Sum) -> anyhow::Result<()> {
    let mut all: toml::Table = fs::read_to_string(sums()).unwrap_or_default().parse()?;
    let entry = all.entry(name).or_insert_with(|| toml::Table::new().into());
    let Some(entry) = entry.as_table_mut() else { bail!("sums.toml: `{name}` is no table") };
    let before = |field: &str| entry.get(field).and_then(|n| n.as_float().or(n.as_integer().map(|n| n as f64)));
    let [executions, seconds, findings] =
        ["executions", "cpu_seconds", "findings"].map(|f| before(f).unwrap_or_default());
    entry.insert("executions".into(), (executions as i64 + sum.executions).into());
    entry.insert("cpu_seconds".into(), (seconds + sum.seconds).round().into());
    entry.insert("findings".into(), (findings as i64 + sum.findings.len() as i64).into());
    let mut file = fs::File::create(sums()).context("cannot write crates/fuzz/sums.toml")?;
    write!(file, "# What `cargo xtask fuzz` did in all its runs; it adds to this file.\n\n{all}")
        .context("cannot write the sums")
}

/// A table of what was done in all runs, for docs/safety.md.
pub(crate) fn table() -> String {
    let all: toml::Table = fs::read_to_string(sums()).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    let mut text = String::from(
        "| Target | Executions | Processor time | Inputs kept | Findings, all mended |\n|---|---|---|---|---|\n",
    );
    for (name, _) in fuzz::TARGETS {
        let number =
            |field: &str| all.get(name)?.get(field).and_then(|n| n.as_float().or(n.as_integer().map(|n| n as f64)));
        let (files, bytes) = size(&kept_folder(name)).unwrap_or_default();
        text += &format!(
            "| {name} | {} | {:.0} min | {files} of {} KiB | {} |\n",
            number("executions").unwrap_or_default(),
            number("cpu_seconds").unwrap_or_default() / 60.0,
            bytes / 1024,
            number("findings").unwrap_or_default()
        );
    }
    text
}
