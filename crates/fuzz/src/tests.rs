//! The corpus of every target, run again.

use std::path::{Path, PathBuf};

/// The inputs of a target, in the order of their names.
fn inputs(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[track_caller]
fn replay(name: &str) {
    let run = crate::target(name).unwrap();
    let inputs = inputs(name);
    assert!(!inputs.is_empty(), "no input of {name}");
    let wrong: Vec<String> = inputs
        .iter()
        .filter(|file| {
            let data = std::fs::read(file).unwrap();
            std::panic::catch_unwind(|| run(&data)).is_err()
        })
        .map(|file| file.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "inputs that are not as they must be:\n{}", wrong.join("\n"));
}

#[test]
fn descriptions() {
    replay("description");
}

#[test]
fn configurations() {
    replay("configuration");
}

#[test]
fn responses() {
    replay("response");
}

#[test]
fn samples() {
    replay("sample");
}

#[test]
fn validation_errors() {
    replay("validation");
}

#[test]
fn redaction() {
    replay("redactor");
}

#[test]
fn requests_that_leave() {
    replay("door");
}

#[test]
fn every_target_is_replayed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut folders: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut names = crate::TARGETS.map(|(name, _)| name);
    names.sort();
    assert_eq!(folders, names);
}
