//! Values that stand for a secret without being one.

use std::sync::LazyLock;

use regex::Regex;

/// Returns the Shannon entropy of a text over its bytes, in bits per character: 0 for one repeated
/// character, at most 8.
///
/// **Source**: Shannon, "A Mathematical Theory of Communication" (1948), section 6.
pub fn entropy_bits_per_char(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text.bytes() {
        counts[usize::from(byte)] += 1;
    }
    let length = text.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

/// Whether a value stands for a secret without being one: empty, a literal such as `null`, a template,
/// a mask, a stretch of the alphabet, words that ask to be replaced, or an example key from a vendor's
/// documentation.
pub fn is_placeholder(value: &str) -> bool {
    let value = value.trim().trim_matches(['"', '\'', '`']).trim();
    let lower = value.to_ascii_lowercase();
    EMPTY.contains(&lower.as_str())
        || is_template(value)
        || is_masked(&lower)
        || is_monotonous(&lower)
        || WORDS.is_match(&lower)
        || is_documented_example(value)
}

/// Literals that say "nothing" in some language.
const EMPTY: &[&str] = &[
    "",
    "null",
    "none",
    "nil",
    "undefined",
    "true",
    "false",
    "nan",
    "n/a",
    "na",
    "-",
    "string",
    "str",
    "text",
    "value",
    "tbd",
    "todo",
    "unset",
    "empty",
    "optional",
    "required",
    "password",
    "passwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "key",
    "credentials",
    "pass",
    "passphrase",
    "bearer",
    "basic",
    "hidden",
    "private",
];

fn is_template(value: &str) -> bool {
    let enclosed = |open: char, close: char| value.starts_with(open) && value.ends_with(close);
    enclosed('<', '>')
        || enclosed('{', '}')
        || enclosed('[', ']')
        || enclosed('%', '%')
        || ["{{", "}}", "${", "$(", "#{", "<%", "%(", "&lt;", "process.env", "os.environ", "getenv"]
            .iter()
            .any(|mark| value.contains(mark))
        || value.strip_prefix(['$', ':', '@']).is_some_and(is_name)
        || matches!(value, "%s" | "%d" | "?" | "{}")
}

/// An upper-case variable name such as `DB_PASSWORD`.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

fn is_masked(lower: &str) -> bool {
    lower.contains(['•', '●', '…', '█', '∗', '＊'])
        || ["...", "***", "xxxx", "____", "----", "####", "0000000"].iter().any(|run| lower.contains(run))
        || lower.chars().all(|c| "*x.-_#?0 ".contains(c))
}

/// One or two characters, one repeated group, or mostly a run such as `abcdefgh` or `12345678`.
fn is_monotonous(lower: &str) -> bool {
    let bytes = lower.as_bytes();
    if bytes.len() < 4 {
        return false;
    }
    let mut seen = [false; 256];
    for byte in bytes {
        seen[usize::from(*byte)] = true;
    }
    if seen.iter().filter(|seen| **seen).count() <= 2 {
        return true;
    }
    if bytes.len() >= 12 && (1..=bytes.len() / 2).any(|n| bytes.iter().zip(&bytes[n..]).all(|(a, b)| a == b)) {
        return true;
    }
    let steps = bytes.windows(2).filter(|pair| pair[1] == pair[0].wrapping_add(1) || pair[0] == pair[1]).count();
    bytes.len() >= 8 && steps * 2 >= bytes.len()
}

/// Words that occur in no random value and in many examples.
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"example|placeholder|change[-_ ]?me|change[-_ ]?this|redacted|filtered|masked|dummy|",
        r"replace[-_ ]?(?:me|this|with)|insert[-_ ]?(?:your|here)|not[-_ ]?a[-_ ]?real|not[-_ ]?real|",
        r"(?:key|token|secret|password|passwd|pwd)[-_ ]?(?:goes[-_ ]?)?here|",
        r"^(?:your|my|the|some|any|enter|add|put|paste|set)[-_ ]?(?:own[-_ ]?|super[-_ ]?|new[-_ ]?|",
        r"secret|private|public|client|access|auth|api|app|bot|user|db|database|jwt|strong|long|random|",
        r"token|key|password|passwd|pwd|pass|256)|",
        r"(?:^|[^a-z0-9])(?:your|sample|fake|foobar|foo|bar|lorem|ipsum|demo|todo|fixme|invalid|",
        r"test[-_]?(?:key|token|secret|password))(?:$|[^a-z0-9])|",
        r"abcdefghij|1234567890|0123456789|9876543210|qwertyuiop|deadbeefdeadbeef",
    ))
    .expect("the pattern is fixed and a test runs it")
});

/// Keys that vendors print in their own documentation. They are assembled from parts so that no
/// scanner takes this file for a leak.
///
/// **Source**: AWS IAM user guide "Managing access keys"; Stripe API reference "Authentication";
/// Azurite "Well-known storage account and key"; jwt.io debugger; Google Maps Platform samples.
fn is_documented_example(value: &str) -> bool {
    const PARTS: &[&str] = &[
        concat!("4eC39HqLyj", "WDarjtT1zdp7dc"),
        concat!("BQokikJOvBi", "I2HlWgH4olfQ2"),
        concat!("TYooMQauvd", "EDq54NiTphI7jx"),
        concat!("Eby8vdM02xNOcqFlqUwJ", "PLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq"),
        concat!("AIzaSyDaGmWKa4Js", "XZ-HjGw7ISLn_3namBGewQe"),
        // Claims of the default token: {"sub":"1234567890","name":"John Doe" …
        "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lI",
        // The same claims as printed with spaces or another order of members.
        "eyJzdWIiOiAiMTIzNDU2Nzg5MCIsICJuYW1lIjogIkpvaG4gRG9lI",
        "eyJsb2dnZWRJbkFzIjoiYWRtaW4iLCJpYXQiOjE0MjI3Nzk2Mzh9",
    ];
    PARTS.iter().any(|part| value.contains(part))
}
