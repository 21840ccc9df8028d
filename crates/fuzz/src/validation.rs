//! Any bytes as a response that refuses a request for its values. The first line says `STATUS MEDIA-TYPE`.

use engine::survey::repair::{complaints, value_for};
use model::{Headers, Response};
use serde_json::json;

/// Most complaints that a response may yield.
const MOST: usize = 20;

/// Reads what the response complains about and makes the values that it asks for. Nothing panics.
pub fn run(data: &[u8]) {
    let (line, body) = crate::first_line(data);
    let (status, media_type) = line.split_once(' ').unwrap_or((&line, "application/json"));
    let response = Response {
        status: status.parse().unwrap_or(400),
        headers: Headers::from_iter([("Content-Type", media_type)]),
        body: body.to_vec().into(),
        body_bytes: body.len() as u64,
        truncated: false,
    };
    let complaints = complaints(&response);
    assert!(complaints.len() <= MOST, "{} complaints", complaints.len());
    for complaint in complaints {
        for current in [None, Some(json!("2024-02-30")), Some(json!(-1e300)), Some(json!([{ "a": null }]))] {
            value_for(&complaint.wish, current.as_ref());
        }
    }
}
