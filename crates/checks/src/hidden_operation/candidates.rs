//! Paths that may have an operation although the description does not say so.

use std::collections::{BTreeMap, BTreeSet};

use engine::Survey;
use engine::effect::{Effect, effect, is_metered, reads_once};
use model::Request;
use serde_json::Value;

/// Siblings of each kind that are tried.
///
/// **Source**: chosen; so that words get their share of the requests.
const SIBLINGS: usize = 6;

/// Words that are tried below each directory other than the first.
///
/// **Source**: chosen.
const WORDS_BELOW: usize = 4;

/// Directories below which words are tried.
///
/// **Source**: chosen.
const DIRECTORIES: usize = 3;

const WORDS: &str = include_str!("words.txt");

/// A path below the base path, and why it is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: String,
    /// True if ordinary callers should not get an answer.
    pub(super) privileged: bool,
}

/// Paths to try, the most telling first: relatives of described operations, then words.
pub(super) fn candidates(survey: &Survey) -> Vec<Candidate> {
    let described: BTreeSet<(&str, &str)> =
        survey.inventory.operations.iter().map(|o| (o.method.as_str(), o.path.as_str())).collect();
    let mut paths: Vec<(String, bool)> = Vec::new();
    paths.extend(collections(&described).into_iter().take(SIBLINGS).map(|path| (path, false)));
    paths.extend(items(survey).into_iter().take(SIBLINGS).map(|path| (path, false)));
    for (position, directory) in directories(&described).into_iter().enumerate() {
        let most = if position == 0 { usize::MAX } else { WORDS_BELOW };
        paths.extend(words().take(most).map(|(word, privileged)| (format!("{directory}/{word}"), privileged)));
    }
    let mut seen = BTreeSet::new();
    paths.retain(|(path, _)| {
        let request = Request::get(path);
        let harmless = effect(&request) == Effect::Reads && !reads_once(path) && !is_metered(path);
        harmless
            && seen.insert(path.clone())
            && !described.iter().any(|(method, template)| *method == "GET" && matches(template, path))
    });
    paths.into_iter().map(|(path, privileged)| Candidate { path, privileged }).collect()
}

/// The directory of a path, without a slash at its end.
pub(super) fn directory(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// True if a path, base path included, belongs to a described operation of this method.
pub(super) fn is_described(survey: &Survey, method: &str, path: &str) -> bool {
    let below = path.strip_prefix(survey.base_path.as_str()).unwrap_or(path);
    survey.inventory.operations.iter().any(|o| o.method == method && matches(&o.path, below))
}

/// Collections whose members, or whose other methods, are described, and that nobody says can be read.
fn collections(described: &BTreeSet<(&str, &str)>) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for (method, template) in described {
        let parent = directory(template);
        let of_members = template.ends_with('}') && !parent.is_empty() && !parent.contains('{');
        let of_methods = *method == "POST" && !template.contains('{') && template.ends_with('s');
        for path in [of_members.then_some(parent), of_methods.then_some(*template)].into_iter().flatten() {
            if !paths.iter().any(|other| other == path) {
                paths.push(path.to_owned());
            }
        }
    }
    paths
}

/// Members of lists that were seen, where nobody says that they can be read one by one.
fn items(survey: &Survey) -> Vec<String> {
    let mut by_list: BTreeMap<&str, String> = BTreeMap::new();
    for resource in &survey.resources {
        let id = resource.members.iter().find(|(name, _)| matches!(name.as_str(), "id" | "uuid" | "_id"));
        let id = match id.map(|(_, value)| value) {
            Some(Value::String(text)) if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') => {
                text.clone()
            }
            Some(Value::Number(number)) => number.to_string(),
            Some(_) | None => continue,
        };
        if !id.is_empty() && !resource.seen_in.contains('{') {
            let list = resource.seen_in.trim_end_matches('/');
            by_list.entry(list).or_insert_with(|| format!("{list}/{id}"));
        }
    }
    by_list.into_values().collect()
}

/// The root, then the directories with the most described paths.
fn directories(described: &BTreeSet<(&str, &str)>) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, template) in described {
        let parent = directory(template);
        if !parent.is_empty() && !parent.contains('{') {
            *counts.entry(parent).or_default() += 1;
        }
    }
    let mut directories: Vec<(&str, usize)> = counts.into_iter().collect();
    directories.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let below = directories.into_iter().map(|(directory, _)| directory.to_owned());
    [String::new()].into_iter().chain(below).take(DIRECTORIES).collect()
}

/// Words of the data file, and whether ordinary callers should not get an answer.
fn words() -> impl Iterator<Item = (&'static str, bool)> {
    let lines = WORDS.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| match line.split_once(' ') {
        Some((word, class)) => (word, class == "privileged"),
        None => (line, false),
    })
}

/// True if a path is one of a template's.
fn matches(template: &str, path: &str) -> bool {
    let segments = |text: &str| text.trim_end_matches('/').split('/').map(ToOwned::to_owned).collect::<Vec<_>>();
    let (template, path) = (segments(template), segments(path));
    template.len() == path.len()
        && template.iter().zip(&path).all(|(t, p)| t == p || (t.contains('{') && !p.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_described_template_is_no_candidate() {
        assert!(matches("/users/{name}", "/users/admin"));
        assert!(matches("/users/", "/users"));
        assert!(!matches("/users/{name}", "/users"));
        assert!(!matches("/users/{name}", "/users/admin/x"));
    }

    #[test]
    fn collections_of_described_members_and_methods_are_relatives() {
        let described =
            BTreeSet::from([("GET", "/orders/{id}"), ("POST", "/users"), ("POST", "/login"), ("GET", "/a/{b}/c/{d}")]);
        assert_eq!(collections(&described), ["/orders", "/users"]);
    }

    #[test]
    fn every_word_can_be_sent_in_safe_mode() {
        assert!(words().count() >= 30);
        for (word, _) in words() {
            assert_eq!(effect(&Request::get(&format!("/{word}"))), Effect::Reads, "{word}");
        }
    }
}
