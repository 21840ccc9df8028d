//! The configuration file: the one that `--config` names, or the one that lies in the folder.

use std::path::{Path, PathBuf};

use anyhow::Context;
use engine::config::{self, Config, Typed};

use crate::args::ScanOptions;
use crate::output::hinted;

/// Names under which a file in the folder is read by itself, the first one that is there.
const USUAL: [&str; 2] = ["middlebrick.yaml", "middlebrick.yml"];

/// Largest file that is read.
///
/// **Source**: chosen; a configuration is written by hand.
const LARGEST: u64 = 1024 * 1024;

/// What counts of a configuration.
#[derive(Default)]
pub(crate) struct Configuration {
    pub(crate) config: Config,
    /// Where it was read.
    pub(crate) file: Option<String>,
    /// What is to be said of it.
    pub(crate) notices: Vec<String>,
}

/// Reads the configuration that counts for what was typed.
pub(crate) fn read(options: &ScanOptions) -> anyhow::Result<Configuration> {
    if let Some(path) = &options.config {
        let config = parse(path, None)?;
        return Ok(Configuration { config, file: Some(path.display().to_string()), notices: Vec::new() });
    }
    let mut found = USUAL.into_iter().filter(|name| Path::new(name).is_file());
    let Some(name) = found.next().filter(|_| !options.no_config) else { return Ok(Configuration::default()) };
    let hint = "--no-config scans without it";
    let typed = Typed {
        target: options.target.as_deref(),
        base_url: options.base_url.as_deref(),
        has_credentials: !options.headers.is_empty() || options.sample.is_some() || !options.revoked_key.is_empty(),
    };
    let (config, mut notices) = parse(&PathBuf::from(name), Some(hint))?.found(name, typed);
    if let Some(other) = found.next() {
        notices.push(format!("{name} and {other} are both here: {other} is not read"));
    }
    Ok(Configuration { config, file: Some(name.into()), notices })
}

fn parse(path: &Path, hint: Option<&str>) -> anyhow::Result<Config> {
    let unreadable = || format!("cannot read the configuration `{}`", path.display());
    if std::fs::metadata(path).with_context(unreadable)?.len() > LARGEST {
        return Err(hinted(
            format!("the configuration `{}` is larger than 1 MiB", path.display()),
            hint.map(Into::into),
        ));
    }
    let text = std::fs::read_to_string(path).with_context(unreadable)?;
    config::parse(&text).map_err(|error| {
        let hints: Vec<String> = error.hint().into_iter().chain(hint.map(Into::into)).collect();
        hinted(format!("{}: {error}", path.display()), (!hints.is_empty()).then(|| hints.join("; ")))
    })
}
