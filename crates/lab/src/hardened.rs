//! A small orders API without a flaw that a scanner could see: every check must end here with nothing
//! above *info*.
//!
//! `description` declares it, `access` knows who calls and slows guessing down, `token` issues and
//! verifies what some call with, `customer` says who they are, `request` reads queries and bodies
//! strictly, `orders` is the data and its operations, `problem` is how everything that fails is said,
//! and `tls` puts it behind TLS.

mod access;
mod customer;
mod description;
mod orders;
mod problem;
mod request;
mod tls;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use engine::testing::Served;
use model::identity::{Extract, ExtractFrom};
use model::{Place, Request as Sent};
use serde_json::json;

use access::Guard;
use customer::Customer;
use orders::Shop;
use problem::Problem;
use token::{Algorithm, Signer};

/// The only foreign origin whose pages may read answers.
const TRUSTED_ORIGIN: &str = "https://shop.example";

/// The API over http: Alice and Bob call with keys, Carol and Dave with tokens, Erin with the session
/// of her browser.
pub fn hardened() -> Served {
    serve(false)
}

/// The same API behind TLS, where it also tells browsers to stay there.
pub fn hardened_over_tls() -> Served {
    tls::behind_tls(serve(true))
}

fn serve(secure: bool) -> Served {
    let signer = Arc::new(Signer::new());
    let guard = Guard::new(signer.clone());
    let shop = Shop::open();
    let protected = Router::new()
        .route("/v2/products", get(orders::list_products))
        .route("/v2/products/{sku}", get(orders::read_product))
        .route("/v2/orders", get(orders::list).post(orders::create))
        .route("/v2/orders/search", get(orders::search))
        .route("/v2/orders/{order_id}", get(orders::read).delete(orders::cancel))
        .route("/v2/orders/{order_id}/items", get(orders::read_items))
        .route("/v2/invoices", get(orders::list_invoices))
        .route("/v2/invoices/{invoice_id}", get(orders::read_invoice))
        .route("/v2/profile", get(orders::read_profile))
        .method_not_allowed_fallback(|| async { Problem::METHOD_NOT_ALLOWED })
        .route_layer(from_fn_with_state(guard.clone(), access::require_customer))
        .with_state(shop);
    let public = Router::new()
        .route("/health", get(orders::health))
        .route("/.well-known/jwks.json", get(access::read_keys))
        .route("/v1/{*rest}", any(|| async { Problem::GONE }))
        .route("/v2/login", post(access::login))
        .method_not_allowed_fallback(|| async { Problem::METHOD_NOT_ALLOWED })
        .with_state(guard);
    let router = protected
        .merge(public)
        .fallback(|| async { Problem::NOT_FOUND })
        .layer(from_fn_with_state(Transport { secure }, finish));
    let bearer = |algorithm, customer| format!("Bearer {}", signer.issue(algorithm, customer));
    let sign_in = json!({ "username": "erin", "password": access::ERIN_PASSWORD });
    let session = access::SESSION_COOKIE.to_owned();
    Served::new(description::description(), router)
        .with_identity("alice", access::KEY_HEADER, access::ALICE_KEY)
        .with_identity("bob", access::KEY_HEADER, access::BOB_KEY)
        .with_identity("carol", "Authorization", &bearer(Algorithm::HS256, Customer::Carol))
        .with_identity("dave", "Authorization", &bearer(Algorithm::ES256, Customer::Dave))
        .with_login(
            "erin",
            Sent::new("POST", "/v2/login").with_json(&sign_in),
            Extract { from: ExtractFrom::Cookie(session.clone()), place: Place::Cookie { name: session } },
        )
}

/// How answers travel.
#[derive(Clone, Copy)]
struct Transport {
    secure: bool,
}

/// What holds for every answer: nothing is stored, no type is guessed, one origin is trusted, and
/// OPTIONS is answered from the methods that the route has.
async fn finish(State(transport): State<Transport>, request: Request, next: Next) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    let is_trusted =
        request.headers().get(header::ORIGIN).is_some_and(|origin| origin.as_bytes() == TRUSTED_ORIGIN.as_bytes());
    let mut response = next.run(request).await;
    if is_options && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allow = response.headers_mut().remove(header::ALLOW);
        response = StatusCode::NO_CONTENT.into_response();
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    for (name, value) in ALWAYS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if transport.secure {
        // RFC 6797, section 7.2: never over http.
        let policy = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, policy);
    }
    if is_trusted {
        for (name, value) in GRANTED {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    }
    response
}

/// **Source**: OWASP REST Security Cheat Sheet, security headers.
const ALWAYS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::VARY, "Origin"),
];

const GRANTED: [(HeaderName, &str); 3] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, TRUSTED_ORIGIN),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, DELETE"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "X-Api-Key, Authorization, Content-Type, Idempotency-Key"),
];

#[cfg(test)]
mod tests;
