//! Reads one description and prints what it holds, how long that took and how much memory.
//!
//! `cargo run --release -p middlebrick-inventory --example measure -- openapi.json`
#![expect(clippy::print_stdout, reason = "printing the measurement is what this program is for")]

use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

use flate2::read::GzDecoder;
use inventory::{Folder, parse};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("name a description; `.gz` is unpacked")?;
    let path = Path::new(&file);
    let mut bytes = fs::read(path)?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        let mut unpacked = Vec::new();
        GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked)?;
        bytes = unpacked;
    }
    let before = peak_resident_mib()?;
    let start = Instant::now();
    let (inventory, warnings) = parse(&file, &bytes, &mut Folder::of(path))?;
    let seconds = start.elapsed().as_secs_f64();
    println!("format          {}", inventory.format);
    println!("title           {}", inventory.title.as_deref().unwrap_or("-"));
    println!("bytes           {}", bytes.len());
    println!("operations      {}", inventory.counts.operations);
    println!("paths           {}", inventory.counts.paths);
    println!("schemas         {}", inventory.counts.schemas);
    println!("references      {}", inventory.counts.references);
    println!("unresolved      {}", inventory.counts.unresolved_references);
    println!("warnings        {}", warnings.len());
    println!("seconds         {seconds:.3}");
    println!("peak before     {before} MiB");
    println!("peak after      {} MiB", peak_resident_mib()?);
    for warning in warnings.iter().take(10) {
        println!("warning         {warning}");
    }
    Ok(())
}

/// Peak of the resident memory of this process, from the kernel.
///
/// **Source**: proc(5), `VmHWM` in `/proc/self/status`.
fn peak_resident_mib() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib / 1024)
}
