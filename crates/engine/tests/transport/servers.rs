//! Servers on loopback, each bound to a port of its own and gone with the test's runtime.

use std::convert::Infallible;
use std::future::Future;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use model::Origin;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub(crate) type Response = http::Response<Full<Bytes>>;

/// Accepts connections for as long as the runtime lives.
pub(crate) async fn listen<F: Future<Output = ()> + Send + 'static>(
    secure: bool,
    host: &str,
    serve: impl Fn(TcpStream) -> F + Send + 'static,
) -> Origin {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    Origin { secure, host: host.into(), port }
}

/// Serves HTTP/1.1 and HTTP/2 on a connection.
pub(crate) async fn serve_http(
    io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    answer: impl Fn(http::Request<Incoming>) -> Response + Clone + Send + 'static,
) {
    let service = service_fn(move |request| {
        let response = answer(request);
        async move { Ok::<_, Infallible>(response) }
    });
    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(io), service).await;
}

/// A plain HTTP server.
pub(crate) async fn http(answer: impl Fn(http::Request<Incoming>) -> Response + Clone + Send + 'static) -> Origin {
    listen(false, "127.0.0.1", move |stream| serve_http(stream, answer.clone())).await
}

/// A server that reads one request head and sends these bytes, then closes. The heads are written down.
pub(crate) async fn raw(answer: impl Into<Vec<u8>>) -> (Origin, Arc<Mutex<Vec<String>>>) {
    let (answer, heads) = (answer.into(), Arc::<Mutex<Vec<String>>>::default());
    let seen = heads.clone();
    let origin = listen(false, "127.0.0.1", move |mut stream| {
        let (answer, seen) = (answer.clone(), seen.clone());
        async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                match stream.read_u8().await {
                    Ok(byte) => head.push(byte),
                    Err(_) => return,
                }
            }
            seen.lock().unwrap().push(String::from_utf8(head).unwrap());
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    })
    .await;
    (origin, heads)
}

/// A certificate that no authority has issued, with its key.
pub(crate) struct Identity {
    certificate: rcgen::Certificate,
    key: rcgen::KeyPair,
}

impl Identity {
    pub(crate) fn for_names(names: &[&str]) -> Self {
        Self::new(names, rcgen::IsCa::NoCa)
    }

    /// What `openssl req -x509` makes.
    pub(crate) fn authority(names: &[&str]) -> Self {
        Self::new(names, rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained))
    }

    fn new(names: &[&str], is_ca: rcgen::IsCa) -> Self {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = rcgen::CertificateParams::new(names).unwrap();
        parameters.is_ca = is_ca;
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "loopback");
        let key = rcgen::KeyPair::generate().unwrap();
        Self { certificate: parameters.self_signed(&key).unwrap(), key }
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.certificate.der().clone()
    }

    pub(crate) fn config(
        &self,
        version: &'static rustls::SupportedProtocolVersion,
        alpn: &[&str],
    ) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![self.der()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

/// An HTTPS server at `localhost`.
pub(crate) async fn https(
    config: Arc<ServerConfig>,
    answer: impl Fn(http::Request<Incoming>) -> Response + Clone + Send + 'static,
) -> Origin {
    listen(true, "localhost", move |stream| {
        let (config, answer) = (config.clone(), answer.clone());
        async move {
            if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                serve_http(stream, answer).await;
            }
        }
    })
    .await
}
