//! What stands in a URL opens what the URL leads to.

use model::Origin;
use url::Url;

/// The URL that the bytes from `start` to `end` of a text belong to.
///
/// **Source**: RFC 3986, appendix C (what delimits a URL in a text); RFC 8259, section 7 (`\/`).
pub(super) fn around(text: &[u8], start: usize, end: usize) -> Option<Url> {
    let delimits = |byte: &u8| !byte.is_ascii_graphic() || b"\"'<>`".contains(byte);
    let first = text.get(..start)?.iter().rposition(delimits).map_or(0, |before| before + 1);
    let last = text.get(end..)?.iter().position(delimits).map_or(text.len(), |behind| end + behind);
    let before = std::str::from_utf8(text.get(first..start)?).ok()?;
    let from = before.rfind("http")?;
    let url = std::str::from_utf8(text.get(first + from..last)?).ok()?.replace("\\/", "/");
    Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// True for a URL that does not lead to the target: a token in it opens what is there, for whoever
/// gets the link.
pub(super) fn is_of_another_host(url: &Url, origin: &Origin) -> bool {
    url.host_str().is_some_and(|host| !host.trim_matches(['[', ']']).eq_ignore_ascii_case(&origin.host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host_around(text: &str) -> Option<String> {
        let start = text.find("TOKEN").expect("the text holds it");
        around(text.as_bytes(), start, start + 5).and_then(|url| url.host_str().map(str::to_owned))
    }

    #[test]
    fn a_url_is_found_around_what_it_holds() {
        for text in [
            r#"{"image": "https://img.cdn.test/p/1.jpg?token=TOKEN"}"#,
            r#"{"image": "https:\/\/img.cdn.test\/p\/1.jpg?token=TOKEN&w=3"}"#,
            "<img src='https://img.cdn.test/TOKEN/1.jpg'>",
            "see https://img.cdn.test/p#TOKEN",
        ] {
            assert_eq!(host_around(text).as_deref(), Some("img.cdn.test"), "{text}");
        }
        for text in [
            r#"{"token": "TOKEN"}"#,
            r#"{"url": "https://img.cdn.test/", "token": "TOKEN"}"#,
            "https://img.cdn.test/ TOKEN",
            "http-token=TOKEN",
        ] {
            assert_eq!(host_around(text), None, "{text}");
        }
    }

    #[test]
    fn the_target_is_no_other_host() {
        let url = |text: &str| Url::parse(text).expect("a URL");
        let origin = Origin::of(&url("https://shop.test/")).expect("an origin");
        assert!(!is_of_another_host(&url("https://SHOP.test:8443/x"), &origin));
        assert!(is_of_another_host(&url("https://shop.test.cdn.test/x"), &origin));
    }
}
