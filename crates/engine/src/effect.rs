//! What a request does, decided from what it really is, and what each mode lets out.
//!
//! The word lists are data, in `words/`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use model::{Mode, Request};

/// What a request does to its target, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Reads.
    Reads,
    /// Gets credentials, or tries to with a user that cannot exist.
    SignsIn,
    /// Does something although its method says that it reads: sends, exports, confirms.
    Acts,
    /// Creates or changes.
    Writes,
    /// Deletes.
    Deletes,
    /// Destroys although its method says that it reads.
    Destroys,
}

/// Why a request is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotSent {
    /// What it would do.
    pub effect: Effect,
    /// Why the mode keeps it back, and how to change that.
    pub reason: &'static str,
}

static DESTROYS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/destroys.txt")));
static ACTS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/acts.txt")));
static ONCE: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/once.txt")));
static METERED: LazyLock<BTreeSet<&str>> = LazyLock::new(|| words(include_str!("words/metered.txt")));

fn words(list: &'static str) -> BTreeSet<&'static str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Headers that some frameworks read the method from.
///
/// **Source**: Express `method-override`, Rails `Rack::MethodOverride`, ASP.NET
/// `HttpMethodOverrideMiddleware`.
pub const OVERRIDE_HEADERS: [&str; 3] = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

/// What a request does.
pub fn effect(request: &Request) -> Effect {
    let stated = OVERRIDE_HEADERS.iter().filter_map(|name| request.headers.first(name));
    let in_query = request.query().unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("_method="));
    stated
        .chain(in_query)
        .map(|method| effect_of(&method.to_ascii_uppercase(), request.path()))
        .chain([effect_of(&request.method.to_ascii_uppercase(), request.path())])
        .max()
        .unwrap_or(Effect::Reads)
}

fn effect_of(method: &str, path: &str) -> Effect {
    match method {
        "GET" | "HEAD" | "QUERY" => {
            let spoken = spoken(path);
            if spoken.iter().any(|word| DESTROYS.contains(word.as_str())) {
                Effect::Destroys
            } else if spoken.iter().any(|word| ACTS.contains(word.as_str())) {
                Effect::Acts
            } else {
                Effect::Reads
            }
        }
        "OPTIONS" | "TRACE" => Effect::Reads,
        "DELETE" => Effect::Deletes,
        // An invented verb is answered by no handler; whatever else is unknown is taken to write.
        "POST" | "PUT" | "PATCH" => Effect::Writes,
        other if other.starts_with("X-") => Effect::Reads,
        _ => Effect::Writes,
    }
}

/// True if the path says that each reading takes something away (a queue, a one-time link).
pub fn reads_once(path: &str) -> bool {
    spoken(path).iter().any(|word| ONCE.contains(word.as_str()))
}

/// True if the path says that each call may cost money.
pub fn is_metered(path: &str) -> bool {
    spoken(path).iter().any(|word| METERED.contains(word.as_str()))
}

/// The words of a path in lower case: segments that are no parameter, split at separators and at
/// capitals, and each segment as a whole.
fn spoken(path: &str) -> Vec<String> {
    let mut words = Vec::new();
    for segment in path.split('/').filter(|s| !s.is_empty() && !s.starts_with('{')) {
        let mut word = String::new();
        let mut after_small = false;
        for c in segment.chars() {
            if !c.is_alphanumeric() || (c.is_uppercase() && after_small) {
                words.push(std::mem::take(&mut word));
            }
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
            }
            after_small = c.is_lowercase();
        }
        words.push(word);
        words.push(segment.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect());
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a mode lets a request of this effect out.
///
/// # Errors
/// It does not, and why.
pub fn permit(mode: Mode, effect: Effect, loopback: bool) -> Result<(), NotSent> {
    let refuse = |reason| Err(NotSent { effect, reason });
    match (mode, effect) {
        (Mode::Description, _) => refuse("description mode sends nothing"),
        (Mode::Passive | Mode::Safe | Mode::Active | Mode::Destructive, Effect::Reads | Effect::SignsIn) => Ok(()),
        (Mode::Passive | Mode::Safe, Effect::Acts) if !loopback => {
            refuse("its name says that it acts, and the host is remote: list it under `repeatable`")
        }
        (Mode::Passive | Mode::Safe | Mode::Active | Mode::Destructive, Effect::Acts) => Ok(()),
        (Mode::Passive | Mode::Safe, Effect::Writes) => refuse("it writes: --mode active"),
        (Mode::Passive | Mode::Safe | Mode::Active, Effect::Deletes) => refuse("it deletes: --mode destructive"),
        (Mode::Passive | Mode::Safe | Mode::Active, Effect::Destroys) => {
            refuse("its name says that it destroys: --mode destructive, or list it under `repeatable`")
        }
        (Mode::Active | Mode::Destructive, Effect::Writes)
        | (Mode::Destructive, Effect::Deletes | Effect::Destroys) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_get_is_judged_by_what_its_path_says() {
        assert_eq!(effect(&Request::get("/createdb")), Effect::Destroys);
        assert_eq!(effect(&Request::get("/users/7/resetPassword?x=1")), Effect::Destroys);
        assert_eq!(effect(&Request::get("/admin/export")), Effect::Acts);
        assert_eq!(effect(&Request::get("/exports-of-goods/sendings")), Effect::Reads);
        assert_eq!(effect(&Request::get("/orders?action=delete")), Effect::Reads);
    }

    #[test]
    fn an_override_counts_as_the_method_that_it_names() {
        assert_eq!(effect(&Request::get("/a").with_header("x-http-method-override", "DELETE")), Effect::Deletes);
        assert_eq!(effect(&Request::get("/a?b=1&_method=put")), Effect::Writes);
        assert_eq!(effect(&Request::new("POST", "/a").with_header("X-HTTP-Method", "GET")), Effect::Writes);
    }

    #[test]
    fn each_mode_lets_out_what_docs_safety_says() {
        use Effect::*;
        let allowed = |mode, loopback| -> Vec<Effect> {
            [Reads, SignsIn, Acts, Writes, Deletes, Destroys]
                .into_iter()
                .filter(|e| permit(mode, *e, loopback).is_ok())
                .collect()
        };
        assert_eq!(allowed(Mode::Description, true), []);
        assert_eq!(allowed(Mode::Safe, false), [Reads, SignsIn]);
        assert_eq!(allowed(Mode::Safe, true), [Reads, SignsIn, Acts]);
        assert_eq!(allowed(Mode::Active, false), [Reads, SignsIn, Acts, Writes]);
        assert_eq!(allowed(Mode::Destructive, false), [Reads, SignsIn, Acts, Writes, Deletes, Destroys]);
    }
}
