//! Which GET operations of descriptions are taken to do more than read, and by what.
//!
//! `cargo run --release -p middlebrick-engine --example effects -- FILE|FOLDER …` prints one line for each,
//! and then how many there are by what says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine::effect::stated;
use engine::inventory::{NoLoader, parse};

#[expect(clippy::print_stdout, reason = "a command for people")]
fn main() {
    let mut files = Vec::new();
    std::env::args().skip(1).for_each(|place| collect(Path::new(&place), &mut files));
    let (mut documents, mut reading) = (0, 0);
    let mut by_place: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &files {
        let Ok(bytes) = std::fs::read(file) else { continue };
        let Ok((inventory, _)) = parse(&file.to_string_lossy(), &bytes, &mut NoLoader) else { continue };
        documents += 1;
        for operation in inventory.operations.iter().filter(|operation| operation.method == "GET") {
            reading += 1;
            let Some(stated) = stated(operation) else { continue };
            *by_place.entry(stated.place).or_default() += 1;
            println!(
                "{:?} by {}: {} [{}] {}",
                stated.effect,
                stated.place,
                operation.path,
                operation.operation_id.as_deref().unwrap_or_default(),
                operation
                    .summary
                    .as_deref()
                    .or(operation.description.as_deref())
                    .unwrap_or_default()
                    .replace('\n', " ")
            );
        }
    }
    println!("{documents} descriptions, {reading} GET operations");
    for (place, count) in by_place {
        println!("{count} by {place} ({:.2} %)", 100.0 * count as f64 / reading.max(1) as f64);
    }
}

/// The files below a place whose ending is that of a description.
fn collect(place: &Path, files: &mut Vec<PathBuf>) {
    if let Ok(entries) = std::fs::read_dir(place) {
        entries.flatten().for_each(|entry| collect(&entry.path(), files));
    } else if place.extension().is_some_and(|ending| ["json", "yaml", "yml"].iter().any(|known| ending == *known)) {
        files.push(place.to_owned());
    }
}
