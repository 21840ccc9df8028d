//! The small API that most specimens serve: private notes of two people. What misleads is around it.

use axum::Router;
use axum::extract::{Extension, Path};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use engine::testing::Served;
use serde_json::{Value, json};

use super::credentials::{Person, known_callers_only, with_people};
use super::{answer, describe};

/// The id of Alice's first note, which the description gives as the example.
pub(super) const ALICE_NOTE: &str = "5b0f6a52-0c1d-4c6e-9a43-6a1f0f2f7c11";
/// The id of Bob's note.
pub(super) const BOB_NOTE: &str = "c2a9d7f4-83b5-4f0a-8d1e-2b7c5e9a4d02";

/// What the notes answer to one person at one path: a body, or nothing where there is none.
pub(super) fn read(person: Person, path: &str) -> Option<Value> {
    match path {
        "/api/me" => Some(me(person)),
        "/api/notes" => Some(list(person)),
        _ => one(person, path.strip_prefix("/api/notes/")?),
    }
}

/// The person's own name and id.
pub(super) fn me(person: Person) -> Value {
    match person {
        Person::Alice => json!({ "id": "usr_7Qm2x9", "name": "Alice" }),
        Person::Bob => json!({ "id": "usr_3Tk8w4", "name": "Bob" }),
    }
}

/// The person's notes without their texts.
pub(super) fn list(person: Person) -> Value {
    let notes: Vec<Value> = NOTES
        .iter()
        .filter(|note| note.owner == person)
        .map(|note| json!({ "id": note.id, "title": note.title }))
        .collect();
    json!({ "notes": notes })
}

/// One note of the person; a note of somebody else is as absent as one that does not exist.
pub(super) fn one(person: Person, id: &str) -> Option<Value> {
    let note = NOTES.iter().find(|note| note.owner == person && note.id == id)?;
    Some(json!({ "id": note.id, "title": note.title, "text": note.text }))
}

/// The routes, protected.
pub(super) fn router() -> Router {
    known_callers_only(
        Router::new()
            .route("/api/me", get(|Extension(person): Extension<Person>| async move { ok(me(person)) }))
            .route("/api/notes", get(|Extension(person): Extension<Person>| async move { ok(list(person)) }))
            .route("/api/notes/{note_id}", get(read_one)),
    )
    .fallback(|| async { answer::absent() })
}

/// The paths as the description declares them.
pub(super) fn paths() -> Value {
    let id = describe::uuid(ALICE_NOTE);
    json!({
        "/api/me": { "get": describe::reading("readMe", "Who I am", me_schema()) },
        "/api/notes": { "get": describe::reading("listNotes", "My notes", list_schema()) },
        "/api/notes/{note_id}": { "get": describe::by_id(
            describe::reading("readNote", "One of my notes", note_schema()), "note_id", id,
        ) },
    })
}

/// The schema of [`me`].
pub(super) fn me_schema() -> Value {
    describe::object(json!({ "id": describe::text(), "name": describe::text() }))
}

/// The schema of [`list`].
pub(super) fn list_schema() -> Value {
    let row = describe::object(json!({ "id": describe::uuid(ALICE_NOTE), "title": describe::text() }));
    describe::list("notes", row)
}

/// The schema of [`one`].
pub(super) fn note_schema() -> Value {
    describe::object(json!({
        "id": describe::uuid(ALICE_NOTE),
        "title": describe::text(),
        "text": describe::text(),
    }))
}

/// The notes behind a router that the specimen brings, with both people.
pub(super) fn served_by(router: Router) -> Served {
    with_people(Served::new(describe::protected("Notes", paths()), router))
}

async fn read_one(Extension(person): Extension<Person>, Path(id): Path<String>) -> Response {
    answer::found(one(person, &id))
}

fn ok(body: Value) -> Response {
    answer::json_with(StatusCode::OK, body)
}

struct Note {
    id: &'static str,
    owner: Person,
    title: &'static str,
    text: &'static str,
}

const NOTES: [Note; 3] = [
    Note {
        id: ALICE_NOTE,
        owner: Person::Alice,
        title: "Garden",
        text: "The tulips by the north gate open around the ninth of April; ask Merrin for bulbs.",
    },
    Note {
        id: "91e4b8c0-5d27-4b39-b6f1-7f3a2c8d6e55",
        owner: Person::Alice,
        title: "Books",
        text: "Return the atlas of lichens to shelf 17 before the reading room closes.",
    },
    Note {
        id: BOB_NOTE,
        owner: Person::Bob,
        title: "Boat",
        text: "The dinghy Kestrel leaks at the third plank; caulk it before the Sellafirth race.",
    },
];
