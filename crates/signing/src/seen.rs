//! The values of a request as formulas see them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use model::{Origin, Request};
use percent_encoding::percent_decode_str;

use crate::algorithm::hex;
use crate::clock;
use crate::formula::{Form, Formula, Function, Piece, Variable};

/// A request without its signature, and the stamp that it carries.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) request: &'a Request,
    pub(crate) timestamp: &'a str,
    pub(crate) unix_ms: i64,
    pub(crate) nonce: &'a str,
    pub(crate) key_id: &'a str,
    pub(crate) signature: &'a str,
}

impl Seen<'_> {
    /// The canonical string of a formula.
    pub(crate) fn render(&self, formula: &Formula) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&formula.pieces, &mut out);
        out
    }

    fn write(&self, pieces: &[Piece], out: &mut Vec<u8>) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Value(variable) => out.extend_from_slice(&self.value(variable)),
                Piece::Call(function, values) => {
                    let mut joined = Vec::new();
                    self.write(values, &mut joined);
                    out.extend_from_slice(&call(*function, &joined));
                }
            }
        }
    }

    /// The bytes of one variable; empty where the request has no such part.
    pub(crate) fn value(&self, variable: &Variable) -> Vec<u8> {
        let request = self.request;
        let text: Cow<'_, str> = match variable {
            Variable::Body => return request.body.bytes().to_vec(),
            Variable::Timestamp => self.timestamp.into(),
            Variable::Date => clock::day(self.unix_ms).into(),
            Variable::Nonce => self.nonce.into(),
            Variable::KeyId => self.key_id.into(),
            Variable::Signature => self.signature.into(),
            Variable::Method => request.method.to_ascii_uppercase().into(),
            Variable::MethodLower => request.method.to_ascii_lowercase().into(),
            Variable::Path => decoded_path(request).into(),
            Variable::RawPath => request.path().into(),
            Variable::Query => request.query().unwrap_or_default().into(),
            Variable::SortedQuery => sorted_query(request).into(),
            Variable::JoinedQuery => joined_query(request).into(),
            Variable::PathQuery => path_query(request).into(),
            Variable::Host => host(request).into(),
            Variable::HostName => host_and_port(request).0.into(),
            Variable::Port => host_and_port(request).1.to_string().into(),
            Variable::Scheme => scheme(request).into(),
            Variable::Url => url(request).into(),
            Variable::ContentType => request.headers.first("content-type").unwrap_or_default().into(),
            Variable::MediaType => media_type(request).into(),
            Variable::Form => form(request).into(),
            Variable::Header(name) => request.headers.all(name).collect::<Vec<_>>().join(", ").into(),
            Variable::Param(name) => param(request, name).unwrap_or_default().into(),
        };
        text.into_owned().into_bytes()
    }
}

fn call(function: Function, value: &[u8]) -> Vec<u8> {
    let text = || String::from_utf8_lossy(value);
    match function {
        Function::Hash(hash, Form::Raw) => hash.of(value),
        Function::Hash(hash, Form::Hex) => hex(&hash.of(value)).into_bytes(),
        Function::Hash(hash, Form::Base64) => BASE64_STANDARD.encode(hash.of(value)).into_bytes(),
        Function::Hex => hex(value).into_bytes(),
        Function::Base64 => BASE64_STANDARD.encode(value).into_bytes(),
        Function::Lower => text().to_lowercase().into_bytes(),
        Function::Upper => text().to_uppercase().into_bytes(),
        Function::Text => text().into_owned().into_bytes(),
    }
}

/// The path with `%XX` decoded; bytes that are not UTF-8 become U+FFFD.
pub(crate) fn decoded_path(request: &Request) -> String {
    percent_decode_str(request.path()).decode_utf8_lossy().into_owned()
}

/// Path and query as sent, without a `?` that nothing follows.
pub(crate) fn path_query(request: &Request) -> String {
    match request.query() {
        Some(query) if !query.is_empty() => format!("{}?{query}", request.path()),
        _ => request.path().to_owned(),
    }
}

/// The pairs of the query as sent, in byte order.
pub(crate) fn sorted_query(request: &Request) -> String {
    let mut pairs: Vec<&str> = request.query().unwrap_or_default().split('&').filter(|p| !p.is_empty()).collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// The decoded pairs of the query, values of one name together, in byte order, without separators.
fn joined_query(request: &Request) -> String {
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in pairs(request.query().unwrap_or_default().as_bytes()) {
        match fields.iter_mut().find(|(own, _)| *own == name) {
            Some((_, values)) => values.push(value),
            None => fields.push((name, vec![value])),
        }
    }
    let mut fields: Vec<String> =
        fields.into_iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect();
    fields.sort_unstable();
    fields.concat()
}

/// What stands in `Host`: the header where it is stated, else the origin's authority.
pub(crate) fn host(request: &Request) -> String {
    match request.headers.first("host") {
        Some(host) => host.trim().to_owned(),
        None => request.origin.as_ref().map(Origin::authority).unwrap_or_default(),
    }
}

/// Host without port, and the port: the scheme's own where none is stated.
pub(crate) fn host_and_port(request: &Request) -> (String, u16) {
    let host = host(request);
    let own = if scheme(request) == "https" { 443 } else { 80 };
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name.to_owned(), port.parse().unwrap_or(own)),
        _ => (host, own),
    }
}

/// `https` unless the origin says otherwise.
pub(crate) fn scheme(request: &Request) -> &'static str {
    request.origin.as_ref().map_or("https", Origin::scheme)
}

/// Scheme, host, path and query.
pub(crate) fn url(request: &Request) -> String {
    format!("{}://{}{}", scheme(request), host(request), path_query(request))
}

/// The content type in lower case without parameters.
pub(crate) fn media_type(request: &Request) -> String {
    let stated = request.headers.first("content-type").unwrap_or_default();
    stated.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// True where the body is an urlencoded form.
pub(crate) fn is_form(request: &Request) -> bool {
    media_type(request) == "application/x-www-form-urlencoded"
}

/// Decoded pairs of an urlencoded text.
pub(crate) fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

fn form(request: &Request) -> String {
    if !is_form(request) {
        return String::new();
    }
    let mut pairs = pairs(request.body.bytes());
    pairs.sort();
    pairs.dedup();
    pairs.into_iter().map(|(name, value)| name + &value).collect()
}

/// The decoded value of the first query parameter of a name.
pub(crate) fn param(request: &Request, name: &str) -> Option<String> {
    pairs(request.query()?.as_bytes()).into_iter().find(|(n, _)| n == name).map(|(_, value)| value)
}

/// The same target without one query parameter; the other pairs stay as sent.
pub(crate) fn without_param(request: &mut Request, name: &str) {
    let Some(query) = request.query() else { return };
    let is_other = |pair: &&str| {
        let written = pair.split('=').next().unwrap_or_default();
        percent_decode_str(written).decode_utf8_lossy() != name
    };
    let kept: Vec<&str> = query.split('&').filter(is_other).collect();
    let path = request.path();
    request.target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
}
