//! Origins that a page could have. Names that are made up end in `.invalid`, which nobody can own.

use engine::Survey;
use model::{Origin, Response};

/// Second-level labels under which names are registered, as in `example.co.uk`.
///
/// **Source**: the commonest of the Public Suffix List; chosen. What is missing here costs one try.
const REGISTRY_LABELS: [&str; 12] = ["co", "com", "org", "net", "gov", "edu", "ac", "or", "ne", "go", "gob", "gouv"];

/// An origin that nobody knows.
pub(super) fn foreign(survey: &Survey) -> String {
    format!("https://{}-a.invalid", survey.unknown_word)
}

/// Another one.
pub(super) fn another_foreign(survey: &Survey) -> String {
    format!("https://{}-b.invalid", survey.unknown_word)
}

/// An origin that may well be allowed: the one that an answer names, else the API's own.
pub(super) fn allowed(answer: Option<&Response>, survey: &Survey) -> Origin {
    let named = answer.and_then(|a| a.headers.first("access-control-allow-origin"));
    named.and_then(|origin| origin.parse().ok()).unwrap_or_else(|| survey.origin.clone())
}

/// `https://api.example.com.<made up>.invalid`: passes a comparison that looks at the beginning only.
pub(super) fn name_as_prefix(allowed: &Origin, survey: &Survey) -> String {
    format!("{}://{}.{}.invalid", allowed.scheme(), allowed.host, survey.unknown_word)
}

/// `https://<made up>example.com`: passes a comparison that looks at the end only. Made from the
/// registered name, so that it is no subdomain, which may be allowed by design. `None` for addresses
/// and single labels.
pub(super) fn name_as_suffix(allowed: &Origin, survey: &Survey) -> Option<String> {
    let registered = registered_name(&allowed.host)?;
    Some(format!("{}://{}{registered}", allowed.scheme(), survey.unknown_word))
}

fn registered_name(host: &str) -> Option<&str> {
    if host.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    let [.., second, top] = labels.as_slice() else { return None };
    let taken = if top.len() == 2 && REGISTRY_LABELS.contains(second) { 3 } else { 2 };
    let length: usize = labels.iter().rev().take(taken).map(|label| label.len() + 1).sum();
    (labels.len() >= taken).then(|| &host.trim_end_matches('.')[host.trim_end_matches('.').len() + 1 - length..])
}

/// What tells the entry of one origin from that of another in a cache.
pub(super) fn mark(origin: &str, word: &str) -> String {
    // FNV-1a, 32 bits: short, and the same for the same origin.
    let digest = origin.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{word}-{digest:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registered_name_is_what_subdomains_hang_from() {
        assert_eq!(registered_name("api.example.com"), Some("example.com"));
        assert_eq!(registered_name("a.b.example.co.uk"), Some("example.co.uk"));
        assert_eq!(registered_name("example.com"), Some("example.com"));
        assert_eq!(registered_name("co.uk"), None);
        assert_eq!(registered_name("localhost"), None);
        assert_eq!(registered_name("127.0.0.1"), None);
    }
}
