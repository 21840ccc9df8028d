//! Requests and responses as data: what was sent and what came back, byte for byte.
//!
//! Nothing here is normalized: a check may need to send a header twice, in an odd case, or a
//! target that no URL library would accept.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Headers in the order in which they were sent, names as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value of the first header of this name, whatever its case.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// The values of all headers of this name, whatever its case, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v)
    }

    /// True if a header of this name is present.
    pub fn contains(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// Adds a header after all others, whether or not one of this name is present.
    pub fn push(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// Replaces every header of this name by one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.push(name, value);
    }

    /// Drops every header of this name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// Name and value of each header, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// The values, to be changed in place (redaction).
    pub fn values_mut(&mut self) -> impl Iterator<Item = (&str, &mut String)> {
        self.0.iter_mut().map(|(n, v)| (n.as_str(), v))
    }

    /// True if there is no header.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(headers: T) -> Self {
        Self(headers.into_iter().map(|(n, v)| (n.into(), v.into())).collect())
    }
}

/// The bytes of a message body. Serializes as text where it is UTF-8, else as `{"base64": …}`.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Body(Bytes);

impl Body {
    /// The raw bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The body as JSON, or `None` where it is something else.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.0).ok()
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True if there is no byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text(), f)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum BodyForm<'a> {
    Text(Cow<'a, str>),
    Binary { base64: String },
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => BodyForm::Text(text.into()),
            Err(_) => BodyForm::Binary { base64: BASE64_STANDARD.encode(&self.0) },
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match BodyForm::deserialize(deserializer)? {
            BodyForm::Text(text) => Self::from(text.into_owned()),
            BodyForm::Binary { base64 } => {
                Self::from(BASE64_STANDARD.decode(base64).map_err(serde::de::Error::custom)?)
            }
        })
    }
}

impl JsonSchema for Body {
    fn schema_name() -> Cow<'static, str> {
        "Body".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Text where the body is UTF-8, else its base64.",
            "anyOf": [
                { "type": "string" },
                { "type": "object", "properties": { "base64": { "type": "string" } }, "required": ["base64"] }
            ]
        })
    }
}

/// Scheme, host and port: where a request goes.
///
/// **Source**: RFC 6454, section 4.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// True for `https`.
    pub secure: bool,
    /// Lower-case name, or an IP address (IPv6 without brackets).
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Origin {
    /// The origin of an `http` or `https` URL.
    pub fn of(url: &url::Url) -> Option<Self> {
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return None,
        };
        let host = url.host_str()?.trim_matches(['[', ']']).to_ascii_lowercase();
        Some(Self { secure, host, port: url.port_or_known_default()? })
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// Host, with the port unless it is the scheme's own: what stands in `Host`.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (false, 80) | (true, 443) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// True for `localhost`, `*.localhost`, 127.0.0.0/8 and `::1`.
    ///
    /// **Source**: RFC 6761, section 6.3; RFC 1122, section 3.2.1.3.
    pub fn is_loopback(&self) -> bool {
        if self.host == "localhost" || self.host.ends_with(".localhost") {
            return true;
        }
        self.host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme(), self.authority())
    }
}

impl std::str::FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = url::Url::parse(text).map_err(|e| e.to_string())?;
        Self::of(&url).ok_or_else(|| "not an http or https URL".into())
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Origin {
    fn schema_name() -> Cow<'static, str> {
        "Origin".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "Scheme, host and port, such as `https://api.example.com`." })
    }
}

/// An HTTP request as data.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Method, as sent.
    pub method: String,
    /// Where it goes; absent for the scan's own origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Path and query, as sent (origin-form of RFC 9112, section 3.2.1).
    pub target: String,
    /// Headers, without those that the transport adds (Host, Content-Length).
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// Body; empty where none is sent.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.into(),
            origin: None,
            target: target.into(),
            headers: Headers::default(),
            body: Body::default(),
        }
    }

    /// A `GET` of a target.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// The same request with another method.
    #[must_use]
    pub fn with_method(mut self, method: &str) -> Self {
        self.method = method.into();
        self
    }

    /// The same request with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same request with a JSON body.
    #[must_use]
    pub fn with_json(mut self, body: &Value) -> Self {
        self.headers.set("Content-Type", "application/json");
        self.body = body.to_string().into();
        self
    }

    /// The same request with another path; its query stays.
    #[must_use]
    pub fn with_path(mut self, path: &str) -> Self {
        self.target = match self.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.into(),
        };
        self
    }

    /// The same request with one more query parameter, percent-encoded.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
        let separator = if self.target.contains('?') { '&' } else { '?' };
        self.target = format!("{}{separator}{pair}", self.target);
        self
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query, without the question mark.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }
}

/// The response to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers as received.
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    pub headers: Headers,
    /// Body after content decoding; in a record no more than 256 KiB of it, after masking.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
    /// Bytes of the body that were read from the wire.
    #[serde(default)]
    pub body_bytes: u64,
    /// True if the body was not read to its end: what follows is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

impl Response {
    /// The body as JSON, or `None` where it is something else.
    pub fn json(&self) -> Option<Value> {
        if self.truncated { None } else { self.body.json() }
    }

    /// What was read of the body as JSON: where it was cut, its open lists and objects are closed behind the
    /// last value that is whole.
    pub fn json_read(&self) -> Option<Value> {
        if !self.truncated {
            return self.body.json();
        }
        serde_json::from_slice(&closed(self.body.bytes())).ok()
    }

    /// The media type without parameters, lower-case; empty where none is stated.
    pub fn media_type(&self) -> String {
        let stated = self.headers.first("content-type").unwrap_or_default();
        stated.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// True for 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// The beginning of a JSON document, closed behind its last whole value.
fn closed(cut: &[u8]) -> Vec<u8> {
    let mut open: Vec<u8> = Vec::new();
    // Where the document can be closed, and how many brackets are open there.
    let (mut end, mut depth) = (0, 0);
    let (mut in_text, mut escaped) = (false, false);
    for (at, byte) in cut.iter().enumerate() {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (true, _) => {}
            (false, b'[' | b'{') => {
                open.push(if *byte == b'[' { b']' } else { b'}' });
                (end, depth) = (at + 1, open.len());
            }
            (false, b']' | b'}') => {
                open.pop();
                (end, depth) = (at + 1, open.len());
            }
            (false, b',') => (end, depth) = (at, open.len()),
            (false, _) => {}
        }
    }
    let mut whole = cut[..end].to_vec();
    whole.extend(open[..depth].iter().rev());
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_read_of_a_cut_document_is_json() {
        for (cut, read) in [
            (r#"[{"a":1,"b":"x\"}]"},{"a":2,"b":"y"#, json!([{ "a": 1, "b": "x\"}]" }, { "a": 2 }])),
            (r#"{"users":[{"n":1},{"n":2"#, json!({ "users": [{ "n": 1 }, {}] })),
            (r#"{"a":[1,2],"b"#, json!({ "a": [1, 2] })),
            ("[1,2,", json!([1, 2])),
            ("[[[", json!([[[]]])),
        ] {
            let response =
                Response { status: 200, headers: Headers::default(), body: cut.into(), body_bytes: 0, truncated: true };
            assert_eq!(response.json_read(), Some(read), "{cut}");
            assert_eq!(response.json(), None);
        }
    }
}
