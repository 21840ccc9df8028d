//! Reads the validation error that an API answered with, and says what to change in the request.
//!
//! Frameworks word and shape their validation errors in a few dozen ways. `shape` walks a JSON body
//! for objects that pair a field with a message and for maps from names to messages, `prose` finds
//! names inside sentences, `wish` turns a message or a machine code into what is wanted, and `grant`
//! makes a value of it. What none of them understands gives no complaint: a wrong one costs requests
//! and may spoil a request that was nearly right.

mod grant;
mod matching;
mod prose;
mod shape;
mod wish;

#[cfg(test)]
mod tests;

use model::http::Response;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

/// Most complaints that one response yields.
const MOST: usize = 20;

/// Where the value stands that an API complains about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A variable of the path template.
    Path,
    /// The query string.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// The body: a JSON member or a form field.
    Body,
}

/// What the API wants of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// To be there, and not empty.
    Present,
    /// To be one of these; empty where the API does not say which.
    OneOf(Vec<String>),
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A string.
    Text,
    /// A day, such as `2024-01-15` (RFC 3339 `full-date`).
    Date,
    /// A moment (RFC 3339 `date-time`).
    DateTime,
    /// A UUID (RFC 9562).
    Uuid,
    /// An email address.
    Email,
    /// An absolute URL.
    Url,
    /// A number not below this.
    AtLeast(f64),
    /// A number not above this.
    AtMost(f64),
    /// At least this many characters or items.
    AtLeastLong(usize),
    /// At most this many characters or items.
    AtMostLong(usize),
    /// An array.
    List,
    /// An object.
    Object,
    /// Not to be sent at all.
    Absent,
    /// A string that matches this regular expression, in the API's own dialect.
    Matching(String),
}

/// One thing that an API wants changed in a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Complaint {
    /// The name as written by the API. A nested body member is a JSON pointer (`/address/zip`); the
    /// empty name with `Place::Body` is the whole body.
    pub name: String,
    /// Where the value stands, if the API says so.
    pub place: Option<Place>,
    /// What is wanted.
    pub wish: Wish,
}

/// Returns what the API complains about, most certain first, without duplicates, at most 20.
///
/// Empty for success and redirects, and for refusals that no value repairs: authentication, missing
/// objects, methods, media types, rate limits, gateways.
pub fn complaints(response: &Response) -> Vec<Complaint> {
    if !can_be_about_values(response.status) {
        return Vec::new();
    }
    let text = response.body.text();
    let heard = match response.json() {
        Some(body) => shape::read(&body),
        None if text.trim_start().starts_with('<') => prose::read_page(&text),
        None if response.media_type().ends_with("json") => Vec::new(),
        None => prose::read(&text),
    };
    most_certain(heard)
}

/// Returns a value that grants the wish, close to the current one where there is one.
///
/// `None` where the wish gives no hint (`Present`, `OneOf` without values, a pattern too hard to
/// satisfy) and for `Absent`.
pub fn value_for(wish: &Wish, current: Option<&Value>) -> Option<Value> {
    grant::value_for(wish, current)
}

/// A complaint with how sure its reading is.
#[derive(Debug)]
struct Heard {
    complaint: Complaint,
    certainty: Certainty,
}

/// How a complaint was understood, from least to most certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Certainty {
    /// Name and wish were read from a sentence.
    Sentence,
    /// The name had a field of its own, the wish was read from a sentence.
    Named,
    /// Name and machine code had fields of their own.
    Coded,
}

/// True for the statuses that servers use for values that they reject: 400, 409, 412, 417, 422, 428
/// and the 500 of an unhandled validation error.
///
/// **Source**: RFC 9110, section 15.5; RFC 6585, section 3.
fn can_be_about_values(status: u16) -> bool {
    matches!(status, 400 | 406 | 409 | 411 | 412 | 416..=422 | 424 | 428 | 500)
}

