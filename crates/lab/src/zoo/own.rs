//! Answers full of personal data that belong to the caller.

use axum::Router;
use axum::extract::Extension;
use axum::http::StatusCode;
use axum::routing::get;
use engine::testing::Served;
use serde_json::{Value, json};

use super::credentials::{Person, known_callers_only, with_people};
use super::{answer, describe};

/// The caller's own email, phone, role and masked key.
pub(super) fn profile() -> Served {
    let router = known_callers_only(
        Router::new()
            .route(
                "/api/profile",
                get(|Extension(person): Extension<Person>| async move {
                    answer::json_with(StatusCode::OK, profile_of(person))
                }),
            )
            .route(
                "/api/profile/keys",
                get(|Extension(person): Extension<Person>| async move {
                    answer::json_with(StatusCode::OK, json!({ "keys": [key_of(person)] }))
                }),
            ),
    )
    .fallback(|| async { answer::absent() });
    let key = describe::object(json!({
        "name": describe::text(),
        "masked": describe::text(),
        "created": { "type": "string", "format": "date" },
    }));
    let paths = json!({
        "/api/profile": { "get": describe::reading("readProfile", "My profile", profile_schema()) },
        "/api/profile/keys": { "get": describe::reading(
            "listKeys", "My keys, masked", describe::list("keys", key),
        ) },
    });
    with_people(Served::new(describe::protected("Profile", paths), router))
}

/// `/api/users/{user_id}` answers with the caller's own profile, whatever the id is.
pub(super) fn own_profile_for_any_id() -> Served {
    let router = known_callers_only(
        Router::new()
            .route(
                "/api/users",
                get(|Extension(person): Extension<Person>| async move {
                    answer::json_with(StatusCode::OK, json!({ "users": [profile_of(person)] }))
                }),
            )
            .route(
                "/api/users/{user_id}",
                get(|Extension(person): Extension<Person>| async move {
                    answer::json_with(StatusCode::OK, profile_of(person))
                }),
            ),
    )
    .fallback(|| async { answer::absent() });
    let id = json!({ "type": "string", "maxLength": 32, "example": "usr_7Qm2x9" });
    let one = "The caller's profile; the id is for links only";
    let paths = json!({
        "/api/users": { "get": describe::reading(
            "listUsers", "The caller alone", describe::list("users", profile_schema()),
        ) },
        "/api/users/{user_id}": { "get": describe::by_id(
            describe::reading("readUser", one, profile_schema()), "user_id", id,
        ) },
    });
    with_people(Served::new(describe::protected("Users", paths), router))
}

/// The phone numbers are from the ranges that are kept for fiction.
///
/// **Source**: Ofcom, telephone numbers for drama; RFC 2606 for the domain.
fn profile_of(person: Person) -> Value {
    match person {
        Person::Alice => json!({
            "id": "usr_7Qm2x9",
            "name": "Alice Merrin",
            "email": "alice.merrin@mail.example",
            "phone": "+44 1632 960183",
            "role": "member",
            "api_key": "sk_…abcd",
        }),
        Person::Bob => json!({
            "id": "usr_3Tk8w4",
            "name": "Bob Sella",
            "email": "bob.sella@mail.example",
            "phone": "+44 1632 960747",
            "role": "owner",
            "api_key": "sk_…9f2e",
        }),
    }
}

fn key_of(person: Person) -> Value {
    json!({
        "name": "laptop",
        "masked": profile_of(person)["api_key"],
        "created": "2025-03-14",
    })
}

fn profile_schema() -> Value {
    describe::object(json!({
        "id": describe::text(),
        "name": describe::text(),
        "email": { "type": "string", "format": "email" },
        "phone": describe::text(),
        "role": { "type": "string", "enum": ["member", "owner"] },
        "api_key": { "type": "string", "description": "Masked but for its last four characters" },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::get;

    #[tokio::test]
    async fn everyone_sees_their_own_data_and_a_masked_key() {
        let served = profile();
        let alice = get(&served, Some("alice"), "/api/profile").await.json();
        assert_eq!(alice["email"], "alice.merrin@mail.example");
        assert_eq!(alice["api_key"], "sk_…abcd");
        let bob = get(&served, Some("bob"), "/api/profile").await;
        assert!(!bob.body.contains("alice"));
        assert_eq!(get(&served, None, "/api/profile").await.status, 401);
    }

    #[tokio::test]
    async fn the_id_of_another_answers_with_the_caller() {
        let served = own_profile_for_any_id();
        let own = get(&served, Some("bob"), "/api/users/usr_3Tk8w4").await;
        let others = get(&served, Some("bob"), "/api/users/usr_7Qm2x9").await;
        assert_eq!((others.status, &others.body), (200, &own.body));
        assert_eq!(get(&served, None, "/api/users/usr_7Qm2x9").await.status, 401);
    }
}
