//! TLS that reports instead of refusing: the certificate is verified, the outcome is written down,
//! and the handshake completes, so that its facts are known.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use model::exchange::{Certificate, Tls};
use model::{TransportError, TransportErrorKind};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::connector::Io;
use super::failure::failure;

/// Which application protocols are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alpn {
    /// HTTP/2, else HTTP/1.1.
    Any,
    /// HTTP/1.1 only.
    Http1,
    /// HTTP/2 only.
    Http2,
}

/// The TLS client. Reading the platform's trusted roots takes time and waits for the first use.
pub(super) struct TlsClient {
    /// Trusted besides the platform's roots.
    roots: Arc<[CertificateDer<'static>]>,
    base: OnceLock<Base>,
}

struct Base {
    config: ClientConfig,
    verifier: Result<Arc<dyn ServerCertVerifier>, rustls::Error>,
    provider: Arc<CryptoProvider>,
}

impl TlsClient {
    /// # Errors
    /// One of the extra roots is not a certificate.
    pub(super) fn new(roots: Vec<CertificateDer<'static>>) -> Result<Self, TransportError> {
        if roots.iter().any(|root| X509Certificate::from_der(root).is_err()) {
            return Err(failure(TransportErrorKind::Tls, "one of the extra roots is not a certificate"));
        }
        Ok(Self { roots: roots.into(), base: OnceLock::new() })
    }

    /// Makes a handshake and returns its facts, whatever the certificate is worth.
    pub(super) async fn handshake(
        &self,
        host: &str,
        alpn: Alpn,
        io: Io,
    ) -> Result<(TlsStream<Io>, Tls), TransportError> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| failure(TransportErrorKind::Tls, format!("`{host}` cannot be the name of a TLS server")))?;
        let base = self.base.get_or_init(|| Base::new(&self.roots));
        let verifier = Arc::new(RecordingVerifier {
            verifier: base.verifier.clone(),
            roots: self.roots.clone(),
            provider: base.provider.clone(),
            error: Mutex::new(None),
        });
        let mut config = base.config.clone();
        config.dangerous().set_certificate_verifier(verifier.clone());
        config.alpn_protocols = match alpn {
            Alpn::Any => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
            Alpn::Http1 => vec![b"http/1.1".to_vec()],
            Alpn::Http2 => vec![b"h2".to_vec()],
        };
        let stream = TlsConnector::from(Arc::new(config)).connect(name, io).await.map_err(|e| {
            let reason = match e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(rustls::Error::InvalidMessage(_)) => "the server does not speak TLS".into(),
                Some(tls) => tls.to_string(),
                None => e.kind().to_string(),
            };
            failure(TransportErrorKind::Tls, format!("the TLS handshake with `{host}` failed: {reason}"))
        })?;
        let error = verifier.error.lock().unwrap_or_else(PoisonError::into_inner).take();
        let facts = facts(stream.get_ref().1, error);
        Ok((stream, facts))
    }
}

impl Base {
    fn new(roots: &[CertificateDer<'static>]) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = Verifier::new_with_extra_roots(roots.iter().cloned(), provider.clone())
            .map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>);
        let mut config = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("the provider has suites for the default versions")
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        // A resumed session presents no certificate.
        config.resumption = Resumption::disabled();
        Self { config, verifier, provider }
    }
}

/// Writes down what the real verifier says, then lets the handshake go on.
#[derive(Debug)]
struct RecordingVerifier {
    /// The platform's verifier, or why there is none.
    verifier: Result<Arc<dyn ServerCertVerifier>, rustls::Error>,
    roots: Arc<[CertificateDer<'static>]>,
    provider: Arc<CryptoProvider>,
    error: Mutex<Option<String>>,
}

impl RecordingVerifier {
    /// True for a self-made authority certificate that a server shows as its own and that the user
    /// trusts by name: every development server with `openssl req -x509` has one. Validity in time
    /// is checked before this error is found.
    fn is_trusted_itself(&self, error: &rustls::Error, shown: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
        is_authority(error)
            && self.roots.iter().any(|root| root == shown)
            && ParsedCertificate::try_from(shown).is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok())
    }
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let result = match &self.verifier {
            Ok(verifier) => {
                verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now).map(|_| ())
            }
            Err(error) => Err(error.clone()),
        };
        let error = result.err().filter(|error| !self.is_trusted_itself(error, end_entity, server_name));
        *self.error.lock().unwrap_or_else(PoisonError::into_inner) = error.map(|error| in_words(&error));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// True if the only fault is that an authority's certificate is used by a server.
fn is_authority(error: &rustls::Error) -> bool {
    match error {
        // The platform's verifier passes the error of webpki on as an opaque one.
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => other.to_string() == "CaUsedAsEndEntity",
        _ => false,
    }
}

fn in_words(error: &rustls::Error) -> String {
    if is_authority(error) {
        return "the certificate is that of an authority, not of a server".into();
    }
    let rustls::Error::InvalidCertificate(error) = error else {
        return error.to_string();
    };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired".into(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet".into()
        }
        CertificateError::UnknownIssuer => "no trusted authority has issued the certificate".into(),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another name".into()
        }
        CertificateError::Revoked => "the certificate is revoked".into(),
        other => format!("the certificate is not valid: {other}"),
    }
}

fn facts(connection: &ClientConnection, verification_error: Option<String>) -> Tls {
    let suite = connection.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite())).unwrap_or_default();
    Tls {
        version: connection.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default(),
        // rustls names the suites of TLS 1.3 `TLS13_…`; IANA does not.
        cipher_suite: suite.replacen("TLS13_", "TLS_", 1),
        key_exchange: connection.negotiated_key_exchange_group().map(|group| format!("{:?}", group.name())),
        alpn: connection.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
        verification_error,
        certificates: connection.peer_certificates().unwrap_or_default().iter().filter_map(certificate).collect(),
    }
}

/// The facts of a certificate; `None` if it cannot be read.
fn certificate(der: &CertificateDer<'_>) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = match certificate.subject_alternative_name() {
        Ok(Some(extension)) => extension.value.general_names.iter().filter_map(name).collect(),
        _ => Vec::new(),
    };
    let algorithm = &certificate.signature_algorithm.algorithm;
    let validity = certificate.validity();
    Some(Certificate {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        names,
        not_before_ms: validity.not_before.timestamp().saturating_mul(1000),
        not_after_ms: validity.not_after.timestamp().saturating_mul(1000),
        signature_algorithm: oid2sn(algorithm, oid_registry())
            .map_or_else(|_| algorithm.to_id_string(), ToOwned::to_owned),
        key: key(&certificate),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|bytes| std::net::IpAddr::from(bytes).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|bytes| std::net::IpAddr::from(bytes).to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn key(certificate: &X509Certificate<'_>) -> String {
    let key = certificate.public_key();
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => format!("RSA {}", rsa.key_size()),
        Ok(PublicKey::EC(point)) => format!("EC {}", point.key_size()),
        Ok(PublicKey::DSA(_)) => "DSA".into(),
        _ => {
            let algorithm = &key.algorithm.algorithm;
            oid2sn(algorithm, oid_registry()).map_or_else(|_| algorithm.to_id_string(), ToOwned::to_owned)
        }
    }
}
