//! Any text as a `middlebrick.yaml`. Behind the separator stands what every variable and file holds.

use engine::config::{ConfigError, Lookup, header_credential, parse, revoked_key, sample_identity};

/// Has the same text for every name, or nothing.
struct Same<'a>(Option<&'a str>);

impl Lookup for Same<'_> {
    fn variable(&self, _: &str) -> Option<String> {
        self.0.map(str::to_owned)
    }

    fn file(&self, _: &str) -> Option<String> {
        self.0.map(str::to_owned)
    }
}

/// Reads it with nothing and with something to look up. Nothing panics, errors have words.
pub fn run(data: &[u8]) {
    let parts = crate::parts(data);
    let text = String::from_utf8_lossy(parts[0]);
    let held = parts.get(1).map(|held| String::from_utf8_lossy(held));
    match parse(&text) {
        Ok(config) => {
            for lookup in [Same(None), Same(held.as_deref())] {
                if let Err(error) = config.resolve(&lookup) {
                    has_words(&error);
                }
            }
        }
        Err(error) => has_words(&error),
    }
    if let Some(held) = held {
        _ = header_credential("Authorization", &held);
        for result in [sample_identity("sample", &held).map(|_| ()), revoked_key("k", Some(&held), "x").map(|_| ())] {
            if let Err(error) = result {
                has_words(&error);
            }
        }
    }
}

fn has_words(error: &ConfigError) {
    assert!(!error.to_string().is_empty());
    _ = error.hint();
}
