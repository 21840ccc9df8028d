//! Replaces credentials by their names before anything is recorded.
//!
//! Each credential is searched in every form that a server, or our own request, may carry it in;
//! short ones only where they stand alone, so that the password `admin` does not eat
//! `/administrators`.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::exchange::{Answer, Exchange};
use crate::http::{Body, Request, Response};
use crate::secret::Secret;

/// Shortest text that is searched: anything shorter stands in ordinary text by chance.
///
/// **Source**: chosen; a 3-character value occurs by chance in a page of text.
const SHORTEST: usize = 4;

/// Length below which a match must stand alone (no letter or digit beside it).
///
/// **Source**: chosen; English words are rarely longer.
const STANDS_ALONE_BELOW: usize = 12;

/// Knows the credentials of a scan and masks them as `{{label}}`.
#[derive(Debug, Default)]
pub struct Redactor {
    forms: Vec<(Secret, String)>,
    search: Option<AhoCorasick>,
}

impl Redactor {
    /// Adds a credential; `label` names it without telling anything of it, such as `alice.bearer`.
    pub fn add(&mut self, secret: &str, label: &str) {
        if secret.len() < SHORTEST || self.forms.iter().any(|(known, _)| known.expose() == secret) {
            return;
        }
        let mask = format!("{{{{{label}}}}}");
        for form in forms(secret) {
            if form.len() >= SHORTEST && !self.forms.iter().any(|(known, _)| known.expose() == form) {
                self.forms.push((Secret::new(form), mask.clone()));
            }
        }
        self.search = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(self.forms.iter().map(|(form, _)| form.expose()))
            .ok();
    }

    /// The text with every credential masked.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// The bytes with every credential masked.
    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        let Some(search) = &self.search else { return Cow::Borrowed(bytes) };
        let mut masked: Vec<u8> = Vec::new();
        let mut copied = 0;
        for found in search.find_iter(bytes) {
            if found.len() < STANDS_ALONE_BELOW && !stands_alone(bytes, found.start(), found.end()) {
                continue;
            }
            masked.extend_from_slice(&bytes[copied..found.start()]);
            masked.extend_from_slice(self.forms[found.pattern().as_usize()].1.as_bytes());
            copied = found.end();
        }
        if copied == 0 {
            return Cow::Borrowed(bytes);
        }
        masked.extend_from_slice(&bytes[copied..]);
        Cow::Owned(masked)
    }

    /// A request with every credential masked. Its path keeps short words: they are templates.
    pub fn request(&self, request: &Request) -> Request {
        let mut masked = request.clone();
        masked.target = self.text(&request.target).into_owned();
        for (_, value) in masked.headers.values_mut() {
            *value = self.text(value).into_owned();
        }
        masked.body = self.body(&request.body);
        masked
    }

    /// A response with every credential masked.
    pub fn response(&self, response: &Response) -> Response {
        let mut masked = response.clone();
        for (_, value) in masked.headers.values_mut() {
            *value = self.text(value).into_owned();
        }
        masked.body = self.body(&response.body);
        masked
    }

    /// An exchange with every credential masked.
    pub fn exchange(&self, mut exchange: Exchange) -> Exchange {
        exchange.request = self.request(&exchange.request);
        exchange.answer = match exchange.answer {
            Answer::Response(response) => Answer::Response(self.response(&response)),
            Answer::Error(mut error) => {
                error.message = self.text(&error.message).into_owned();
                Answer::Error(error)
            }
        };
        exchange
    }

    fn body(&self, body: &Body) -> Body {
        match self.bytes(body.bytes()) {
            Cow::Borrowed(_) => body.clone(),
            Cow::Owned(bytes) => bytes.into(),
        }
    }
}

/// The forms in which a value may travel or come back.
fn forms(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).unwrap_or_default();
    let mut forms = vec![
        secret.to_owned(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        json.trim_matches('"').to_owned(),
        secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&#34;")
            .replace('\'', "&#39;"),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
    ];
    // What stands in `Authorization: Basic` hides user and password in one.
    if let Ok(decoded) = BASE64_STANDARD.decode(secret)
        && let Ok(text) = String::from_utf8(decoded)
        && let Some((_, password)) = text.split_once(':')
    {
        forms.push(password.to_owned());
        forms.push(text);
    }
    forms.dedup();
    forms
}

fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    !joins(start.checked_sub(1).and_then(|i| bytes.get(i))) && !joins(bytes.get(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        let mut redactor = Redactor::default();
        redactor.add("sk_live_abc+123/xyz", "alice.X-API-Key");
        redactor.add("admin", "bob.password");
        redactor
    }

    #[test]
    fn every_form_of_a_credential_is_masked() {
        let redactor = redactor();
        for form in forms("sk_live_abc+123/xyz") {
            let masked = redactor.text(&format!("x={form}&y=1")).into_owned();
            assert!(masked.contains("{{alice.X-API-Key}}") && !masked.contains(&form), "{masked}");
        }
    }

    #[test]
    fn a_short_credential_is_masked_only_where_it_stands_alone() {
        let masked = redactor().text(r#"/administrators {"password":"admin"}"#).into_owned();
        assert_eq!(masked, r#"/administrators {"password":"{{bob.password}}"}"#);
    }

    #[test]
    fn the_password_inside_a_basic_credential_is_masked() {
        let mut redactor = Redactor::default();
        redactor.add(&BASE64_STANDARD.encode("carol:correct-horse"), "carol.basic");
        assert_eq!(redactor.text("pw=correct-horse"), "pw={{carol.basic}}");
    }
}
