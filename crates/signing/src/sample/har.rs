//! HAR files and single entries of them.
//!
//! **Source**: HTTP Archive 1.2, section "request".

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::Request;
use serde_json::Value;

use super::{SampleError, to_url};

/// The requests of a HAR file, of one entry, or of one entry's `request`, in order.
///
/// # Errors
/// Where the text is no JSON, or a request lacks its method or URL.
pub fn har(text: &str) -> Result<Vec<Request>, SampleError> {
    let document: Value = serde_json::from_str(text).map_err(|e| SampleError::Har { why: e.to_string() })?;
    match document.pointer("/log/entries").and_then(Value::as_array) {
        Some(entries) => entries.iter().map(entry).collect(),
        None => Ok(vec![entry(&document)?]),
    }
}

fn entry(entry: &Value) -> Result<Request, SampleError> {
    let request = entry.get("request").unwrap_or(entry);
    let text = |name: &str| {
        let missing = || SampleError::Har { why: format!("a request without `{name}`") };
        request.get(name).and_then(Value::as_str).ok_or_else(missing)
    };
    let mut read = to_url(text("method")?, text("url")?)?;
    for header in request.get("headers").and_then(Value::as_array).into_iter().flatten() {
        let (Some(name), Some(value)) = (header["name"].as_str(), header["value"].as_str()) else { continue };
        // Pseudo-headers of HTTP/2 say nothing that method and URL do not.
        if !name.starts_with(':') {
            read.headers.push(name, value);
        }
    }
    if let Some(data) = request.get("postData") {
        let content = data["text"].as_str().unwrap_or_default();
        let is_base64 = data["encoding"] == "base64";
        read.body = match BASE64_STANDARD.decode(content) {
            Ok(bytes) if is_base64 => bytes.into(),
            _ => content.to_owned().into(),
        };
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_entries_of_a_file() {
        let text = r#"{"log": {"entries": [
            {"request": {"method": "POST", "url": "https://api.example.com/a?b=1#c",
              "headers": [{"name": ":authority", "value": "x"}, {"name": "X-A", "value": "b"}],
              "postData": {"mimeType": "text/plain", "text": "hello"}}},
            {"request": {"method": "GET", "url": "http://localhost:1/"}}]}}"#;
        let requests = har(text).unwrap();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].target, "/a?b=1");
        assert_eq!(requests[0].headers.iter().collect::<Vec<_>>(), [("X-A", "b")]);
        assert_eq!(requests[0].body.text(), "hello");
        assert_eq!(requests[1].origin.as_ref().unwrap().to_string(), "http://localhost:1");
    }

    #[test]
    fn says_what_is_missing() {
        assert!(matches!(har("{"), Err(SampleError::Har { .. })));
        let error = har(r#"{"request": {"method": "GET"}}"#).unwrap_err();
        assert_eq!(error.to_string(), "the sample is JSON, but no HAR: a request without `url`");
    }
}
