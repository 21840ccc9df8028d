//! The bytes that a request may consist of. What a description, a response or a configuration brings in
//! never ends a line, a header section or a request.
//!
//! **Source**: RFC 9110, sections 5.5, 5.6.2 and 9.1; RFC 9112, sections 3.2 and 6.

use model::Request;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a target may not hold unescaped; `%` stays, what is encoded stays so, and `[` and `]` stand raw in the
/// queries of nearly every client.
///
/// **Source**: RFC 3986, sections 3.3 and 3.4.
pub(crate) const TARGET: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A target with everything encoded that none may hold.
pub(crate) fn encode(target: &mut String) {
    let encoded = std::borrow::Cow::from(utf8_percent_encode(target, TARGET));
    if let std::borrow::Cow::Owned(encoded) = encoded {
        *target = encoded;
    }
}

/// Why a request is not written: what a strict server would read as something else than it says.
/// `None` if it may be written.
pub(crate) fn refusal(request: &Request) -> Option<&'static str> {
    if !is_token(&request.method) {
        return Some("its method holds characters that no method has");
    }
    let target = request.target.as_bytes();
    let has_form = target.first() == Some(&b'/') || (target == b"*" && request.method == "OPTIONS");
    if !has_form || !target.iter().all(|byte| (0x21..=0x7e).contains(byte) && *byte != b'#') {
        return Some("its target holds characters that no target has");
    }
    for (name, value) in request.headers.iter() {
        if !is_token(name) {
            return Some("the name of a header holds characters that no name has");
        }
        if !is_value(value) {
            return Some("the value of a header holds control characters");
        }
    }
    let is_length = |value: &str| value.trim().parse() == Ok(request.body.len());
    let mut lengths = request.headers.all("content-length");
    let has_own_length = lengths.next().is_none_or(is_length) && lengths.next().is_none();
    if !has_own_length || request.headers.contains("transfer-encoding") {
        return Some("its headers state another length than its body has");
    }
    (request.headers.all("host").count() > 1).then_some("it states two hosts")
}

/// True for a token: a method, the name of a header.
///
/// **Source**: RFC 9110, section 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (byte >= 0x20 && byte != 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_encoded_once() {
        for (typed, sent) in [
            ("/a?b=[1]&c=%7B'd'(e)*!$,;:@~", "/a?b=[1]&c=%7B'd'(e)*!$,;:@~"),
            ("/q}/{x}|\"<\\^`>", "/q%7D/%7Bx%7D%7C%22%3C%5C%5E%60%3E"),
            ("/a b\r\nX: y\u{e9}#f", "/a%20b%0D%0AX:%20y%C3%A9%23f"),
        ] {
            let mut target = typed.to_owned();
            encode(&mut target);
            assert_eq!(target, sent);
            encode(&mut target);
            assert_eq!(target, sent);
        }
    }

    #[test]
    fn nothing_ends_a_line_a_header_section_or_a_request() {
        let get = || Request::get("/a?b=%0D%0A");
        let may = [
            get(),
            Request::new("OPTIONS", "*"),
            Request::new("X-Odd~1", "/a//b;c='d'(e)\"f\\|^{}<>"),
            get().with_header("X-A", "caf\u{e9}\tand more").with_header("x-a", ""),
            Request::new("POST", "/").with_header("Content-Length", "2").with_json(&serde_json::json!({})),
        ];
        for request in may {
            assert_eq!(refusal(&request), None, "{request:?}");
        }
        let tail = "\r\n\r\nDELETE / HTTP/1.1\r\nHost: x\r\n\r\n";
        let may_not = [
            Request::new("", "/"),
            Request::new(&format!("GET / HTTP/1.1{tail}GET"), "/"),
            Request::new("G\u{c9}T", "/"),
            Request::get(&format!("/a HTTP/1.1{tail}")),
            Request::get("/a b"),
            Request::get("/a\u{2028}"),
            Request::get("/caf\u{e9}"),
            Request::get("/a\0"),
            Request::get("/a#b"),
            Request::get(""),
            Request::get("http://elsewhere.example/"),
            Request::get("*"),
            get().with_header("X-A", &format!("b{tail}")),
            get().with_header("X-A", "b\nX-B: c"),
            get().with_header("X-A", "b\rX-B: c"),
            get().with_header("X-A", "b\0"),
            get().with_header(&format!("X-A: b{tail}"), "c"),
            get().with_header("X A", "b"),
            get().with_header("", "b"),
            get().with_header("X-A:", "b"),
            get().with_header("Content-Length", "7"),
            get().with_header("Content-Length", "0").with_header("content-length", "0"),
            get().with_header("Transfer-Encoding", "chunked"),
            get().with_header("Host", "a").with_header("host", "b"),
        ];
        for request in may_not {
            assert!(refusal(&request).is_some(), "{request:?}");
        }
    }
}
