//! A records API over a table in memory: one that pastes what callers send into expressions, statements
//! and arguments, and returns what the SDK returned; and one that does none of it.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use engine::testing::Served;
use serde_json::{Map, Value, json};

use crate::Pair;

mod table;

use table::{Condition, Rejected, project};

const ALICE: &str = "ak_7f3e91d0c4b2";
const BOB: &str = "ak_2c85ab60f31e";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Expression,
    Statement,
    Arguments,
    RawAnswer,
    Fixed,
}

/// A vulnerable and a fixed server per check.
pub fn pairs() -> Vec<Pair> {
    let pair = |check, form| Pair { check, vulnerable: serve(form), fixed: serve(Form::Fixed) };
    vec![
        pair("dynamodb-expression-injection", Form::Expression),
        pair("partiql-injection", Form::Statement),
        pair("dynamodb-request-argument-injection", Form::Arguments),
        pair("raw-dynamodb-answer", Form::RawAnswer),
    ]
}

fn serve(form: Form) -> Served {
    let router = Router::new()
        .route("/records", get(list))
        .route("/records/matching", get(matching))
        .route("/records/titled", get(titled))
        .with_state(form);
    Served::new(description(), router).with_identity("alice", "X-API-Key", ALICE).with_identity("bob", "X-API-Key", BOB)
}

type Arguments = Query<Vec<(String, String)>>;

async fn list(State(form): State<Form>, headers: HeaderMap, Query(arguments): Arguments) -> Response {
    let Some(holder) = holder(&headers) else { return refused() };
    if form != Form::Arguments {
        return answer(form, own(holder));
    }
    let mut rows = own(holder);
    for (name, value) in &arguments {
        rows = match name.as_str() {
            "FilterExpression" => match Condition::expression(value, &[]) {
                Ok(condition) => rows.into_iter().filter(|row| condition.holds(row)).collect(),
                Err(Rejected) => return bad_request(),
            },
            "ProjectionExpression" => rows.iter().map(|row| project(row, value)).collect(),
            // As boto3's ParamValidationError, which nothing catches.
            _ => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
    }
    answer(form, rows)
}

async fn matching(State(form): State<Form>, headers: HeaderMap, Query(arguments): Arguments) -> Response {
    let Some(holder) = holder(&headers) else { return refused() };
    let field = argument(&arguments, "field").unwrap_or("phase");
    let value = argument(&arguments, "value").unwrap_or("open");
    let values = [(":holder", holder), (":value", value)];
    let condition = match form {
        Form::Expression => Condition::expression(&format!("holder = :holder and {field} = :value"), &values),
        _ if !["phase", "title"].contains(&field) => return bad_request(),
        _ => Ok(Condition::equal("holder", holder).and(Condition::equal(field, value))),
    };
    match condition {
        Ok(condition) => answer(form, rows().into_iter().filter(|row| condition.holds(row)).collect()),
        Err(Rejected) => bad_request(),
    }
}

async fn titled(State(form): State<Form>, headers: HeaderMap, Query(arguments): Arguments) -> Response {
    let Some(holder) = holder(&headers) else { return refused() };
    let title = argument(&arguments, "title").unwrap_or("lease");
    let condition = match form {
        Form::Statement => Condition::statement(&format!("holder = '{holder}' AND title = '{title}'")),
        _ => Ok(Condition::equal("holder", holder).and(Condition::equal("title", title))),
    };
    match condition {
        Ok(condition) => answer(form, rows().into_iter().filter(|row| condition.holds(row)).collect()),
        Err(Rejected) => bad_request(),
    }
}

fn answer(form: Form, rows: Vec<Map<String, Value>>) -> Response {
    if form != Form::RawAnswer {
        return Json(json!({ "records": rows })).into_response();
    }
    let typed = |row: Map<String, Value>| -> Map<String, Value> {
        row.into_iter().map(|(name, value)| (name, json!({ "S": value }))).collect()
    };
    let count = rows.len();
    let items: Vec<_> = rows.into_iter().map(typed).collect();
    let metadata = json!({ "RequestId": "RQ1J6KD0", "HTTPStatusCode": 200, "RetryAttempts": 0 });
    Json(json!({ "Items": items, "Count": count, "ScannedCount": count, "ResponseMetadata": metadata })).into_response()
}

fn rows() -> Vec<Map<String, Value>> {
    let row = |(id, holder, title, phase): (&str, &str, &str, &str)| {
        let row = json!({ "record_id": id, "holder": holder, "title": title, "phase": phase });
        row.as_object().cloned().unwrap_or_default()
    };
    let rows = [
        ("r-1001", "alice", "lease", "open"),
        ("r-1002", "alice", "survey", "closed"),
        ("r-1003", "alice", "deed", "open"),
        ("r-2001", "bob", "permit", "open"),
        ("r-2002", "bob", "lease", "closed"),
    ];
    rows.into_iter().map(row).collect()
}

fn own(holder: &str) -> Vec<Map<String, Value>> {
    rows().into_iter().filter(|row| row.get("holder").is_some_and(|value| value == holder)).collect()
}

fn holder(headers: &HeaderMap) -> Option<&'static str> {
    let key = headers.get("x-api-key")?;
    [(ALICE, "alice"), (BOB, "bob")].into_iter().find(|(known, _)| key == known).map(|(_, holder)| holder)
}

fn argument<'a>(arguments: &'a [(String, String)], name: &str) -> Option<&'a str> {
    arguments.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
}

fn refused() -> Response {
    (StatusCode::UNAUTHORIZED, Json(json!({ "error": "unauthorized" }))).into_response()
}

fn bad_request() -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": "bad request" }))).into_response()
}

fn description() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Records", "version": "1" },
        "paths": {
            "/records": read(json!([])),
            "/records/matching": read(json!([query("field", "phase"), query("value", "open")])),
            "/records/titled": read(json!([query("title", "lease")])),
        },
        "components": { "securitySchemes": { "key": { "type": "apiKey", "in": "header", "name": "X-API-Key" } } },
        "security": [{ "key": [] }]
    })
}

fn query(name: &str, example: &str) -> Value {
    json!({ "name": name, "in": "query", "schema": { "type": "string" }, "example": example })
}

fn read(parameters: Value) -> Value {
    json!({ "get": { "parameters": parameters, "responses": { "200": { "description": "records" } } } })
}
