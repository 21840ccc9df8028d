//! Error bodies as the frameworks answer them, and what is read from each.

use model::http::{Headers, Response};
use serde_json::{Value, json};

use super::{Complaint, Place, Wish, complaints, value_for};

fn answer(status: u16, media_type: &str, body: &str) -> Response {
    Response {
        status,
        headers: Headers::from_iter([("Content-Type", media_type)]),
        body: body.to_string().into(),
        body_bytes: body.len() as u64,
        truncated: false,
    }
}

fn read(status: u16, body: &str) -> Vec<(String, Option<Place>, Wish)> {
    let said = complaints(&answer(status, "application/json", body));
    said.into_iter().map(|Complaint { name, place, wish }| (name, place, wish)).collect()
}

#[track_caller]
fn reads(body: &str, wanted: &[(&str, Option<Place>, Wish)]) {
    let wanted: Vec<_> = wanted.iter().map(|(n, p, w)| (n.to_string(), *p, w.clone())).collect();
    assert_eq!(read(400, body), wanted, "of {body}");
}

#[track_caller]
fn reads_text(body: &str, wanted: &[(&str, Option<Place>, Wish)]) {
    let said = complaints(&answer(400, "text/plain", body));
    let said: Vec<_> = said.into_iter().map(|c| (c.name, c.place, c.wish)).collect();
    let wanted: Vec<_> = wanted.iter().map(|(n, p, w)| (n.to_string(), *p, w.clone())).collect();
    assert_eq!(said, wanted, "of {body}");
}

fn one_of(values: &[&str]) -> Wish {
    Wish::OneOf(values.iter().map(ToString::to_string).collect())
}

const BODY: Option<Place> = Some(Place::Body);
const QUERY: Option<Place> = Some(Place::Query);
const PATH: Option<Place> = Some(Place::Path);
const HEADER: Option<Place> = Some(Place::Header);

mod by_map;
mod by_object;
mod by_sentence;
mod nothing;
mod values;
