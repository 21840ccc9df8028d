//! Admits a request only with a whole, known API key in its header.
//!
//! ```ignore
//! let keys = Keys::new(|digest| table.get(digest).cloned());
//! let app = Router::new().route("/orders", get(orders)).layer(from_fn_with_state(keys, require_key));
//! ```
//!
//! Needs `axum` and `sha2`. Routes that are added after `layer` are public.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

type Find<Record> = dyn Fn(&[u8; 32]) -> Option<Record> + Send + Sync;

/// Finds the record of a key by its digest.
pub struct Keys<Record>(Arc<Find<Record>>);

impl<Record> Keys<Record> {
    /// Keys of a store.
    pub fn new(find: impl Fn(&[u8; 32]) -> Option<Record> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }
}

impl<Record> Clone for Keys<Record> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// SHA-256 of a key: what is stored of it.
pub fn digest(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// Middleware for [`axum::middleware::from_fn_with_state`]; the record is then an `Extension`.
pub async fn require_key<Record: Clone + Send + Sync + 'static>(
    State(keys): State<Keys<Record>>,
    mut request: Request,
    next: Next,
) -> Response {
    let mut presented = request.headers().get_all("x-api-key").iter();
    let found =
        presented.next().filter(|_| presented.next().is_none()).and_then(|key| (keys.0)(&digest(key.as_bytes())));
    let Some(record) = found else {
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "ApiKey")]).into_response();
    };
    request.extensions_mut().insert(record);
    next.run(request).await
}