fn most_certain(mut heard: Vec<Heard>) -> Vec<Complaint> {
    heard.retain(|h| !is_credential(&h.complaint));
    heard.sort_by_key(|h| std::cmp::Reverse(h.certainty));
    let mut kept: Vec<Complaint> = Vec::new();
    for Heard { complaint, .. } in heard {
        let is_same = |k: &Complaint| {
            plain(&k.name) == plain(&complaint.name)
                && k.wish == complaint.wish
                && (k.place == complaint.place || k.place.is_none() || complaint.place.is_none())
        };
        match kept.iter().position(is_same) {
            Some(at) => kept[at].place = kept[at].place.or(complaint.place),
            None if kept.len() < MOST => kept.push(complaint),
            None => {}
        }
    }
    kept
}

/// Names of credentials outside a body: who calls is an identity's matter, not a repair's.
fn is_credential(complaint: &Complaint) -> bool {
    const NAMES: &[&str] = &[
        "accesskey",
        "accesstoken",
        "apikey",
        "apitoken",
        "auth",
        "authentication",
        "authorization",
        "authtoken",
        "bearer",
        "bearertoken",
        "credentials",
        "csrf",
        "csrftoken",
        "idtoken",
        "jwt",
        "proxyauthorization",
        "session",
        "sessionid",
        "signature",
        "subscriptionkey",
        "token",
        "xaccesstoken",
        "xapikey",
        "xauthtoken",
        "xcsrftoken",
        "xsignature",
        "xxsrftoken",
    ];
    complaint.place != Some(Place::Body) && NAMES.contains(&plain(&complaint.name).as_str())
}

/// A name without case, `_` and `-`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect()
}

/// The place that a framework's word stands for.
fn place_named(word: &str) -> Option<Place> {
    Some(match plain(word).as_str() {
        "query" | "querystring" | "queryparams" | "queryparameter" | "queryparameters" | "url" => Place::Query,
        "path" | "params" | "pathparams" | "pathparameter" | "pathparameters" | "viewargs" => Place::Path,
        "header" | "headers" => Place::Header,
        "cookie" | "cookies" | "signedcookies" => Place::Cookie,
        "body" | "json" | "form" | "formdata" | "files" | "jsonorform" | "requestbody" | "payload" => Place::Body,
        _ => return None,
    })
}

/// Joins the steps that lead to a value: one step is its plain name, more are a JSON pointer.
///
/// **Source**: RFC 6901, section 3.
fn joined(steps: &[String]) -> String {
    match steps {
        [] => String::new(),
        [only] => only.clone(),
        _ => steps.iter().map(|s| format!("/{}", s.replace('~', "~0").replace('/', "~1"))).collect(),
    }
}

/// The steps of a name as written: `address.zip`, `items[0].qty`, `card[number]`, `$.age`, `#/age`.
fn steps(written: &str) -> Vec<String> {
    let written = written.trim();
    if let Some(pointer) = written.strip_prefix("#/").or_else(|| written.strip_prefix('/')) {
        return pointer.split('/').map(|s| s.replace("~1", "/").replace("~0", "~")).collect();
    }
    let written = written.strip_prefix("$.").unwrap_or(written);
    if written == "$" {
        return Vec::new();
    }
    let split = written.split(['.', '[', ']']);
    split.map(|s| s.trim_matches(['\'', '"'])).filter(|s| !s.is_empty()).map(Into::into).collect()
}

/// The name that a complaint carries: parameters keep their dots and brackets, body members become
/// pointers.
fn name_of(written: &str, place: Option<Place>) -> String {
    match place {
        Some(Place::Query | Place::Header | Place::Cookie | Place::Path) if !written.starts_with(['/', '#', '$']) => {
            written.trim().into()
        }
        _ => joined(&steps(written)),
    }
}

/// A pattern of this module, matched whatever the case.
fn pattern(source: &str) -> Regex {
    RegexBuilder::new(source).case_insensitive(true).build().expect("the pattern is a constant that a test compiles")
}
