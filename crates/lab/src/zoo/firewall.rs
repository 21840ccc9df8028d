//! Notes behind a firewall that loses patience.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use engine::testing::Served;

use super::{answer, notes};

/// Requests that are let through. Chosen: enough for a first look, too few for a scan.
const PATIENCE: u64 = 25;

const BLOCK_PAGE: &str = "<!doctype html><html lang=\"en\"><head><title>Request blocked</title></head>\
<body><h1>Request blocked</h1><p>Our security service has blocked this request. \
If you think that this is a mistake, contact the owner of the site.</p></body></html>";

/// The same 403 page for everything after the first requests.
pub(super) fn blocks_after_a_while() -> Served {
    let seen = Arc::new(AtomicU64::new(0));
    let router = notes::router().layer(from_fn(move |request: Request, next: Next| {
        let before = seen.fetch_add(1, Ordering::Relaxed);
        async move {
            if before >= PATIENCE {
                return answer::page(StatusCode::FORBIDDEN, BLOCK_PAGE);
            }
            next.run(request).await
        }
    }));
    notes::served_by(router)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::get;

    #[tokio::test]
    async fn it_works_and_then_blocks_everyone_everywhere() {
        let served = blocks_after_a_while();
        for _ in 0..PATIENCE {
            assert_eq!(get(&served, Some("alice"), "/api/notes").await.status, 200);
        }
        for (identity, path) in [(Some("alice"), "/api/notes"), (None, "/api/me"), (None, "/x")] {
            let blocked = get(&served, identity, path).await;
            assert_eq!(blocked.status, 403);
            assert_eq!(blocked.body, BLOCK_PAGE);
        }
    }
}
