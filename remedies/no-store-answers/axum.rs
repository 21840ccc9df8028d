//! Keeps every answer out of caches, except those whose handler set Cache-Control.
//!
//! ```ignore
//! let app = Router::new().route("/orders", get(orders)).layer(map_response(forbid_storing));
//! ```

use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::Response;

/// For [`axum::middleware::map_response`].
pub async fn forbid_storing(mut response: Response) -> Response {
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
