//! Reads what a client wrote as the strictest server would: one spelling of each thing, nothing forgiven.
//! Whatever two servers could read differently is an error here.
//!
//! **Source**: RFC 9112, sections 2.2, 3, 5, 6 and 7; RFC 9110, sections 5.5, 5.6.2 and 8.6; RFC 3986,
//! section 2.

use model::{Body, Headers, Request};

/// The requests that stand one behind the other on a connection, and the bytes of an unfinished one.
///
/// # Errors
/// What is wrong with the first one that is no request, with its number from 1.
pub fn requests(stream: &[u8]) -> Result<(Vec<Request>, &[u8]), String> {
    let mut read = Vec::new();
    let mut left = stream;
    while !left.is_empty() {
        match request(left).map_err(|wrong| format!("request {}: {wrong}", read.len() + 1))? {
            Some((request, length)) => {
                read.push(request);
                left = &left[length..];
            }
            None => break,
        }
    }
    Ok((read, left))
}

/// The request at the beginning of the bytes and its length; `None` if more bytes are needed.
fn request(bytes: &[u8]) -> Result<Option<(Request, usize)>, String> {
    let Some((line, mut at)) = line(bytes, 0)? else { return Ok(None) };
    let mut parts = line.split(|byte| *byte == b' ');
    let (method, target, version) = (parts.next(), parts.next(), parts.next());
    let (Some(method), Some(target), Some(b"HTTP/1.1"), None) = (method, target, version, parts.next()) else {
        return Err(format!("no request line: {}", shown(line)));
    };
    if !is_token(method) {
        return Err(format!("the method is no token: {}", shown(method)));
    }
    target_form(method, target)?;
    let mut headers = Headers::default();
    loop {
        let Some((line, next)) = self::line(bytes, at)? else { return Ok(None) };
        at = next;
        if line.is_empty() {
            break;
        }
        let (name, value) = field(line)?;
        headers.push(name, value);
    }
    if headers.all("host").count() != 1 {
        return Err(format!("{} Host headers", headers.all("host").count()));
    }
    let Some((body, length)) = body(&headers, &bytes[at..])? else { return Ok(None) };
    let request = Request { method: text(method), origin: None, target: text(target), headers, body };
    Ok(Some((request, at + length)))
}

/// The line that begins at a place, without its end, and where the next one begins; `None` without an end.
fn line(bytes: &[u8], from: usize) -> Result<Option<(&[u8], usize)>, String> {
    let rest = bytes.get(from..).unwrap_or_default();
    let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0)) else { return Ok(None) };
    match &rest[end..] {
        [b'\r', b'\n', ..] => Ok(Some((&rest[..end], from + end + 2))),
        [b'\r'] => Ok(None),
        _ => Err(format!("a line with a stray CR, LF or NUL: {}", shown(&rest[..rest.len().min(end + 1)]))),
    }
}

/// Name and value of a header.
fn field(line: &[u8]) -> Result<(String, String), String> {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Err(format!("a header without a colon: {}", shown(line)));
    };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    if !is_token(name) {
        return Err(format!("the name of a header is no token: {}", shown(name)));
    }
    // Field values are visible characters, spaces, tabs and bytes above ASCII.
    if value.iter().any(|byte| matches!(byte, 0..=8 | 10..=31 | 127)) {
        return Err(format!("the value of {} has a control character", shown(name)));
    }
    Ok((text(name), text(value.trim_ascii())))
}

/// Wants a path with its query, or `*` of `OPTIONS`, of the characters that a URI may have.
fn target_form(method: &[u8], target: &[u8]) -> Result<(), String> {
    let is_form = target.starts_with(b"/") || (target == b"*" && method == b"OPTIONS");
    // `[` and `]` stand raw in the queries of nearly every client; `%` without two digits splits nothing.
    let odd = target.iter().find(|byte| !byte.is_ascii_alphanumeric() && !b"-._~!$&'()*+,;=:@/?%[]".contains(byte));
    match odd {
        None if is_form => Ok(()),
        _ => Err(format!("the target of {} is none: {}", shown(method), shown(target))),
    }
}

