//! What the shell gives: environment variables, files, folders. The only place that reads them.

use std::path::PathBuf;

use engine::config::Lookup;
use etcetera::{BaseStrategy, choose_base_strategy};
use store::Store;

/// The process's environment.
pub(crate) struct Shell;

impl Lookup for Shell {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }
}

/// The scans of this user. Without a home folder, those below the current one.
pub(crate) fn store() -> Store {
    let strategy = choose_base_strategy().ok();
    let state = strategy.and_then(|s| s.state_dir().or_else(|| Some(s.data_dir())));
    Store::below(&state.unwrap_or_else(|| PathBuf::from(".middlebrick")))
}
