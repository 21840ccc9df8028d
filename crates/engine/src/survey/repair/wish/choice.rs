//! The values that a message offers.

use std::sync::LazyLock;

use regex::Regex;

use super::super::pattern;

/// Most values that are kept.
const MOST: usize = 50;
/// Longest value that is believed to be one, in characters.
const LONGEST: usize = 60;

/// Returns the values one of which the message wants; an empty list where it wants one of a closed
/// set but does not tell which, `None` where it is about something else.
pub(super) fn wanted(message: &str) -> Option<Vec<String>> {
    // The formats of a date are no values.
    if FORMATS.is_match(message) {
        return None;
    }
    if CLOSED.is_match(message) {
        return Some(Vec::new());
    }
    if let Some(found) = ENUM.captures(message).or_else(|| OFFERED.captures(message)) {
        let list = found.name("list").map_or("", |l| l.as_str());
        return Some(values(list));
    }
    if let Some(found) = QUOTED.captures(message) {
        let offered = values(&found["list"]);
        return (!offered.is_empty()).then_some(offered);
    }
    UNTOLD.is_match(message).then(Vec::new)
}

static FORMATS: LazyLock<Regex> = LazyLock::new(|| pattern(r"one of these formats|following formats?"));

/// Ajv's sentence without its parameters.
static CLOSED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"one of (?:the )?(?:allowed|permitted|valid|accepted) (?:values|options|choices)\.?$"));

/// How Jackson and AWS name the values of an enumeration.
static ENUM: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:for enum class|enum value set): (?P<list>\[.+)$"));

static OFFERED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:(?:one|any) of(?: the)?(?: following| allowed| valid| permitted| accepted| supported)*(?: values?| options?| choices?)?|(?:allowed|valid|permitted|accepted|supported|possible|available) (?:values?|options?|choices?)(?: are| is|)|permitted|must be either)[: ]+(?P<list>.+)$",
    )
});

/// `Input should be 'a' or 'b'`, `Expected 'a' | 'b'`, `expected "a"`.
static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:input should be|expected|must be|should be) (?P<list>(?:'[^']*'|"[^"]*"|`[^`]*`)(?:(?:, (?:or )?| or | ?\| ?)(?:'[^']*'|"[^"]*"|`[^`]*`))*)(?:,? received .*| but .*)?\.?$"#,
    )
});

/// A closed set that is not told.
static UNTOLD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"not (?:a |an )?(?:valid|allowed|permitted) (?:choice|option|enum|enumeration)|not included in the list|^the selected .+ is invalid|valid enum value|one of the allowed values|invalid (?:choice|option|enum)|not one of the (?:allowed|permitted|available|valid)|not in the list of|select a valid choice",
    )
});

fn values(list: &str) -> Vec<String> {
    static END: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"[,;.]? (?:received|but (?:got|was|received)|got|given|at line|found|instead)\b.*$|\. .*$|\s\(.*$| - '[\w.]+'$",
        )
    });
    static ITEM: LazyLock<Regex> = LazyLock::new(|| pattern(r#"'([^']*)'|"([^"]*)"|`([^`]*)`|“([^”]*)”|‘([^’]*)’"#));
    static BREAK: LazyLock<Regex> = LazyLock::new(|| pattern(r"\s*(?:,\s*(?:or|and)?\s|,|\||\s(?:or|and)\s)\s*"));
    let list = END.replace(list.trim(), "");
    let inner = list.trim().trim_end_matches('.');
    let quoted: Vec<&str> =
        ITEM.captures_iter(inner).filter_map(|c| c.iter().skip(1).flatten().next()).map(|m| m.as_str()).collect();
    let bare = inner.trim_start_matches(['[', '(', '{']);
    let bare = bare.split([']', ')', '}']).next().unwrap_or_default();
    let found = if quoted.is_empty() { BREAK.split(bare).map(str::trim).collect() } else { quoted };
    let believable = |v: &&str| !v.is_empty() && v.chars().count() <= LONGEST;
    // A bare phrase of several words is a sentence going on, not a value.
    if bare == inner && !inner.contains(['\'', '"', '`', '“']) && found.iter().any(|v| v.split(' ').count() > 2) {
        return Vec::new();
    }
    found.into_iter().filter(believable).take(MOST).map(Into::into).collect()
}