/// The body and how many bytes it takes; `None` if more bytes are needed.
fn body(headers: &Headers, bytes: &[u8]) -> Result<Option<(Body, usize)>, String> {
    let lengths: Vec<&str> = headers.all("content-length").collect();
    let codings: Vec<&str> = headers.all("transfer-encoding").collect();
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Ok(Some((Body::default(), 0))),
        ([length], []) if !length.is_empty() && length.bytes().all(|digit| digit.is_ascii_digit()) => {
            let length: usize = length.parse().map_err(|_| format!("Content-Length: {length}"))?;
            Ok(bytes.get(..length).map(|body| (Body::from(body.to_vec()), length)))
        }
        // This client never writes chunks.
        _ => Err(format!("framed by Content-Length {lengths:?} and Transfer-Encoding {codings:?}")),
    }
}

/// **Source**: RFC 9110, section 5.6.2.
fn is_token(bytes: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_allowed)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The beginning of bytes, for a message of a test.
fn shown(bytes: &[u8]) -> String {
    format!("`{}`", bytes[..bytes.len().min(120)].escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(stream: &str) -> Result<Vec<String>, String> {
        let (read, left) = requests(stream.as_bytes())?;
        assert!(left.is_empty(), "unfinished: {}", left.escape_ascii());
        Ok(read.iter().map(|r| format!("{} {} {}", r.method, r.target, r.body.text())).collect())
    }

    #[test]
    fn requests_one_behind_the_other_are_told_apart() {
        let stream = "GET /a?b[c]=%20 HTTP/1.1\r\nHost: h\r\nX: caf\u{e9}\t1\r\n\r\n\
                      POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nGETOPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n";
        assert_eq!(lines(stream).unwrap(), ["GET /a?b[c]=%20 ", "POST /p GET", "OPTIONS * "]);
    }

    #[test]
    fn an_unfinished_request_is_left() {
        for stream in ["GE", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nx"] {
            assert_eq!(requests(stream.as_bytes()), Ok((Vec::new(), stream.as_bytes())));
        }
    }

    #[test]
    fn what_servers_read_differently_is_an_error() {
        for (head, word) in [
            ("GET /a\nX HTTP/1.1\r\nHost: h\r\n\r\n", "stray"),
            ("GET /a\rX HTTP/1.1\r\nHost: h\r\n\r\n", "stray"),
            ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", "request line"),
            ("GET / HTTP/1.0\r\nHost: h\r\n\r\n", "request line"),
            ("GET /a HTTP/1.1\r\nX: HTTP/1.1\r\n\r\n", "0 Host"),
            ("G(T / HTTP/1.1\r\nHost: h\r\n\r\n", "no token"),
            ("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", "target"),
            ("GET /\u{e9} HTTP/1.1\r\nHost: h\r\n\r\n", "target"),
            ("GET /a\"<b> HTTP/1.1\r\nHost: h\r\n\r\n", "target"),
            ("GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n", "target"),
            ("GET * HTTP/1.1\r\nHost: h\r\n\r\n", "target"),
            ("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", "2 Host"),
            ("GET / HTTP/1.1\r\nHost: h\r\nX y: 1\r\n\r\n", "no token"),
            ("GET / HTTP/1.1\r\nHost: h\r\nX : 1\r\n\r\n", "no token"),
            ("GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", "colon"),
            ("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", "stray"),
            ("GET / HTTP/1.1\r\nHost: h\r\nX: a\x1bb\r\n\r\n", "control"),
            ("GET / HTTP/1.1\r\nHost: h\r\nX: a\nGET /b\r\n\r\n", "stray"),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\nx", "framed"),
            ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "framed"),
            ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "framed"),
            ("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "request line"),
        ] {
            let wrong = lines(head).expect_err(head);
            assert!(wrong.contains(word), "{head:?}: {wrong}");
        }
    }
}
