//! Azure Storage Shared Key for the Blob, Queue and File services.
//!
//! **Source**: Microsoft, "Authorize with Shared Key", version 2015-02-21 and later:
//! <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>.

use model::SignedPlaces;
use model::{Place, Request, SignedPlace, Stamp};

use super::{header, malformed};
use crate::algorithm::Encoding;
use crate::clock::Clock;
use crate::coverage::Part;
use crate::scheme::{Mismatch, Reading};
use crate::seen;

/// The headers of the canonical string, in its order.
const HEADERS: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

/// Where signature and time stand. The account has no end of its own: it stands before the signature.
pub(super) fn places(account: &str) -> SignedPlaces {
    let place = Place::Header { name: "Authorization".into(), prefix: format!("SharedKey {account}:") };
    SignedPlaces {
        signature: SignedPlace { place, member: None },
        timestamp: Some(SignedPlace::header("x-ms-date")),
        nonce: None,
        key_id: None,
        window: None,
    }
}

pub(super) fn prepare(request: &mut Request, stamp: &Stamp, account: &str) {
    request.headers.set("x-ms-date", Clock::HttpDate.write(stamp.unix_ms));
    if !request.headers.contains("x-ms-version") {
        request.headers.push("x-ms-version", "2021-08-06");
    }
    request.headers.set("Authorization", format!("SharedKey {account}:"));
}

pub(super) fn read(request: &Request) -> Result<Reading, Mismatch> {
    let (account, signature) = header(request, "authorization")?
        .strip_prefix("SharedKey ")
        .and_then(|rest| rest.split_once(':'))
        .ok_or_else(|| malformed("header authorization", "`SharedKey account:signature`"))?;
    let stamped = request.headers.first("x-ms-date").or_else(|| request.headers.first("date"));
    let timestamp = stamped.ok_or_else(|| Mismatch::Missing { place: "header x-ms-date".into() })?.to_owned();
    let unix_ms = Clock::HttpDate.read(&timestamp).ok_or_else(|| malformed("header x-ms-date", "an HTTP date"))?;
    let mut covers = vec![Part::Method, Part::Path, Part::Query, Part::ContentType, Part::Timestamp, Part::KeyId];
    if let Some(stated) = request.headers.first("content-md5") {
        if Encoding::Base64.decode(stated) != Some(crate::algorithm::Hash::Md5.of(request.body.bytes())) {
            return Err(Mismatch::Digest { place: "header content-md5".into() });
        }
        covers.push(Part::Body);
    }
    Ok(Reading {
        canonical: canonical(request, account).into_bytes(),
        signatures: vec![Encoding::Base64.decode(signature).ok_or_else(|| malformed("the signature", "base64"))?],
        timestamp: Some(timestamp),
        unix_ms: Some(unix_ms),
        key_id: Some(account.to_owned()),
        covers,
        ..Reading::default()
    })
}

fn canonical(request: &Request, account: &str) -> String {
    let has_own_date = request.headers.contains("x-ms-date");
    let mut lines = vec![request.method.to_ascii_uppercase()];
    lines.extend(HEADERS.map(|name| match name {
        "content-length" if request.body.is_empty() => String::new(),
        "content-length" => request.body.len().to_string(),
        "date" if has_own_date => String::new(),
        name => request.headers.first(name).unwrap_or_default().trim().to_owned(),
    }));
    let mut own: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), single_spaced(value)))
        .filter(|(name, _)| name.starts_with("x-ms-"))
        .collect();
    own.sort();
    lines.extend(own.into_iter().map(|(name, value)| format!("{name}:{value}")));
    lines.push(format!("/{account}{}", request.path()));
    let mut parameters: Vec<(String, String)> = seen::pairs(request.query().unwrap_or_default().as_bytes())
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    parameters.sort();
    let mut resource: Vec<(String, Vec<String>)> = Vec::new();
    for (name, value) in parameters {
        match resource.last_mut() {
            Some((last, values)) if *last == name => values.push(value),
            _ => resource.push((name, vec![value])),
        }
    }
    lines.extend(resource.into_iter().map(|(name, values)| format!("{name}:{}", values.join(","))));
    lines.join("\n")
}

/// Runs of white space as one space, none at either end; inside quotes the text stays as it is.
///
/// **Source**: "Authorize with Shared Key", "Constructing the canonicalized headers string", step 4.
fn single_spaced(value: &str) -> String {
    let mut text = String::new();
    let mut quoted = false;
    for c in value.trim().chars() {
        quoted ^= c == '"';
        match c {
            c if quoted || !c.is_whitespace() => text.push(c),
            _ if text.ends_with(' ') => {}
            _ => text.push(' '),
        }
    }
    text
}
