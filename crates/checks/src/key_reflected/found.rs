//! Where and in which form a random key stands in an answer.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use model::Response;
use serde::{Deserialize, Serialize};

use crate::key_comparison::form::kind_length;

/// Characters from which a part of a key tells something of it.
///
/// **Source**: KEY-004 of docs/rows.md; four characters at the end are how keys are shown masked.
const PART: usize = 8;

/// How a key comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Form {
    /// As it was sent.
    Plain,
    /// Escaped as in JSON, HTML or a URL.
    Escaped,
    /// In base64, by itself or inside other text.
    Base64,
    /// Eight characters of it or more.
    Part,
}

impl Form {
    /// What it adds to a sentence.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Escaped => ", escaped",
            Self::Base64 => ", in base64",
            Self::Part => ", in part",
        }
    }
}

/// A random key in an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    /// Position of the answer.
    pub(super) answer: usize,
    /// Name of the header; absent for the body.
    pub(super) header: Option<String>,
    /// Its form.
    pub(super) form: Form,
}

/// Every place of an answer where the key stands.
pub(super) fn find(answer: usize, response: &Response, key: &str) -> Vec<Found> {
    let forms = forms(key);
    let body = form_in(&response.body.text(), &forms).map(|form| Found { answer, header: None, form });
    let headers = response.headers.iter().filter_map(|(name, value)| {
        form_in(value, &forms).map(|form| Found { answer, header: Some(name.to_ascii_lowercase()), form })
    });
    body.into_iter().chain(headers).collect()
}

/// True if a value stands anywhere in an answer.
pub(super) fn holds(response: &Response, value: &str) -> bool {
    !find(0, response, value).is_empty()
}

fn form_in(text: &str, forms: &[(String, Form)]) -> Option<Form> {
    forms.iter().find(|(form, _)| text.contains(form.as_str())).map(|(_, form)| *form)
}

/// The texts in which a key can stand, the plainest first.
fn forms(key: &str) -> Vec<(String, Form)> {
    let in_json = serde_json::to_string(key).unwrap_or_default().trim_matches('"').to_owned();
    let in_html = key.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&#34;");
    let in_url: String = key
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-_.~".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect();
    let mut forms = vec![(key.to_owned(), Form::Plain)];
    forms.extend([in_json, in_html, in_url].map(|text| (text, Form::Escaped)));
    for offset in 0..3 {
        let text = [&b"xx"[..offset], key.as_bytes()].concat();
        forms.push((inner(&BASE64_STANDARD_NO_PAD.encode(&text), offset, text.len()), Form::Base64));
        forms.push((inner(&BASE64_URL_SAFE_NO_PAD.encode(&text), offset, text.len()), Form::Base64));
    }
    let rest = &key[kind_length(key)..];
    if rest.len() >= 2 * PART && rest.is_ascii() {
        forms.extend((0..=rest.len() - PART).map(|at| (rest[at..at + PART].to_owned(), Form::Part)));
    }
    forms
}

/// The characters of an encoding that depend on the key alone, wherever it stands in a longer text.
///
/// **Source**: RFC 4648, section 4: three bytes become four characters.
fn inner(encoded: &str, offset: usize, length: usize) -> String {
    let begin = (offset * 8).div_ceil(6);
    encoded[begin..length * 8 / 6].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ak_q7zk3m9xw2vt5r8d";

    fn found(body: &str) -> Option<Form> {
        form_in(body, &forms(KEY))
    }

    #[test]
    fn a_key_is_found_in_every_form() {
        assert_eq!(found(r#"{"error":"unknown key ak_q7zk3m9xw2vt5r8d"}"#), Some(Form::Plain));
        assert_eq!(found("key q7zk3m9x…"), Some(Form::Part));
        assert_eq!(found("key ak_q7zk3…5r8d"), None, "what is masked");
        for before in ["", "a", "ab", "abc", "{\"key\":\""] {
            let encoded = BASE64_STANDARD_NO_PAD.encode(format!("{before}{KEY}\"}}"));
            assert_eq!(found(&encoded), Some(Form::Base64), "after {before:?}");
        }
        let forms = forms("ab/cd+ef&gh12");
        assert_eq!(form_in("?key=ab%2Fcd%2Bef%26gh12", &forms), Some(Form::Escaped));
        assert_eq!(form_in("ab/cd+ef&amp;gh12", &forms), Some(Form::Escaped));
    }
}
