//! Why a target answers nobody as it should: what is wrong with it, and what may help. Nothing of this says
//! anything about a credential.

use std::collections::BTreeMap;

use model::{Answer, Response, TransportError, TransportErrorKind};

use crate::controls::{Standing, standing};
use crate::pace::limits;

/// What is wrong with a target, as one exchange shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No response came.
    Silent(TransportError),
    /// There is nothing at the path.
    Missing(u16),
    /// It asks to slow down.
    Limited(u16),
    /// It fails.
    Failing(u16),
    /// Something before it refuses, whatever the credential.
    Blocked(u16),
    /// It sends the caller elsewhere, to this place.
    Elsewhere(String),
}

impl Trouble {
    /// The trouble that an answer shows; none where it works, refuses a credential, or dislikes the request.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let response = match answer {
            Answer::Error(error) => return Some(Self::Silent(error.clone())),
            Answer::Response(response) => response,
        };
        let status = response.status;
        if is_block_page(response) {
            return Some(Self::Blocked(status));
        }
        if limits(response) {
            return Some(Self::Limited(status));
        }
        match standing(response) {
            Standing::Failed => Some(Self::Failing(status)),
            Standing::Missing => Some(Self::Missing(status)),
            Standing::Limited => Some(Self::Limited(status)),
            Standing::Redirected => {
                Some(Self::Elsewhere(response.headers.first("location").unwrap_or_default().to_owned()))
            }
            Standing::Works | Standing::Refused | Standing::Invalid | Standing::Unclear => None,
        }
    }

    /// The trouble that most of these answers show, if more than half show one kind of it.
    pub(crate) fn of_most<'a>(answers: impl Iterator<Item = &'a Answer>) -> Option<Self> {
        let mut kinds: BTreeMap<u8, (usize, Self)> = BTreeMap::new();
        let mut all = 0;
        for answer in answers {
            all += 1;
            if let Some(trouble) = Self::of(answer) {
                kinds.entry(trouble.kind()).or_insert((0, trouble)).0 += 1;
            }
        }
        let (count, trouble) = kinds.into_values().max_by_key(|(count, _)| *count)?;
        (count * 2 > all).then_some(trouble)
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Silent(_) => 0,
            Self::Missing(_) => 1,
            Self::Limited(_) => 2,
            Self::Failing(_) => 3,
            Self::Blocked(_) => 4,
            Self::Elsewhere(_) => 5,
        }
    }

    /// What is wrong, in one sentence that follows "the target".
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Silent(error) => format!("gives no response: {error}"),
            Self::Missing(status) => format!("answers every path with {status}"),
            Self::Limited(status) => format!("limits all requests ({status})"),
            Self::Failing(status) => format!("fails ({status})"),
            Self::Blocked(status) => format!("is behind something that blocks the scan ({status} with a page)"),
            Self::Elsewhere(_) => "redirects every request elsewhere".into(),
        }
    }

    /// What may help.
    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Silent(error) => silence_hint(error).into(),
            Self::Missing(_) => {
                "is the base path right? --base-url URL says where the paths of the description begin".into()
            }
            Self::Limited(_) => "try again later, or slower: --rate 2".into(),
            Self::Failing(_) => "is it overloaded, or is something that it needs down? --rate 2 asks slower".into(),
            Self::Blocked(_) => {
                "does a firewall block this machine? allow its address or its User-Agent, or ask slower: --rate 2"
                    .into()
            }
            Self::Elsewhere(place) => match place.split(['?', '#']).next().filter(|p| p.starts_with("http")) {
                Some(place) => format!("--base-url scans the other place, if it is yours: {place}"),
                None => "--base-url URL says where the API is".into(),
            },
        }
    }
}

/// What may help where no response comes.
pub(crate) fn silence_hint(error: &TransportError) -> &'static str {
    let message = error.message.to_ascii_lowercase();
    match error.kind {
        TransportErrorKind::Tls if message.contains("certificate") => {
            "--cacert FILE trusts the authority of its certificate"
        }
        TransportErrorKind::Tls => "does the port speak TLS? http:// in place of https:// asks without",
        TransportErrorKind::Protocol => "does the port speak HTTP? where it speaks TLS, write https://",
        TransportErrorKind::Closed => {
            "it closes connections without a response: is it overloaded, or does the port speak TLS (https://)?"
        }
        TransportErrorKind::Timeout => "it does not answer in time: --timeout 30s waits longer",
        TransportErrorKind::Dns => "is the name right? it has no address",
        TransportErrorKind::Policy => {
            "the address is private and the target was typed as public: type the address itself"
        }
        TransportErrorKind::Connect => "is it running, and is the address right? --wait-ready 60s waits for it",
    }
}

