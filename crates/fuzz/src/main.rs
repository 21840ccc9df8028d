//! The fuzzer: libFuzzer where it is built for it (`cargo xtask fuzz`), else what runs single inputs again.
//!
//! `fuzz TARGET FILE…`; under libFuzzer `fuzz --target=TARGET` and the options of libFuzzer.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    static RUN: std::sync::OnceLock<fn(&[u8])> = std::sync::OnceLock::new();
    let run = RUN.get_or_init(|| {
        // libFuzzer leaves options with two dashes to the target.
        let name = std::env::args().find_map(|word| word.strip_prefix("--target=").map(str::to_owned));
        fuzz::target(&name.unwrap_or_default()).expect("--target= names a target")
    });
    run(data);
});

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((run, files)) = words.split_first().and_then(|(name, files)| Some((fuzz::target(name)?, files))) else {
        say("fuzz TARGET FILE…");
        return 2.into();
    };
    for file in files {
        match std::fs::read(file) {
            Ok(data) => run(&data),
            Err(error) => say(&format!("{file}: {error}")),
        }
    }
    0.into()
}

#[cfg(not(fuzzing))]
#[expect(clippy::print_stderr, reason = "a command for people")]
fn say(text: &str) {
    eprintln!("{text}");
}
