//! Targets of the fuzzer: each takes any bytes, and what must be true whatever they are.
//!
//! `cargo xtask fuzz` runs them under libFuzzer. What it finds worth keeping stands in `corpus/`, one folder
//! per target, beside hand-written inputs with names of their own; `cargo test` replays all of it.

pub mod configuration;
pub mod description;
pub mod door;
pub mod redactor;
pub mod response;
pub mod sample;
#[cfg(test)]
mod tests;
pub mod validation;

/// A target: its name, and what runs an input and panics where something is not as it must be.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 7] = [
    ("description", description::run),
    ("configuration", configuration::run),
    ("response", response::run),
    ("sample", sample::run),
    ("validation", validation::run),
    ("redactor", redactor::run),
    ("door", door::run),
];

/// The target of a name.
pub fn target(name: &str) -> Option<fn(&[u8])> {
    TARGETS.iter().find(|(known, _)| *known == name).map(|(_, run)| *run)
}

/// Ends a part of an input that has several.
const SEPARATOR: &[u8] = b"\n%%%%\n";

/// The parts of an input.
fn parts(data: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(at) = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        parts.push(&rest[..at]);
        rest = &rest[at + SEPARATOR.len()..];
    }
    parts.push(rest);
    parts
}

/// The first line, and what stands behind it.
fn first_line(data: &[u8]) -> (String, &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let rest = data.get(end + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&data[..end]).into_owned(), rest)
}

/// Runs what waits, with a clock that jumps to the next deadline.
fn in_paused_time<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without input and output needs nothing").block_on(future)
}
