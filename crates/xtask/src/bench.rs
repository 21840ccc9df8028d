//! `bench`: what is measured in one run, so that ratios mean something on a noisy machine.

use std::io::Read;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use flate2::read::GzDecoder;
use inventory::NoLoader;

use crate::{root, say};

/// Runs of each measurement; the fastest counts.
const RUNS: usize = 3;

/// Measures how long these descriptions take to load, and a whole scan. Built with optimization: it
/// starts itself again.
pub(crate) fn run(files: &[&str]) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        let again = ["run", "--release", "--package", "xtask", "--", "bench"];
        return crate::run(std::process::Command::new("cargo").args(again).args(files));
    }
    for file in files {
        let bytes = read(file)?;
        let Ok((inventory, warnings)) = inventory::parse(file, &bytes, &mut NoLoader) else {
            bail!("{file} does not load")
        };
        let took = fastest(|| _ = inventory::parse(file, &bytes, &mut NoLoader).is_ok());
        say(&format!(
            "{file}: {} operations, {} references, {} warnings in {:.2} s",
            inventory.operations.len(),
            inventory.counts.references,
            warnings.len(),
            took.as_secs_f64()
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let checks = checks::all();
    let mut requests = 0;
    let took = fastest(|| {
        let scan = runtime.block_on(engine::testing::scan_served(lab::hardened::hardened(), &checks));
        requests = scan.requests.total;
    });
    say(&format!(
        "hardened API: {requests} requests in {:.2} s, {:.0} requests/s",
        took.as_secs_f64(),
        f64::from(requests) / took.as_secs_f64()
    ));
    say(&format!("peak memory: {} MB", peak_kib() / 1024));
    Ok(())
}

/// A file of the repository, or elsewhere by its whole path; `.gz` is unpacked.
fn read(file: &str) -> anyhow::Result<Vec<u8>> {
    let bytes = std::fs::read(root().join(file)).with_context(|| format!("cannot read {file}"))?;
    if !file.ends_with(".gz") {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

fn fastest(mut work: impl FnMut()) -> Duration {
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    times.min().unwrap_or_default()
}

/// Most memory that the process held, in KiB; 0 where the system does not tell.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or_default()
}
