//! A URL as it was typed, apart from the secrets in it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::redact::is_secret;
use model::{Credential, KnownSecret, Place, Secret};
use percent_encoding::percent_decode_str;
use url::Url;

/// A typed URL or path, and what of it is secret.
#[derive(Clone, Debug, Default)]
pub struct TypedUrl {
    /// Without its user part; where requests go.
    pub url: String,
    /// The user part as a credential of Basic.
    ///
    /// **Source**: RFC 3986, section 3.2.1; RFC 7617.
    pub basic: Option<Credential>,
    /// What must not be shown: user part, keys in the query.
    pub known: Vec<KnownSecret>,
}

impl TypedUrl {
    /// Takes a typed text apart. What is no URL stays as it is.
    pub fn read(text: &str) -> Self {
        let whole = Self { url: text.to_owned(), ..Self::default() };
        let Some(mut url) = Url::parse(text).ok().filter(Url::has_host) else { return whole };
        let mut known = Vec::new();
        let mut note = |label: &str, value: &str| {
            let secret = KnownSecret { label: format!("target.{label}"), variable: None, value: Secret::new(value) };
            known.push(secret);
        };
        let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
        let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
        let has_user = !user.is_empty() || !password.is_empty();
        if has_user {
            note("password", &password);
            // A key is often typed as the user.
            if password.is_empty() || is_secret("user", &user) {
                note("user", &user);
            }
        }
        for (name, value) in url.query_pairs().filter(|(name, value)| is_secret(name, value)) {
            note(&name, &value);
        }
        let fragment = url.fragment().map(decoded).unwrap_or_default();
        for (name, value) in
            fragment.split('&').filter_map(|pair| pair.split_once('=')).filter(|(n, v)| is_secret(n, v))
        {
            note(name, value);
        }
        if !has_user {
            return Self { known, ..whole };
        }
        let pair = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let basic = Credential { place: Place::basic(), value: Secret::new(pair) };
        let is_bare = url.set_username("").is_ok() && url.set_password(None).is_ok();
        let url = if is_bare { url.to_string() } else { String::new() };
        Self { url, basic: Some(basic), known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_part_and_keys_of_a_typed_url_are_secrets() {
        let key = "Ua5s9Kd2Lf8Gj4Hm7Qw1Zx";
        for (typed, url, labels) in [
            ("http://127.0.0.1:5000/a?page=2".to_owned(), "http://127.0.0.1:5000/a?page=2".to_owned(), vec![]),
            (format!("http://bob:{key}@h/a"), "http://h/a".into(), vec!["target.password"]),
            (format!("http://{key}@h/a"), "http://h/a".into(), vec!["target.password", "target.user"]),
            (
                format!("https://h/a?api_key={key}&page=2"),
                format!("https://h/a?api_key={key}&page=2"),
                vec!["target.api_key"],
            ),
            (format!("https://h/a?x={key}"), format!("https://h/a?x={key}"), vec!["target.x"]),
            (
                format!("https://h/a#access_token={key}"),
                format!("https://h/a#access_token={key}"),
                vec!["target.access_token"],
            ),
            ("openapi.yaml".into(), "openapi.yaml".into(), vec![]),
        ] {
            let read = TypedUrl::read(&typed);
            assert_eq!(read.url, url);
            assert_eq!(read.known.iter().map(|k| k.label.as_str()).collect::<Vec<_>>(), labels, "{typed}");
        }
        let basic = TypedUrl::read("http://bob:p%40ss@h/").basic.unwrap();
        assert_eq!(BASE64_STANDARD.decode(basic.value.expose()).unwrap(), b"bob:p@ss");
    }
}
