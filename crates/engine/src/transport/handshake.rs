//! Which protocol versions and suites does a server take? One hand-made ClientHello per question; the
//! server's first flight answers it, and no handshake is completed. No library speaks the old versions.
//!
//! **Source**: RFC 8446, RFC 5246, RFC 4346, RFC 2246, RFC 6101.

use std::io;
use std::net::IpAddr;

use model::{TransportError, TransportErrorKind};
use rustls::crypto::aws_lc_rs::default_provider;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::connector::Io;
use super::failure::failure;

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const SUPPORTED_VERSIONS: u16 = 43;
/// Longest first message. **Source**: chosen; a ServerHello has some hundred bytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// A version of SSL or TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsVersion {
    /// SSL 3.0, forbidden by RFC 7568.
    Ssl30,
    /// TLS 1.0, forbidden by RFC 8996.
    Tls10,
    /// TLS 1.1, forbidden by RFC 8996.
    Tls11,
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl TlsVersion {
    /// The version as it stands in handshake messages.
    pub fn code(self) -> u16 {
        match self {
            Self::Ssl30 => 0x0300,
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
            Self::Tls12 => 0x0303,
            Self::Tls13 => 0x0304,
        }
    }
}

/// What a ClientHello offers: one version and some suites.
#[derive(Clone, Copy, Debug)]
pub struct Hello<'a> {
    /// The only version offered; a server may answer with an older one.
    pub version: TlsVersion,
    /// Cipher suites by IANA number, in order of preference.
    pub suites: &'a [u16],
}

/// A server's answer to a ClientHello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandshakeAnswer {
    /// It chose a version and a suite.
    Accepted {
        /// As in handshake messages, such as 0x0303 for TLS 1.2.
        version: u16,
        /// IANA number of the cipher suite.
        suite: u16,
    },
    /// It refused with an alert of this description, such as 70 (protocol_version).
    Alert(u8),
    /// It closed the connection without an answer.
    Closed,
    /// It answered with something that is no TLS.
    Other(String),
}

/// Sends the hello and reads the server's first message.
pub(super) async fn ask(mut io: Io, host: &str, hello: &Hello<'_>) -> Result<HandshakeAnswer, TransportError> {
    let name = host.parse::<IpAddr>().is_err().then_some(host);
    let hello = client_hello(hello, name, &random()?, &random()?);
    // A server that hangs up at once breaks the write; reading finds out.
    let _ = io.write_all(&hello).await;
    let _ = io.flush().await;
    Ok(read_answer(&mut io).await.unwrap_or(HandshakeAnswer::Closed))
}

fn random() -> Result<[u8; 32], TransportError> {
    let mut bytes = [0; 32];
    match default_provider().secure_random.fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(failure(TransportErrorKind::Tls, "the system gives no random numbers")),
    }
}

/// One record with a ClientHello. `key_share` is an X25519 public key: any 32 bytes are one.
fn client_hello(hello: &Hello<'_>, name: Option<&str>, random: &[u8; 32], key_share: &[u8; 32]) -> Vec<u8> {
    let version = hello.version;
    let legacy_version = version.code().min(TlsVersion::Tls12.code());
    let mut body = legacy_version.to_be_bytes().to_vec();
    body.extend(random);
    body.push(0); // no session to resume
    body.extend(list(hello.suites));
    body.extend([1, 0]); // no compression
    if version > TlsVersion::Ssl30 {
        body.extend(sized(&extensions(version, name, key_share)));
    }
    let mut message = vec![CLIENT_HELLO];
    message.extend(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes()[1..]);
    message.extend(body);
    // RFC 8446, section 5.1: the record of a first hello says TLS 1.0.
    let record_version = version.code().min(TlsVersion::Tls10.code());
    let mut record = vec![HANDSHAKE];
    record.extend(record_version.to_be_bytes());
    record.extend(sized(&message));
    record
}

