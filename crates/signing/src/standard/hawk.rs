//! Hawk.
//!
//! **Source**: mozilla/hawk, `API.md`, "Protocol Example" and "Payload Validation".

use model::{Request, Stamp};

use super::{header, malformed, named, parameters};
use crate::algorithm::{Algorithm, Encoding, Hash};
use crate::clock::Clock;
use crate::coverage::Part;
use crate::scheme::{Mismatch, Reading, Scheme};
use crate::seen;

pub(super) fn prepare(scheme: &Scheme, request: &mut Request, stamp: &Stamp, key_id: &str) {
    let hash = if request.body.is_empty() {
        String::new()
    } else {
        format!("hash=\"{}\", ", payload_hash(hash_of(scheme.algorithm), request))
    };
    let ts = Clock::Seconds.write(stamp.unix_ms);
    let nonce = &stamp.nonce;
    request
        .headers
        .set("Authorization", format!("Hawk id=\"{key_id}\", ts=\"{ts}\", nonce=\"{nonce}\", {hash}mac=\"\""));
}

pub(super) fn read(scheme: &Scheme, request: &Request) -> Result<Reading, Mismatch> {
    let fields = header(request, "authorization")?
        .strip_prefix("Hawk ")
        .map(parameters)
        .ok_or_else(|| malformed("header authorization", "`Hawk id=\"…\", ts=\"…\", nonce=\"…\", mac=\"…\"`"))?;
    let need = |name: &str| {
        named(&fields, name).ok_or_else(|| Mismatch::Missing { place: format!("{name} of authorization") })
    };
    let ts = need("ts")?;
    let unix_ms = Clock::Seconds.read(ts).ok_or_else(|| malformed("ts of authorization", "Unix seconds"))?;
    let nonce = need("nonce")?;
    let hash = named(&fields, "hash").unwrap_or_default();
    let ext = named(&fields, "ext").unwrap_or_default().replace('\\', "\\\\").replace('\n', "\\n");
    if !hash.is_empty() && hash != payload_hash(hash_of(scheme.algorithm), request) {
        return Err(Mismatch::Digest { place: "hash of authorization".into() });
    }
    let (host, port) = seen::host_and_port(request);
    let mut canonical = format!(
        "hawk.1.header\n{ts}\n{nonce}\n{}\n{}\n{}\n{port}\n{hash}\n{ext}\n",
        request.method.to_ascii_uppercase(),
        request.target,
        host.to_ascii_lowercase(),
    );
    if let Some(app) = named(&fields, "app") {
        canonical.push_str(&format!("{app}\n{}\n", named(&fields, "dlg").unwrap_or_default()));
    }
    let mut covers = vec![Part::Method, Part::Host, Part::Path, Part::Query, Part::Timestamp, Part::Nonce];
    if !hash.is_empty() {
        covers.extend([Part::Body, Part::ContentType]);
    }
    Ok(Reading {
        canonical: canonical.into_bytes(),
        signatures: vec![
            Encoding::Base64.decode(need("mac")?).ok_or_else(|| malformed("mac of authorization", "base64"))?,
        ],
        timestamp: Some(ts.to_owned()),
        unix_ms: Some(unix_ms),
        nonce: Some(nonce.to_owned()),
        key_id: Some(need("id")?.to_owned()),
        covers,
        ..Reading::default()
    })
}

fn hash_of(algorithm: Algorithm) -> Hash {
    algorithm.shared_hash().unwrap_or(Hash::Sha256)
}

fn payload_hash(hash: Hash, request: &Request) -> String {
    let start = format!("hawk.1.payload\n{}\n", seen::media_type(request));
    Encoding::Base64.encode(&hash.of(&[start.as_bytes(), request.body.bytes(), b"\n"].concat()))
}
