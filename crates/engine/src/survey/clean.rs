//! What a description, a response or a configuration may put into a request: names that are names, values
//! without line ends, and nothing that says how a message is framed, where it goes or who sends it.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::effect::may_name_a_method;
use crate::transport::allowed::{TARGET, is_token};

/// Header fields that only the sender decides.
///
/// **Source**: RFC 9110, sections 7.2, 7.6, 8.6, 10.1; RFC 9112, section 6; OpenAPI 3.1, Parameter Object
/// (a header parameter named `Content-Type` or `Authorization` is ignored).
const SENDERS_OWN: [&str; 17] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-original-url",
    "x-rewrite-url",
];

/// What the fixed text of a path may not hold unescaped.
///
/// **Source**: RFC 3986, section 3.3 (`pchar`).
const PATH: &AsciiSet = &TARGET.add(b'[').add(b']');

/// What the value of a path parameter may not hold unescaped.
///
/// **Source**: RFC 3986, section 3.3 (`pchar`), with the characters that routers take apart.
const SEGMENT: &AsciiSet = &PATH.add(b'%').add(b'/').add(b'?');

/// What the value of a cookie may not hold.
///
/// **Source**: RFC 6265, section 4.1.1 (`cookie-octet`).
const COOKIE: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b',').add(b';').add(b'\\');

/// True if a header of this name may be filled: it is a name, and the sender does not decide it.
pub(super) fn may_fill(name: &str) -> bool {
    is_token(name) && !is_senders_own(name) && !may_name_a_method(name)
}

/// True if a cookie of this name may be filled.
pub(super) fn may_fill_cookie(name: &str) -> bool {
    is_token(name) && !may_name_a_method(name)
}

/// True if a header of this name says how a message is framed, or what becomes of its connection.
///
/// **Source**: RFC 9110, sections 7.6, 8.6 and 10.1; RFC 9112, section 6.
pub(crate) fn frames(name: &str) -> bool {
    let is_users = ["authorization", "content-type", "cookie", "host"].iter().any(|n| name.eq_ignore_ascii_case(n));
    is_senders_own(name) && !is_users
}

/// True if only the sender decides a header of this name. Gateways read `_` as `-`.
fn is_senders_own(name: &str) -> bool {
    let name = name.replace('_', "-");
    SENDERS_OWN.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// A text as the value of a header: up to the first control character, without spaces around.
pub(super) fn header_value(text: &str) -> String {
    let text = text.trim_matches(|c: char| c.is_control() || c == ' ');
    text.split(|c: char| c.is_control() && c != '\t').next().unwrap_or_default().trim().to_owned()
}

/// A text as the value of a cookie.
pub(super) fn cookie_value(text: &str) -> String {
    utf8_percent_encode(&header_value(text), COOKIE).to_string()
}

/// A text as the value of a path parameter.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// Fixed text of a path template with everything encoded that a target may not hold.
pub(super) fn path_text(text: &str) -> String {
    utf8_percent_encode(text, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_end_no_line_and_frame_nothing() {
        for name in ["X-Tenant", "x_1", "Accept", "If-Match"] {
            assert!(may_fill(name), "{name}");
        }
        for name in [
            "Host",
            "hOST",
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "Authorization",
            "Cookie",
            "TE",
            "X-HTTP-Method-Override",
            "X-T: a\r\nX",
            "X T",
            "",
            "X-T:",
            "\u{e9}",
            "X-T\n",
            "Upgrade",
            "Transfer_Encoding",
            "content_length",
            "X_HTTP_METHOD_OVERRIDE",
            "X-Rest-Method",
            "Expect",
            "Trailer",
        ] {
            assert!(!may_fill(name), "{name}");
        }
        assert_eq!(header_value("acme\n"), "acme");
        assert_eq!(header_value("a\r\n\r\nDELETE / HTTP/1.1"), "a");
        assert_eq!(header_value("\r\n a b\0c"), "a b");
        assert_eq!(header_value("a\u{85}b"), "a");
        assert_eq!(header_value("a\tb"), "a\tb");
        assert_eq!(cookie_value("a; b=c"), "a%3B%20b=c");
        assert_eq!(path_text("/a b\r\nX: y/{id}?c#d"), "/a%20b%0D%0AX:%20y/%7Bid%7D?c%23d");
        assert_eq!(path_text("v1/\u{fc}n/%64"), "v1/%C3%BCn/%64");
    }
}
