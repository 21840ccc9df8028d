//! AWS Signature Version 4.
//!
//! **Source**: AWS Identity and Access Management User Guide, "Create a signed AWS API request".

use model::{Request, SignedPlace, SignedPlaces, Stamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::{header, malformed, member, named, parameters};
use crate::algorithm::{Encoding, Hash, hex};
use crate::clock::{Clock, day};
use crate::coverage::Part;
use crate::scheme::{Mismatch, Reading};
use crate::seen;

/// Everything but the unreserved characters of RFC 3986.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const STRICT_PATH: &AsciiSet = &STRICT.remove(b'/');

/// Headers that a proxy or the client itself may change, and that are therefore never signed.
const UNSIGNED: &[&str] =
    &["authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"];

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Where a request goes inside AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigV4 {
    /// Region, such as `us-east-1`.
    pub region: String,
    /// Service, such as `execute-api`.
    pub service: String,
    /// True where `x-amz-content-sha256` states the body's digest, as S3 wants it.
    pub content_header: bool,
    /// Headers that are signed, those that a request does not have left out; absent for every header
    /// that may be signed.
    pub signed_headers: Option<Vec<String>>,
}

impl SigV4 {
    pub(super) fn prepare(&self, request: &mut Request, stamp: &Stamp, key_id: &str) {
        request.headers.set("X-Amz-Date", Clock::Basic.write(stamp.unix_ms));
        if self.content_header {
            request.headers.set("X-Amz-Content-Sha256", hex(&Hash::Sha256.of(request.body.bytes())));
        }
        let stated = |name: &str| match &self.signed_headers {
            Some(names) => names.iter().any(|own| own.eq_ignore_ascii_case(name)),
            None => !UNSIGNED.contains(&name),
        };
        let mut signed: Vec<String> = request
            .headers
            .iter()
            .map(|(name, _)| name.to_ascii_lowercase())
            .chain(["host".to_owned()])
            .filter(|name| stated(name))
            .collect();
        signed.sort();
        signed.dedup();
        let scope = format!("{}/{}/{}/aws4_request", day(stamp.unix_ms), self.region, self.service);
        let signed = signed.join(";");
        request.headers.set(
            "Authorization",
            format!("{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={signed}, Signature="),
        );
    }

    /// The same for the scope that a request states.
    pub(crate) fn adapted(&self, request: &Request) -> Self {
        let mut adapted = self.clone();
        if let Ok(stated) = stated(request)
            && let [_, service, region, _, _] = stated.credential.rsplitn(5, '/').collect::<Vec<_>>()[..]
        {
            adapted.service = service.to_owned();
            adapted.region = region.to_owned();
        }
        adapted.content_header |= request.headers.contains("x-amz-content-sha256");
        adapted
    }

    /// The headers that every request signs.
    pub(super) fn components(&self) -> Vec<String> {
        let every = || {
            let digest = self.content_header.then_some("x-amz-content-sha256");
            ["host", "x-amz-date"].into_iter().chain(digest).map(Into::into).collect()
        };
        self.signed_headers.clone().unwrap_or_else(every)
    }

    /// Where the signature and what belongs to it stand.
    pub(super) fn places(&self) -> SignedPlaces {
        SignedPlaces {
            signature: member("Authorization", "Signature"),
            timestamp: Some(SignedPlace::header("X-Amz-Date")),
            nonce: None,
            key_id: Some(member("Authorization", "Credential/")),
            window: None,
        }
    }
}

/// What the request states of its own signature, in the header or in the query.
struct Stated {
    credential: String,
    signed_headers: String,
    signature: String,
    timestamp: String,
    in_query: bool,
}

pub(super) fn read(request: &Request) -> Result<Reading, Mismatch> {
    let stated = stated(request)?;
    let scope: Vec<&str> = stated.credential.rsplitn(5, '/').collect();
    let [terminator, service, region, date, key_id] = scope[..] else {
        return Err(malformed("the credential", "`id/date/region/service/aws4_request`"));
    };
    let unix_ms = Clock::Basic.read(&stated.timestamp).ok_or_else(|| malformed("x-amz-date", "20260102T030405Z"))?;
    let mut bare = request.clone();
    if stated.in_query {
        seen::without_param(&mut bare, "X-Amz-Signature");
    }
    let payload = payload(&bare, stated.in_query, service)?;
    let canonical = format!(
        "{}\n{}\n{}\n{}\n{}\n{payload}",
        bare.method,
        path(&bare, service),
        query(&bare),
        headers(&bare, &stated.signed_headers),
        stated.signed_headers,
    );
    let to_sign = format!(
        "{ALGORITHM}\n{}\n{date}/{region}/{service}/{terminator}\n{}",
        stated.timestamp,
        hex(&Hash::Sha256.of(canonical.as_bytes()))
    );
    let signed = |name: &str| stated.signed_headers.split(';').any(|h| h == name);
    let mut covers = vec![Part::Method, Part::Path, Part::Query, Part::Timestamp];
    if is_digest(&payload) {
        covers.push(Part::Body);
    }
    covers.extend(stated.signed_headers.split(';').filter(|h| signed(h)).map(Part::of_header));
    Ok(Reading {
        canonical: to_sign.into_bytes(),
        signatures: vec![
            Encoding::Hex.decode(&stated.signature).ok_or_else(|| malformed("the signature", "hexadecimal"))?,
        ],
        unix_ms: Some(unix_ms),
        key_id: Some(key_id.to_owned()),
        covers,
        derivation: Some((
            "AWS4".into(),
            [date, region, service, terminator].iter().map(|s| s.as_bytes().to_vec()).collect(),
        )),
        timestamp: Some(stated.timestamp),
        ..Reading::default()
    })
}

fn stated(request: &Request) -> Result<Stated, Mismatch> {
    let param = |name: &str| seen::param(request, name);
    if let Some(signature) = param("X-Amz-Signature") {
        let missing = |name: &str| Mismatch::Missing { place: format!("query parameter {name}") };
        let need = |name: &str| param(name).ok_or_else(|| missing(name));
        return Ok(Stated {
            credential: need("X-Amz-Credential")?,
            signed_headers: need("X-Amz-SignedHeaders")?,
            signature,
            timestamp: need("X-Amz-Date")?,
            in_query: true,
        });
    }
    let authorization = header(request, "authorization")?;
    let fields = authorization
        .strip_prefix(ALGORITHM)
        .map(parameters)
        .ok_or_else(|| malformed("header authorization", "`AWS4-HMAC-SHA256 Credential=…`"))?;
    let need = |name: &str| {
        named(&fields, name)
            .map(Into::into)
            .ok_or_else(|| Mismatch::Missing { place: format!("{name} of authorization") })
    };
    Ok(Stated {
        credential: need("Credential")?,
        signed_headers: need("SignedHeaders")?,
        signature: need("Signature")?,
        timestamp: header(request, "x-amz-date")?.to_owned(),
        in_query: false,
    })
}

fn is_digest(payload: &str) -> bool {
    payload.len() == 64 && payload.bytes().all(|b| b.is_ascii_hexdigit())
}

fn payload(request: &Request, in_query: bool, service: &str) -> Result<String, Mismatch> {
    let own = || hex(&Hash::Sha256.of(request.body.bytes()));
    match request.headers.first("x-amz-content-sha256") {
        Some(stated) if is_digest(stated) && stated != own() => {
            Err(Mismatch::Digest { place: "header x-amz-content-sha256".into() })
        }
        Some(stated) => Ok(stated.to_owned()),
        None if in_query && service == "s3" => Ok("UNSIGNED-PAYLOAD".into()),
        None => Ok(own()),
    }
}

/// The path: normalized and encoded once more, except for S3, whose keys are taken as they are.
fn path(request: &Request, service: &str) -> String {
    if service == "s3" {
        let decoded: Vec<u8> = percent_decode_str(request.path()).collect();
        return percent_encode(&decoded, STRICT_PATH).to_string();
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in request.path().split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let is_folder = !kept.is_empty() && ["/", "/.", "/.."].iter().any(|end| request.path().ends_with(end));
    let path = format!("/{}{}", kept.join("/"), if is_folder { "/" } else { "" });
    percent_encode(path.as_bytes(), STRICT_PATH).to_string()
}

/// Names and values encoded strictly, sorted by name and then by value.
fn query(request: &Request) -> String {
    let strict = |text: &str| {
        let decoded: Vec<u8> = percent_decode_str(text).collect();
        percent_encode(&decoded, STRICT).to_string()
    };
    let mut pairs: Vec<(String, String)> = request
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (strict(name), strict(value)))
        .collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn headers(request: &Request, signed: &str) -> String {
    let line = |name: &str| {
        let values: Vec<String> = match name {
            "host" => vec![seen::host(request)],
            "content-length" if !request.headers.contains(name) => vec![request.body.len().to_string()],
            _ => request.headers.all(name).map(|v| v.split_whitespace().collect::<Vec<_>>().join(" ")).collect(),
        };
        format!("{name}:{}\n", values.join(","))
    };
    signed.split(';').map(line).collect()
}