/// **Source**: IANA TLS ExtensionType Values, Supported Groups, SignatureScheme.
fn extensions(version: TlsVersion, name: Option<&str>, key_share: &[u8; 32]) -> Vec<u8> {
    const SERVER_NAME: u16 = 0;
    const SUPPORTED_GROUPS: u16 = 10;
    const EC_POINT_FORMATS: u16 = 11;
    const SIGNATURE_ALGORITHMS: u16 = 13;
    const KEY_SHARE: u16 = 51;
    const RENEGOTIATION_INFO: u16 = 0xff01;
    const X25519: u16 = 0x001d;
    // X25519, secp256r1, secp384r1, secp521r1
    let groups = [X25519, 0x0017, 0x0018, 0x0019];
    // ECDSA, RSA-PSS, Ed25519, RSA PKCS #1, each from SHA-256 up, then with SHA-1
    let signatures = [
        0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0807, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0203,
        0x0201,
    ];
    let mut extensions = Vec::new();
    let mut put = |kind: u16, content: &[u8]| {
        extensions.extend(kind.to_be_bytes());
        extensions.extend(sized(content));
    };
    if let Some(name) = name {
        let mut entry = vec![0]; // a host name
        entry.extend(sized(name.as_bytes()));
        put(SERVER_NAME, &sized(&entry));
    }
    put(SUPPORTED_GROUPS, &list(&groups));
    put(EC_POINT_FORMATS, &[1, 0]);
    put(RENEGOTIATION_INFO, &[0]);
    if version >= TlsVersion::Tls12 {
        put(SIGNATURE_ALGORITHMS, &list(&signatures));
    }
    if version == TlsVersion::Tls13 {
        let [high, low] = version.code().to_be_bytes();
        put(SUPPORTED_VERSIONS, &[2, high, low]);
        let mut share = X25519.to_be_bytes().to_vec();
        share.extend(sized(key_share));
        put(KEY_SHARE, &sized(&share));
    }
    extensions
}

/// Numbers behind their length in bytes.
fn list(numbers: &[u16]) -> Vec<u8> {
    sized(&numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>())
}

/// Bytes behind their length.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let mut sized = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    sized.extend(bytes);
    sized
}

/// Reads records until the first message is complete.
async fn read_answer(io: &mut Io) -> io::Result<HandshakeAnswer> {
    let mut message = Vec::new();
    while message.len() < ANSWER_LIMIT {
        let mut header = [0; 5];
        io.read_exact(&mut header).await?;
        let [kind, major, _, high, low] = header;
        if &header == b"HTTP/" {
            return Ok(HandshakeAnswer::Other("HTTP without TLS".into()));
        }
        if !matches!(kind, HANDSHAKE | ALERT) || major != 3 {
            return Ok(HandshakeAnswer::Other("no TLS".into()));
        }
        let mut content = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        io.read_exact(&mut content).await?;
        if kind == ALERT {
            return Ok(match content.as_slice() {
                [_, description] => HandshakeAnswer::Alert(*description),
                _ => HandshakeAnswer::Other("an alert that cannot be read".into()),
            });
        }
        message.extend(content);
        if let Some(answer) = first_message(&message) {
            return Ok(answer);
        }
    }
    Ok(HandshakeAnswer::Other("a message without end".into()))
}

/// What the first handshake message says; `None` if it is not complete.
fn first_message(bytes: &[u8]) -> Option<HandshakeAnswer> {
    let (kind, bytes) = bytes.split_first()?;
    let (length, bytes) = bytes.split_first_chunk::<3>()?;
    let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let body = bytes.get(..length)?;
    if *kind != SERVER_HELLO {
        return Some(HandshakeAnswer::Other(format!("handshake message {kind}")));
    }
    Some(server_hello(body).unwrap_or_else(|| HandshakeAnswer::Other("a ServerHello that cannot be read".into())))
}

/// **Source**: RFC 8446, section 4.1.3; a HelloRetryRequest has the same form.
fn server_hello(body: &[u8]) -> Option<HandshakeAnswer> {
    let (legacy_version, rest) = body.split_first_chunk::<2>()?;
    let (session_length, rest) = rest.get(32..)?.split_first()?;
    let (suite, rest) = rest.get(usize::from(*session_length)..)?.split_first_chunk::<2>()?;
    let mut version = u16::from_be_bytes(*legacy_version);
    // Compression method and the length of the extensions.
    let mut extensions = rest.get(3..).unwrap_or_default();
    while let Some((&[k1, k0, l1, l0], rest)) = extensions.split_first_chunk::<4>() {
        let (content, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([l1, l0])))?;
        if u16::from_be_bytes([k1, k0]) == SUPPORTED_VERSIONS {
            version = u16::from_be_bytes(content.try_into().ok()?);
        }
        extensions = rest;
    }
    Some(HandshakeAnswer::Accepted { version, suite: u16::from_be_bytes(*suite) })
}
