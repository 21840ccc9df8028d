//! Finds keywords with one automaton, then runs only the patterns whose keyword occurs, around it.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::rules::{Rule, rules};
use super::{Detection, entropy_bits_per_char, is_placeholder, verify};
use crate::escapes::levels;

/// Returns the secrets and personal data in a text, in the order of the text, without overlaps.
///
/// The text may be of any encoding that keeps ASCII; escapes of JSON, HTML and URLs in it are undone. Where two rules claim the same bytes, the surer
/// one wins, then the more specific one. Placeholders, masked values and documented examples are left
/// out.
pub fn detect(text: &[u8]) -> Vec<Detection> {
    let mut found = std::collections::BTreeMap::<usize, Detection>::new();
    levels(text, &mut |read, written| {
        for mut detection in detect_in(read) {
            let at = written(detection.start..detection.end);
            let before = found.range(..at.end).next_back();
            if before.is_none_or(|(_, other)| other.end <= at.start) {
                (detection.start, detection.end) = (at.start, at.end);
                found.insert(at.start, detection);
            }
        }
    });
    found.into_values().collect()
}

/// What [`detect`] finds in one reading.
fn detect_in(text: &[u8]) -> Vec<Detection> {
    let rules = rules();
    let mut candidates = Vec::new();
    for (rank, windows) in windows(text).into_iter().enumerate() {
        for window in windows {
            search(text, window, rank, &rules[rank], &mut candidates);
        }
    }
    without_overlaps(candidates)
}

/// Returns a value in the form that may be shown: its vendor's public prefix, if the value is recognized
/// as that vendor's, then its length in characters, as in `ghp_…(40 characters)`.
pub fn mask(value: &str) -> String {
    detect(value.as_bytes())
        .into_iter()
        .find(|found| found.start == 0 && found.end == value.len())
        .map_or_else(|| masked("", value.chars().count()), |found| found.masked)
}

struct Candidate {
    rank: usize,
    detection: Detection,
}

fn search(text: &[u8], window: Range<usize>, rank: usize, rule: &Rule, found: &mut Vec<Candidate>) {
    // Matching inside the longer text keeps the byte before the window visible to `\b`.
    let visible = &text[..window.end];
    let mut from = window.start;
    while from <= visible.len() {
        let Some(captures) = rule.regex().captures_at(visible, from) else {
            return;
        };
        let Some(whole) = captures.get(0) else { return };
        let value = captures.name("value").unwrap_or(whole);
        let secret = captures.name("secret").unwrap_or(value);
        from = whole.end().max(from + 1);
        let Ok(shown) = std::str::from_utf8(value.as_bytes()) else {
            continue;
        };
        let Ok(secret) = std::str::from_utf8(secret.as_bytes()) else {
            continue;
        };
        if is_placeholder(secret) || entropy_bits_per_char(secret) < rule.min_entropy {
            continue;
        }
        if !verify::holds(rule.proof, secret) {
            continue;
        }
        found.push(Candidate {
            rank,
            detection: Detection {
                rule: rule.id.clone(),
                kind: rule.kind,
                name: rule.name.clone(),
                start: value.start(),
                end: value.end(),
                certainty: rule.certainty,
                publishable: rule.publishable,
                masked: mask_by(rule, shown),
            },
        });
    }
}

fn mask_by(rule: &Rule, value: &str) -> String {
    let shown = rule.shown.iter().filter(|shown| value.starts_with(shown.as_str())).max_by_key(|shown| shown.len());
    masked(shown.map_or("", String::as_str), value.chars().count())
}

fn masked(shown: &str, characters: usize) -> String {
    match characters {
        1 => format!("{shown}…(1 character)"),
        _ => format!("{shown}…({characters} characters)"),
    }
}

fn without_overlaps(mut candidates: Vec<Candidate>) -> Vec<Detection> {
    candidates.sort_by(|a, b| {
        b.detection
            .certainty
            .cmp(&a.detection.certainty)
            .then(a.rank.cmp(&b.rank))
            .then(a.detection.start.cmp(&b.detection.start))
    });
    let mut kept = std::collections::BTreeMap::<usize, Detection>::new();
    for Candidate { detection, .. } in candidates {
        let before = kept.range(..detection.end).next_back();
        if before.is_none_or(|(_, other)| other.end <= detection.start) {
            kept.insert(detection.start, detection);
        }
    }
    kept.into_values().collect()
}

/// For each rule, the merged stretches of the text around its keywords.
fn windows(text: &[u8]) -> Vec<Vec<Range<usize>>> {
    let rules = rules();
    let mut windows = vec![Vec::<Range<usize>>::new(); rules.len()];
    for hit in KEYWORDS.automaton.find_overlapping_iter(text) {
        for &rank in &KEYWORDS.ranks[hit.pattern().as_usize()] {
            let reach = rules[rank].reach;
            let window = hit.start().saturating_sub(reach)..(hit.end() + reach).min(text.len());
            match windows[rank].last_mut() {
                Some(last) if window.start <= last.end => last.end = last.end.max(window.end),
                _ => windows[rank].push(window),
            }
        }
    }
    windows
}

struct Keywords {
    automaton: AhoCorasick,
    /// For each keyword of the automaton, the rules that it belongs to.
    ranks: Vec<Vec<usize>>,
}

static KEYWORDS: LazyLock<Keywords> = LazyLock::new(|| {
    let mut ranks = std::collections::BTreeMap::<String, Vec<usize>>::new();
    for (rank, rule) in rules().iter().enumerate() {
        for keyword in &rule.keywords {
            ranks.entry(keyword.to_ascii_lowercase()).or_default().push(rank);
        }
    }
    let automaton = AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(ranks.keys())
        .expect("a few hundred short keywords fit an automaton");
    Keywords { automaton, ranks: ranks.into_values().collect() }
});
