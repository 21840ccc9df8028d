//! The text of a request: what a proxy shows, or an `.http` file holds.

use model::{Origin, Request};

use super::{SampleError, to_url};

/// The first request of the text. Lines end in LF or CRLF; comments (`#`, `//`) may stand before it,
/// and `###` ends it. One newline at the end of the body belongs to the file, unless
/// `Content-Length` says otherwise. A target without an origin is taken to be `https`, or `http` on
/// a loopback host.
///
/// # Errors
/// Where a line is neither a request line nor a header.
pub fn http_text(text: &str) -> Result<Request, SampleError> {
    let mut lines = text.split_inclusive('\n').enumerate();
    let is_comment = |line: &str| line.trim().is_empty() || line.starts_with('#') || line.starts_with("//");
    let (at, first) = lines.find(|(_, line)| !is_comment(line)).ok_or(SampleError::Empty)?;
    let mut words = first.split_ascii_whitespace();
    let malformed = || SampleError::RequestLine { line: at + 1 };
    let (method, target) = words.next().zip(words.next()).ok_or_else(malformed)?;
    let is_method = method.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_!#$%&'*+.^`|~".contains(&b));
    if !is_method || words.next().is_some_and(|version| !version.starts_with("HTTP/")) {
        return Err(malformed());
    }
    let mut request = match target.starts_with('/') {
        true => Request::new(method, target),
        false => to_url(method, target).map_err(|_| malformed())?,
    };
    let mut body = String::new();
    let mut in_body = false;
    for (at, line) in lines {
        if line.trim_end() == "###" || line.starts_with("### ") {
            break;
        }
        if in_body {
            body.push_str(line);
            continue;
        }
        let line = line.trim_end_matches(['\n', '\r']);
        if line.is_empty() {
            in_body = true;
            continue;
        }
        let (name, value) = line.split_once(':').ok_or(SampleError::Header { line: at + 1 })?;
        request.headers.push(name.trim(), value.trim());
    }
    request.body = cut(&body, request.headers.first("content-length")).to_owned().into();
    if request.origin.is_none()
        && let Some(host) = request.headers.first("host")
    {
        request.origin = origin(host);
    }
    Ok(request)
}

fn cut<'a>(body: &'a str, length: Option<&str>) -> &'a str {
    let stated = length.and_then(|l| l.parse().ok()).and_then(|length: usize| body.get(..length));
    let whole = body.strip_suffix('\n').unwrap_or(body);
    stated.unwrap_or(whole.strip_suffix('\r').unwrap_or(whole))
}

fn origin(host: &str) -> Option<Origin> {
    let origin: Origin = format!("https://{host}").parse().ok()?;
    if origin.is_loopback() { format!("http://{host}").parse().ok() } else { Some(origin) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_request_line_headers_and_body() {
        let request =
            http_text("# a comment\nPOST /a?b=1 HTTP/1.1\r\nHost: api.example.com\r\nX-A:  b \r\n\r\n{\"c\": 1}\r\n")
                .unwrap();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/a?b=1"));
        assert_eq!(request.headers.first("x-a"), Some("b"));
        assert_eq!(request.body.text(), "{\"c\": 1}");
        assert_eq!(request.origin.unwrap().to_string(), "https://api.example.com");
    }

    #[test]
    fn content_length_decides_where_the_body_ends() {
        let request = http_text("POST /a HTTP/1.1\nContent-Length: 5\n\nabcd\n\n").unwrap();
        assert_eq!(request.body.text(), "abcd\n");
    }

    #[test]
    fn takes_an_absolute_target_and_stops_at_the_next_request() {
        let request = http_text("GET http://localhost:5000/a?x=1\nA: b\n\n###\nGET /other\n").unwrap();
        assert_eq!(request.target, "/a?x=1");
        assert!(request.body.is_empty());
        assert_eq!(request.origin.unwrap().to_string(), "http://localhost:5000");
    }

    #[test]
    fn names_the_line_that_is_wrong() {
        assert_eq!(http_text("\nhello\n").unwrap_err(), SampleError::RequestLine { line: 2 });
        assert_eq!(http_text("GET /\nno header\n").unwrap_err(), SampleError::Header { line: 2 });
        assert_eq!(http_text("\n\n").unwrap_err(), SampleError::Empty);
    }
}
