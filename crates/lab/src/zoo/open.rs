//! Data that everyone, or everyone who is signed in, may read.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use engine::testing::Served;
use serde_json::{Value, json};

use super::credentials::{known_callers_only, with_people};
use super::{answer, describe};

/// Timetable that declares no security and needs none.
pub(super) fn by_design() -> Served {
    let description = describe::open("Ferry timetable", paths(|operation| operation));
    with_people(Served::new(description, routes()))
}

/// The same timetable; the description has a root `security` that every operation overrides.
pub(super) fn by_override() -> Served {
    let mut description = describe::protected("Ferry timetable", paths(describe::public));
    description["paths"]["/account"] = json!({ "get": describe::reading(
        "readAccount", "My account", super::notes::me_schema(),
    ) });
    description["paths"]["/account"]["get"]["responses"]["401"] = json!({ "description": "Sign in to continue." });
    let account = known_callers_only(Router::new().route(
        "/account",
        get(|axum::Extension(person): axum::Extension<super::credentials::Person>| async move {
            answer::json_with(StatusCode::OK, super::notes::me(person))
        }),
    ));
    with_people(Served::new(description, routes().merge(account)))
}

/// The catalog that every signed-in person reads alike.
pub(super) fn shared_objects() -> Served {
    let description = describe::protected("Ferry catalog", paths(|operation| operation));
    with_people(Served::new(description, known_callers_only(routes())))
}

/// Crossings with ids in the path: what looks like somebody's object belongs to nobody.
const CROSSINGS: [(&str, &str, &str, &str); 3] = [
    ("b3d6c0f2-7a41-4c83-9f15-0e6d2a9b8c31", "Gutcher", "Belmont", "07:40"),
    ("0f9e8d7c-6b5a-4c3d-8e2f-1a0b9c8d7e6f", "Belmont", "Hamarsness", "09:15"),
    ("7c1b2a3d-4e5f-4061-9283-a4b5c6d7e8f9", "Toft", "Ulsta", "11:30"),
];

fn routes() -> Router {
    Router::new()
        .route("/crossings", get(list))
        .route("/crossings/{crossing_id}", get(read))
        .fallback(|| async { answer::absent() })
}

async fn list() -> Response {
    let crossings: Vec<Value> = CROSSINGS.iter().map(crossing).collect();
    answer::json_with(StatusCode::OK, json!({ "crossings": crossings }))
}

async fn read(Path(id): Path<String>) -> Response {
    answer::found(CROSSINGS.iter().find(|(known, ..)| *known == id).map(crossing))
}

fn crossing((id, from, to, departs): &(&str, &str, &str, &str)) -> Value {
    json!({ "id": id, "from": from, "to": to, "departs": departs })
}

fn paths(mark: fn(Value) -> Value) -> Value {
    let id = CROSSINGS[0].0;
    let schema = describe::object(json!({
        "id": describe::uuid(id),
        "from": describe::text(),
        "to": describe::text(),
        "departs": describe::text(),
    }));
    json!({
        "/crossings": { "get": mark(describe::reading(
            "listCrossings", "All crossings of the day", describe::list("crossings", schema.clone()),
        )) },
        "/crossings/{crossing_id}": { "get": mark(describe::by_id(
            describe::reading("readCrossing", "One crossing", schema), "crossing_id", describe::uuid(id),
        )) },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zoo::tests::get;

    #[tokio::test]
    async fn the_public_ones_answer_everyone_alike() {
        for served in [by_design(), by_override()] {
            let anonymous = get(&served, None, "/crossings").await;
            assert_eq!(anonymous.status, 200);
            assert_eq!(get(&served, Some("alice"), "/crossings").await.body, anonymous.body);
            assert_eq!(get(&served, None, "/crossings/nowhere").await.status, 404);
        }
    }

    #[tokio::test]
    async fn the_overriding_description_says_which_operation_is_private() {
        let served = by_override();
        let description = served.description.as_ref().unwrap();
        assert_eq!(description["security"], json!([{ "bearer": [] }]));
        assert_eq!(description["paths"]["/crossings"]["get"]["security"], json!([]));
        assert_eq!(get(&served, None, "/account").await.status, 401);
        assert_eq!(get(&served, Some("bob"), "/account").await.status, 200);
    }

    #[tokio::test]
    async fn the_shared_catalog_is_the_same_for_everyone_signed_in() {
        let served = shared_objects();
        let path = format!("/crossings/{}", CROSSINGS[0].0);
        let alice = get(&served, Some("alice"), &path).await;
        assert_eq!(alice.status, 200);
        assert_eq!(get(&served, Some("bob"), &path).await.body, alice.body);
        assert_eq!(get(&served, None, &path).await.status, 401);
    }
}
