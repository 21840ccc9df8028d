//! Who calls: two people with bearer tokens that cannot be guessed.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use engine::testing::Served;
use sha2::{Digest, Sha256};

use super::answer;

/// 192 random bits each, drawn once.
const ALICE_TOKEN: &str = "1lkBgHbdpDkQawr0vRmPZ4u8s6xRtioa";
const BOB_TOKEN: &str = "jjGNzgY88QP80Zl8NjRnmMwlPtrAo9zQ";

/// The two people whom every protected specimen knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Person {
    Alice,
    Bob,
}

impl Person {
    /// The token of this person, as the sign-in operations answer it.
    pub(super) fn token(self) -> &'static str {
        match self {
            Self::Alice => ALICE_TOKEN,
            Self::Bob => BOB_TOKEN,
        }
    }
}

/// Adds both people, each with an `Authorization` header.
pub(super) fn with_people(served: Served) -> Served {
    served.with_identity("alice", "Authorization", &format!("Bearer {ALICE_TOKEN}")).with_identity(
        "bob",
        "Authorization",
        &format!("Bearer {BOB_TOKEN}"),
    )
}

/// Adds both people, each with an `X-Api-Key` header.
pub(super) fn with_people_by_key(served: Served) -> Served {
    served.with_identity("alice", "X-Api-Key", ALICE_TOKEN).with_identity("bob", "X-Api-Key", BOB_TOKEN)
}

/// The person whose bearer token came with the request. A second `Authorization` header, another
/// scheme or an unknown token is nobody. The scheme's name has no case.
///
/// **Source**: RFC 9110, section 11.1; RFC 6750, section 2.1.
pub(super) fn caller(headers: &HeaderMap) -> Option<Person> {
    let (scheme, token) = only_value(headers, header::AUTHORIZATION.as_str())?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    owner(token)
}

/// The person whose token came in `X-Api-Key`, exactly once.
pub(super) fn caller_by_key(headers: &HeaderMap) -> Option<Person> {
    owner(only_value(headers, "x-api-key")?)
}

/// The routes of the router, for known callers only: the others get 401. The handlers find the
/// [`Person`] in the extensions.
pub(super) fn known_callers_only(router: Router) -> Router {
    router.route_layer(from_fn(refuse_strangers))
}

async fn refuse_strangers(mut request: Request, next: Next) -> Response {
    let Some(person) = caller(request.headers()) else {
        return answer::refused().into_response();
    };
    request.extensions_mut().insert(person);
    next.run(request).await
}

fn only_value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    value.to_str().ok()
}

/// Compares digests, so that the time taken says nothing about the token.
fn owner(token: &str) -> Option<Person> {
    let presented = Sha256::digest(token);
    let alice = same(&presented, &Sha256::digest(ALICE_TOKEN));
    let bob = same(&presented, &Sha256::digest(BOB_TOKEN));
    match (alice, bob) {
        (true, _) => Some(Person::Alice),
        (_, true) => Some(Person::Bob),
        _ => None,
    }
}

fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left.iter().zip(right).fold(0, |difference, (left, right)| difference | (left ^ right)) == 0
}
