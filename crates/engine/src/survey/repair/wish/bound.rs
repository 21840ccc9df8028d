//! The least and the most that a message permits, of a number or of a length.

use std::sync::LazyLock;

use regex::Regex;

use super::super::{Wish, pattern};

const NUMBER: &str = r"(?:the value |the number |the length )?['\x22(\[]*(-?\d+(?:\.\d+)?)";

/// Returns the bounds that a message states, the lower one first; empty where it states none.
pub(super) fn wanted(message: &str) -> Vec<Wish> {
    let of_length = LENGTH.is_match(message);
    if let Some(found) = BETWEEN.captures(message) {
        let (Ok(low), Ok(high)) = (found[1].parse(), found[2].parse()) else { return Vec::new() };
        return vec![least(low, of_length), most(high, of_length)];
    }
    let mut wishes: Vec<Wish> = Vec::new();
    for found in COMPARED.captures_iter(message) {
        let Some(number) = found.get(3) else { continue };
        let rest = &message[number.end()..];
        // `2020-01-01` and `10:30` are no numbers.
        if rest.starts_with(['-', ':', '/']) && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            continue;
        }
        let Ok(number) = number.as_str().parse::<f64>() else { continue };
        let wish = bound(&found[2].to_ascii_lowercase(), found.get(1).is_some(), number, of_length);
        if !wishes.contains(&wish) {
            wishes.push(wish);
        }
    }
    if wishes.is_empty() && POSITIVE.is_match(message) {
        wishes.push(Wish::AtLeast(1.0));
    }
    if wishes.is_empty() && NOT_NEGATIVE.is_match(message) {
        wishes.push(Wish::AtLeast(0.0));
    }
    wishes
}

/// A lower bound of a number or of a length.
pub(super) fn least(bound: f64, of_length: bool) -> Wish {
    if of_length { Wish::AtLeastLong(length(bound)) } else { Wish::AtLeast(bound) }
}

/// An upper bound of a number or of a length.
pub(super) fn most(bound: f64, of_length: bool) -> Wish {
    if of_length { Wish::AtMostLong(length(bound)) } else { Wish::AtMost(bound) }
}

fn length(bound: f64) -> usize {
    // The cast saturates at zero and at the largest length.
    bound as usize
}

fn bound(compared: &str, negated: bool, number: f64, of_length: bool) -> Wish {
    let upwards = ["greater", "more", "larger", "bigger", "longer", "higher", "above", "over", "exceed", ">", "after"];
    let is_upwards = upwards.iter().any(|w| compared.starts_with(w));
    let inclusive = compared.contains("equal") || compared.contains('=');
    if compared.starts_with("at least") || compared.starts_with("min") || compared.starts_with("a min") {
        return least(number, of_length);
    }
    if compared.starts_with("at most") || compared.starts_with("max") || compared.starts_with("up to") {
        return most(number, of_length);
    }
    match (is_upwards, negated, inclusive) {
        (true, false, true) | (false, true, false) => least(number, of_length),
        (true, true, false) | (false, false, true) => most(number, of_length),
        (true, false, false) | (false, true, true) => least(number + 1.0, of_length),
        (true, true, true) | (false, false, false) => most(number - 1.0, of_length),
    }
}

static LENGTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"character|\blength\b|\blong\b|\blonger\b|\bshorter\b|\btoo short\b|\btoo long\b|\bsize must\b|\bitems?\b|\belements?\b|\bentries\b|expected (?:string|array|set) to have",
    )
});

static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:between|in (?:the )?range(?: of)?:?|range:?|within) {NUMBER}['\x22]?(?: and | to | ?- ?|, ?|\.\.){NUMBER}(?:[^\d:/-]|[.]|$)"
    ))
});

static COMPARED: LazyLock<Regex> = LazyLock::new(|| {
    let words = [
        r"(?:greater|more|larger|bigger|longer|higher)(?: than)? or equal(?:s|(?: to| than))?(?: to)?",
        r"(?:less|fewer|smaller|shorter|lower)(?: than)? or equal(?:s|(?: to| than))?(?: to)?",
        r"(?:greater|more|larger|bigger|longer|higher|less|fewer|smaller|shorter|lower) than",
        r"at least|at most|up to|above|below|over|under|exceeds?",
        r"(?:minimum|maximum|min|max)(?: allowed| permitted)?(?: value| length| size| limit)?(?: allowed)?(?: is| of|:)?",
        r">=|<=|>|<|≥|≤",
    ]
    .join("|");
    pattern(&format!(r"(\b(?:not|no|cannot|can't)(?: (?:be|have|contain))? )?({words})\s*{NUMBER}"))
});

static POSITIVE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"must be (?:a )?(?:strictly )?positive\b|(?:not|n't) (?:a )?(?:valid )?positive"));
static NOT_NEGATIVE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\bnon-?negative\b|(?:must not|cannot|can't|can not|should not|may not) be negative|positive (?:number )?or zero|greater than or equal to zero",
    )
});
