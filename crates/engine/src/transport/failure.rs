//! Sentences for what goes wrong on the way. They name the peer and the reason, never a header or body.

use std::future::Future;
use std::io;

use model::{TransportError, TransportErrorKind};
use tokio::time::{Instant, timeout_at};

/// An error of a kind, in a sentence.
pub(super) fn failure(kind: TransportErrorKind, message: impl Into<String>) -> TransportError {
    TransportError { kind, message: message.into() }
}

/// The connection ended too early, or the read failed.
pub(super) fn closed() -> TransportError {
    failure(TransportErrorKind::Closed, "the connection closed before a complete response")
}

/// What a failed read or write says about the connection.
pub(super) fn broken(error: &io::Error) -> TransportError {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return failure(TransportErrorKind::Tls, format!("TLS failed after the handshake: {tls}"));
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => closed(),
        kind => {
            failure(TransportErrorKind::Closed, format!("the connection closed before a complete response: {kind}"))
        }
    }
}

/// Awaits a future until the deadline; `waiting_for` completes the sentence "timed out …".
pub(super) async fn within<T>(
    deadline: Instant,
    waiting_for: &str,
    future: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    match timeout_at(deadline, future).await {
        Ok(result) => result,
        Err(_) => Err(failure(TransportErrorKind::Timeout, format!("timed out {waiting_for}"))),
    }
}
