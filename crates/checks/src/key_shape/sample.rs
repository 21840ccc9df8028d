//! Keys that say of themselves that they are for tests, and hosts that are.

use serde::{Deserialize, Serialize};

/// Why a key is no key of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sample {
    /// Documents print it.
    Printed,
    /// A word of it says so.
    Word(String),
}

/// What kind of host is scanned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Host {
    /// This machine.
    Loopback,
    /// Its name says that it is for tests.
    Sandbox,
    /// Any other.
    Other,
}

/// Keys that documents print, lower-case.
///
/// **Source**: Swagger Petstore (`special-key`), api.data.gov (`DEMO_KEY`), placeholders of OpenAPI
/// examples and of the documents of Kong, Tyk and AWS.
const PRINTED: [&str; 14] = [
    "special-key",
    "demo_key",
    "demo-key",
    "your_api_key",
    "your-api-key",
    "your_api_key_here",
    "my-api-key",
    "my_api_key",
    "api_key",
    "api-key",
    "test-key",
    "secret-key",
    "changeme",
    "abcdef12345",
];

/// Words of keys that are not for production, as whole parts.
///
/// **Source**: key prefixes of Stripe, Adyen, Clerk and Paddle.
const WORDS: [&str; 8] = ["test", "demo", "sandbox", "sample", "example", "dummy", "dev", "staging"];

/// Words of hosts that are not for production, as whole labels or parts of one.
///
/// **Source**: KEY-025 of docs/rows.md; RFC 6761 and RFC 2606 (`test`, `example`).
const SANDBOXES: [&str; 14] = [
    "sandbox", "test", "testing", "staging", "stage", "stg", "dev", "qa", "uat", "demo", "preprod", "int", "example",
    "local",
];

/// Why a key is a sample, if it is one.
pub(super) fn sample(key: &str) -> Option<Sample> {
    let key = key.to_ascii_lowercase();
    if PRINTED.contains(&key.as_str()) {
        return Some(Sample::Printed);
    }
    let parts: Vec<&str> = key.split(['_', '-', '.']).collect();
    WORDS.into_iter().find(|word| parts.contains(word)).map(|word| Sample::Word(word.to_owned()))
}

/// What kind of host an origin is.
pub(super) fn host(origin: &model::Origin) -> Host {
    if origin.is_loopback() {
        return Host::Loopback;
    }
    let mut parts = origin.host.split(['.', '-']);
    if parts.any(|part| SANDBOXES.contains(&part.trim_end_matches(|c: char| c.is_ascii_digit()))) {
        return Host::Sandbox;
    }
    Host::Other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_known_by_whole_words() {
        assert_eq!(sample("sk_test_4f2a9c77"), Some(Sample::Word("test".into())));
        assert_eq!(sample("DEMO_KEY"), Some(Sample::Printed));
        assert_eq!(sample("sk_live_contest9c77"), None);
    }

    #[test]
    fn sandboxes_are_known_by_their_names() {
        let of = |url: &str| host(&url.parse().unwrap());
        assert_eq!(of("https://api-sandbox.shop.com"), Host::Sandbox);
        assert_eq!(of("https://qa2.shop.com"), Host::Sandbox);
        assert_eq!(of("https://api.contest.com"), Host::Other);
        assert_eq!(of("http://127.0.0.1:5000"), Host::Loopback);
    }
}