/// Texts of pages by which firewalls and bot filters refuse.
///
/// **Source**: the block pages of Cloudflare, Akamai, Imperva Incapsula, F5 BIG-IP ASM, AWS WAF and CloudFront,
/// Sucuri, ModSecurity and DataDome, as they are met; the last words are chosen.
const BLOCK_WORDS: [&str; 16] = [
    "attention required! | cloudflare",
    "cf-error-details",
    "just a moment...",
    "checking your browser",
    "reference #",
    "incapsula incident",
    "the requested url was rejected",
    "request could not be satisfied",
    "sucuri website firewall",
    "mod_security",
    "not acceptable!",
    "captcha",
    "web application firewall",
    "request blocked",
    "you have been blocked",
    "been blocked",
];

/// True if a page of something before the API refuses, whatever the credential.
pub(crate) fn is_block_page(response: &Response) -> bool {
    if !matches!(response.status, 403 | 405 | 406 | 429 | 503) || !response.media_type().contains("html") {
        return false;
    }
    let text = response.body.text().to_ascii_lowercase();
    BLOCK_WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Headers;

    fn response(status: u16, media_type: &str, body: &str) -> Answer {
        let headers: Headers = [("Content-Type", media_type)].into_iter().collect();
        let body = body.to_owned();
        Answer::Response(Response {
            status,
            headers,
            body_bytes: body.len() as u64,
            body: body.into(),
            truncated: false,
        })
    }

    fn silent(kind: TransportErrorKind, message: &str) -> Answer {
        Answer::Error(TransportError { kind, message: message.into() })
    }

    #[test]
    fn each_cause_has_a_hint_of_its_own_and_none_speaks_of_credentials() {
        let json = "application/json";
        for (answer, says, hint) in [
            (response(404, json, "{}"), "answers every path with 404", "--base-url"),
            (response(429, json, "{}"), "limits all requests (429)", "--rate"),
            (response(503, json, "{}"), "fails (503)", "overloaded"),
            (response(500, "text/plain", ""), "fails (500)", "overloaded"),
            (response(403, "text/html", "<title>Request blocked</title>"), "blocks the scan (403", "firewall"),
            (response(403, "text/html", "<title>Attention Required! | Cloudflare</title>"), "blocks", "firewall"),
            (response(301, json, ""), "redirects", "--base-url"),
            (silent(TransportErrorKind::Connect, "refused"), "no response: refused", "running"),
            (silent(TransportErrorKind::Tls, "invalid peer certificate: UnknownIssuer"), "certificate", "--cacert"),
            (silent(TransportErrorKind::Tls, "corrupt message"), "no response", "http://"),
            (silent(TransportErrorKind::Protocol, "not HTTP"), "no response", "https://"),
            (silent(TransportErrorKind::Closed, "closed"), "no response", "closes connections"),
            (silent(TransportErrorKind::Timeout, "timeout"), "no response", "--timeout"),
        ] {
            let trouble = Trouble::of(&answer).expect("it is trouble");
            assert!(trouble.reason().contains(says), "{}", trouble.reason());
            assert!(trouble.hint().contains(hint), "{}", trouble.hint());
            assert!(!trouble.hint().contains("credential"), "{}", trouble.hint());
        }
        for fine in [(200, "{}"), (401, "{}"), (403, "{}"), (400, "{}"), (422, "{}")] {
            assert_eq!(Trouble::of(&response(fine.0, json, fine.1)), None, "{}", fine.0);
        }
        assert_eq!(Trouble::of(&response(403, "text/html", "<h1>Forbidden</h1>")), None, "a plain refusal");
    }

    #[test]
    fn most_answers_decide() {
        let (failing, fine) = (response(503, "a/b", ""), response(200, "a/b", "x"));
        assert_eq!(Trouble::of_most([&failing, &failing, &fine].into_iter()), Some(Trouble::Failing(503)));
        assert_eq!(Trouble::of_most([&failing, &fine].into_iter()), None);
        assert_eq!(Trouble::of_most([].into_iter()), None);
    }
}
