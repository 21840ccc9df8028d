//! Servers in this process: the same HTTP bytes over a pipe, so that a test needs no port and can stop the clock.

use std::convert::Infallible;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Buf;
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use model::Origin;
use tokio::io::DuplexStream;
use tower::Service;

/// Bytes that a pipe holds until they are read. **Source**: chosen, like a small socket buffer.
const PIPE: usize = 64 * 1024;

/// A server that lives in this process: the same HTTP bytes over a pipe instead of a socket.
///
/// TLS is left out, also for `https` origins, unless the server speaks it itself.
pub trait MemoryServer: Send + Sync {
    /// The client's end of a new connection; `None` refuses it.
    fn connect(&self, origin: &Origin) -> Option<DuplexStream>;

    /// True if it expects a TLS handshake at `https` origins.
    fn speaks_tls(&self) -> bool {
        false
    }
}

/// Serves a service (such as a router) at every origin, over HTTP/1.1 and HTTP/2 without TLS.
///
/// Connections are made within a tokio runtime and live as long as it.
pub fn serve_in_memory<S, B>(service: S) -> Arc<dyn MemoryServer>
where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    Arc::new(Served(Mutex::new(service)))
}

struct Served<S>(Mutex<S>);

impl<S, B> MemoryServer for Served<S>
where
    S: Service<http::Request<Incoming>, Response = http::Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    fn connect(&self, _: &Origin) -> Option<DuplexStream> {
        let service = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (client, server) = tokio::io::duplex(PIPE);
        tokio::spawn(async move {
            // How the connection ends is for its client to see.
            let _ = Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(server), TowerToHyperService::new(service))
                .await;
        });
        Some(client)
    }
}
