//! Comparisons that a judgement draws from. Plain, pure functions on exchanges.
//!
//! A status code alone proves nothing: APIs answer errors with 200 and everything with 401. What
//! counts as accepted or refused is learnt from a request that works and one that cannot.

use std::collections::BTreeSet;

use model::{Exchange, Request, Response};
use serde_json::Value;

/// Whether two answers hold the same content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// The same, but for what differs at every request anyway.
    Same,
    /// Not the same.
    Different,
    /// No content to compare.
    Empty,
}

/// JSON pointers, array indexes as `*`, whose values differ between two answers to one request.
pub fn volatile(first: &Response, second: &Response) -> BTreeSet<String> {
    let mut pointers = BTreeSet::new();
    if let (Some(a), Some(b)) = (first.json(), second.json()) {
        differences(&a, &b, &mut String::new(), &mut pointers);
    }
    pointers
}

fn differences(a: &Value, b: &Value, pointer: &mut String, found: &mut BTreeSet<String>) {
    let length = pointer.len();
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => differences(a, b, pointer, found),
                    _ => _ = found.insert(pointer.clone()),
                }
                pointer.truncate(length);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            pointer.push_str("/*");
            for (a, b) in a.iter().zip(b) {
                differences(a, b, pointer, found);
            }
            pointer.truncate(length);
        }
        _ if a == b => {}
        _ => _ = found.insert(pointer.clone()),
    }
}

/// Compares the content of two answers, leaving out what is volatile.
pub fn content(a: &Response, b: &Response, volatile: &BTreeSet<String>) -> Sameness {
    if a.body.is_empty() || b.body.is_empty() {
        return Sameness::Empty;
    }
    if let (Some(x), Some(y)) = (a.json(), b.json()) {
        if is_void(&x) || is_void(&y) {
            return if x == y { Sameness::Empty } else { Sameness::Different };
        }
        let mut found = BTreeSet::new();
        differences(&x, &y, &mut String::new(), &mut found);
        // A document that differs as a whole at each request (a list that grows) cannot be compared.
        let covered = |pointer: &String| {
            volatile.iter().any(|v| !v.is_empty() && (pointer == v || pointer.starts_with(&format!("{v}/"))))
        };
        return if found.iter().all(covered) { Sameness::Same } else { Sameness::Different };
    }
    if a.body == b.body { Sameness::Same } else { Sameness::Different }
}

/// True for `null`, `{}`, `[]`, `""`: nothing that could be compared.
fn is_void(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The form of an answer: what is left when values are taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Status, with 403 as 401 and 410 as 404: servers use each for the other.
    pub status: u16,
    /// Media type without parameters.
    pub media_type: String,
    /// Member names of a JSON object at the top; `[]` for a list.
    pub members: BTreeSet<String>,
    /// Code that an error envelope names.
    pub code: Option<String>,
}

/// The form of an answer.
pub fn form(response: &Response) -> Form {
    let status = match response.status {
        403 => 401,
        410 => 404,
        other => other,
    };
    let json = response.json();
    let members = match &json {
        Some(Value::Object(fields)) => fields.keys().cloned().collect(),
        Some(Value::Array(_)) => BTreeSet::from(["[]".to_owned()]),
        _ => BTreeSet::new(),
    };
    Form { status, media_type: response.media_type(), members, code: json.as_ref().and_then(error_code) }
}

/// Names under which envelopes put a code.
const CODE_NAMES: [&str; 7] = ["code", "error_code", "errorCode", "errno", "type", "error", "status"];

fn error_code(body: &Value) -> Option<String> {
    let fields = body.as_object()?;
    let nested = ["error", "errors", "fault"].iter().find_map(|name| match fields.get(*name) {
        Some(Value::Object(inner)) => Some(inner),
        Some(Value::Array(items)) => items.first().and_then(Value::as_object),
        _ => None,
    });
    let fields = nested.unwrap_or(fields);
    CODE_NAMES.iter().find_map(|name| match fields.get(*name) {
        Some(Value::String(text)) if text.len() <= 64 => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    })
}

/// What an answer says to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It did what was asked.
    Works,
    /// It wants other or better credentials.
    Refused,
    /// There is no such thing.
    Missing,
    /// It does not like the request.
    Invalid,
    /// It asks to slow down.
    Limited,
    /// It failed.
    Failed,
    /// It sends the caller elsewhere.
    Redirected,
    /// None of these can be told.
    Unclear,
}

/// What an answer says to the caller, by its status and, where errors come as 200, by its envelope.
pub fn standing(response: &Response) -> Standing {
    match response.status {
        200..=299 => match envelope_error(response) {
            Some(standing) => standing,
            None => Standing::Works,
        },
        300..=399 => {
            let location = response.headers.first("location").unwrap_or_default().to_ascii_lowercase();
            if ["login", "signin", "sign-in", "sign_in", "auth", "sso"].iter().any(|word| location.contains(word)) {
                Standing::Refused
            } else {
                Standing::Redirected
            }
        }
        401 | 403 | 407 | 511 => Standing::Refused,
        404 | 405 | 410 | 501 => Standing::Missing,
        429 => Standing::Limited,
        400 | 406 | 409 | 411..=418 | 422 | 428 => Standing::Invalid,
        500..=599 => Standing::Failed,
        _ => Standing::Unclear,
    }
}

/// Words of an error that is about credentials.
///
/// **Source**: texts of Flask-JWT-Extended, Spring Security, Django REST framework, Express jwt
/// middleware, Kong and AWS API Gateway, as their documents and sources state them; "signature" and
/// "unauthorized" in Chinese.
const CREDENTIAL_WORDS: [&str; 25] = [
    "unauthorized",
    "unauthorised",
    "unauthenticated",
    "not authenticated",
    "authentication",
    "not authorized",
    "not authorised",
    "access denied",
    "permission denied",
    "forbidden",
    "invalid token",
    "missing token",
    "token expired",
    "expired token",
    "no token",
    "jwt",
    "invalid api key",
    "missing api key",
    "api key required",
    "invalid key",
    "auth_required",
    "log in",
    "signature",
    "\u{7b7e}\u{540d}",
    "\u{672a}\u{6388}\u{6743}",
];

/// Names of a number that says how a call ended: 0, 1 or 200 is well.
///
/// **Source**: envelopes of the WeChat, Alibaba Cloud, DingTalk and Baidu interfaces.
const RESULT_CODES: [&str; 5] = ["code", "statusCode", "errcode", "error_code", "ret"];

/// The first digits of a number that has at least as many, or the number.
fn leading_digits(number: i64, count: u32) -> i64 {
    let digits = number.checked_ilog10().map_or(1, |log| log + 1);
    if digits > count { number / 10_i64.pow(digits - count) } else { number }
}

/// What an answer with a good status says in its envelope, if that is an error.
fn envelope_error(response: &Response) -> Option<Standing> {
    let body = response.json()?;
    let fields = body.as_object()?;
    let flag = |name: &str| fields.get(name).and_then(Value::as_bool);
    let word = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_ascii_lowercase);
    let says_no = flag("success") == Some(false)
        || flag("ok") == Some(false)
        || word("status").is_some_and(|s| ["fail", "failed", "failure", "error", "ko"].contains(&s.as_str()));
    let names_error = ["error", "errors"]
        .iter()
        .any(|name| fields.get(*name).is_some_and(|v| !is_void(v) && v != &Value::Bool(false)));
    let has_data =
        ["data", "result", "results", "items"].iter().any(|name| fields.get(*name).is_some_and(|v| !is_void(v)));
    let stated = RESULT_CODES.iter().find_map(|name| fields.get(*name)?.as_i64());
    let says_why = ["msg", "message", "errmsg", "error_msg"].iter().any(|name| word(name).is_some());
    let failed_by_code = stated.is_some_and(|code| ![0, 1, 200].contains(&code)) && says_why;
    let is_an_error = says_no || ((names_error || failed_by_code) && !has_data && fields.len() <= 5);
    if !is_an_error {
        return None;
    }
    let text = body.to_string().to_lowercase();
    // Many codes begin with the status that they stand for: 40101.
    Some(match stated.map(|code| leading_digits(code, 3)) {
        Some(401 | 403) => Standing::Refused,
        Some(404) => Standing::Missing,
        _ if CREDENTIAL_WORDS.iter().any(|word| text.contains(word)) => Standing::Refused,
        _ if text.contains("not found") || text.contains("not_found") => Standing::Missing,
        _ => Standing::Invalid,
    })
}

/// How an answer stands to one that works and one that cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// Like the one that works.
    Accepted,
    /// Like the one that cannot, or a plain refusal.
    Refused,
    /// Neither, a server error, or the two are alike themselves.
    Unclear,
}

/// Tells whether an answer was accepted, learning from the answer to a request that works and,
/// where there is one, from the answer to a request that cannot.
pub fn acceptance(answer: &Exchange, works: &Exchange, cannot: Option<&Exchange>) -> Acceptance {
    let (Some(answer), Some(works)) = (answer.response(), works.response()) else { return Acceptance::Unclear };
    let own = standing(answer);
    if matches!(own, Standing::Refused) {
        return Acceptance::Refused;
    }
    if matches!(own, Standing::Failed | Standing::Limited | Standing::Redirected) {
        return Acceptance::Unclear;
    }
    let answer = form(answer);
    let works = form(works);
    let cannot = cannot.and_then(Exchange::response).map(form);
    if cannot.as_ref() == Some(&works) {
        return Acceptance::Unclear;
    }
    if answer == works && own == Standing::Works {
        return Acceptance::Accepted;
    }
    if cannot.is_some_and(|cannot| cannot == answer) || own == Standing::Missing {
        return Acceptance::Refused;
    }
    Acceptance::Unclear
}

/// Tells whether a signature was accepted, learning from the answers to a valid one (`works`) and to a
/// corrupted one (`cannot`), each in an otherwise equal request.
///
/// Stricter than [`acceptance`]: what is neither like the one nor like the other, a plain 403 of a
/// firewall or a complaint about a parameter among them, is unclear.
pub fn verified(answer: &Exchange, works: &Exchange, cannot: &Exchange) -> Acceptance {
    let (Some(answer), Some(works), Some(cannot)) = (answer.response(), works.response(), cannot.response()) else {
        return Acceptance::Unclear;
    };
    if !are_told_apart(works, cannot) {
        return Acceptance::Unclear;
    }
    match standing(answer) {
        _ if !decides(answer) => Acceptance::Unclear,
        _ if alike(answer, cannot) => Acceptance::Refused,
        Standing::Works if alike(answer, works) => Acceptance::Accepted,
        _ => Acceptance::Unclear,
    }
}

/// As [`verified`], for requests that may be refused for another reason than a corrupted signature is
/// (stale, seen before): any refusal in the words of the same layer counts.
pub fn admitted(answer: &Exchange, works: &Exchange, cannot: &Exchange) -> Acceptance {
    let strict = verified(answer, works, cannot);
    let (Some(answer), Some(works), Some(cannot)) = (answer.response(), works.response(), cannot.response()) else {
        return strict;
    };
    let refuses = matches!(standing(answer), Standing::Refused | Standing::Invalid);
    let (own, usual) = (form(answer), form(cannot));
    let same_layer = own.media_type == usual.media_type && own.members == usual.members;
    match strict {
        Acceptance::Unclear if refuses && same_layer && are_told_apart(works, cannot) => Acceptance::Refused,
        other => other,
    }
}

/// True if one answer works and the other refuses.
fn are_told_apart(works: &Response, cannot: &Response) -> bool {
    standing(works) == Standing::Works && decides(cannot) && !alike(works, cannot)
}

/// An error of the server, a limit and a redirection refuse nobody, whatever signature they answer.
fn decides(response: &Response) -> bool {
    !matches!(standing(response), Standing::Failed | Standing::Limited | Standing::Redirected)
}

/// Texts of one kind differ by no more than this share of their length.
///
/// **Source**: chosen; request ids and times in an error page are shorter.
const LENGTH_SHARE: f64 = 0.25;

/// True if two answers are of one kind: the same standing and form and, where they are no JSON, about
/// the same length.
fn alike(a: &Response, b: &Response) -> bool {
    let length = |r: &Response| r.body.len() as f64;
    let near = (length(a) - length(b)).abs() <= LENGTH_SHARE * length(a).max(length(b)) + 8.0;
    standing(a) == standing(b) && form(a) == form(b) && (near || a.json().is_some())
}

/// A path that differs from a real one only in a segment that cannot exist: its last fixed segment
/// is replaced by `word`. Equal depth, so that a router that guards a whole tree guards it too.
pub fn sibling(template: &str, path: &str, word: &str) -> String {
    let mut segments: Vec<&str> = path.split('/').collect();
    let fixed =
        template.split('/').enumerate().filter(|(_, s)| !s.is_empty() && !s.contains('{')).map(|(i, _)| i).last();
    // `path` may have a base path before the template.
    let offset = segments.len().saturating_sub(template.split('/').count());
    match fixed.map(|at| at + offset).filter(|at| *at < segments.len()) {
        Some(at) => segments[at] = word,
        None if segments.last() == Some(&"") => *segments.last_mut().expect("just seen") = word,
        None => segments.push(word),
    }
    segments.join("/")
}

/// The request to a sibling that cannot exist. See [`sibling`].
pub fn sibling_request(template: &str, request: &Request, word: &str) -> Request {
    let path = sibling(template, request.path(), word);
    request.clone().with_path(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: [("Content-Type", "application/json")].into_iter().collect(),
            body: body.to_owned().into(),
            body_bytes: body.len() as u64,
            truncated: false,
        }
    }

    #[test]
    fn content_is_the_same_but_for_volatile_members() {
        let (a, b) = (
            json(200, r#"{"id":1,"at":5,"items":[{"n":1,"t":1}]}"#),
            json(200, r#"{"id":1,"at":6,"items":[{"n":1,"t":2}]}"#),
        );
        let volatile = volatile(&a, &b);
        assert_eq!(volatile, BTreeSet::from(["/at".into(), "/items/*/t".into()]));
        assert_eq!(content(&a, &b, &volatile), Sameness::Same);
        assert_eq!(
            content(&a, &json(200, r#"{"id":2,"at":6,"items":[{"n":1,"t":2}]}"#), &volatile),
            Sameness::Different
        );
        assert_eq!(content(&json(200, "[]"), &json(200, "[]"), &volatile), Sameness::Empty);
    }

    #[test]
    fn errors_inside_a_200_are_told_apart_from_content() {
        assert_eq!(standing(&json(200, r#"{"success":false,"error":{"code":"AUTH_REQUIRED"}}"#)), Standing::Refused);
        assert_eq!(
            standing(&json(200, r#"{"status":"fail","message":"Invalid token. Please log in again."}"#)),
            Standing::Refused
        );
        assert_eq!(standing(&json(200, r#"{"ok":false,"error":"channel_not_found"}"#)), Standing::Missing);
        assert_eq!(standing(&json(200, r#"{"data":[1],"errors":[]}"#)), Standing::Works);
        assert_eq!(standing(&json(200, r#"{"status":"active","name":"x"}"#)), Standing::Works);
        assert_eq!(standing(&json(200, r#"[{"error":"in a log line"}]"#)), Standing::Works);
        assert_eq!(standing(&json(200, r#"{"code":40101,"msg":"sign error","data":null}"#)), Standing::Refused);
        assert_eq!(standing(&json(200, r#"{"errcode":1002,"errmsg":"\u7b7e\u540d\u9519\u8bef"}"#)), Standing::Refused);
        assert_eq!(standing(&json(200, r#"{"code":0,"msg":"ok","data":{"id":1}}"#)), Standing::Works);
        assert_eq!(standing(&json(200, r#"{"code":44,"name":"United Kingdom"}"#)), Standing::Works);
    }

    #[test]
    fn a_signature_is_accepted_or_refused_by_what_was_learnt() {
        let exchange = |response: Response| Exchange {
            id: 0,
            purpose: model::Purpose::Check,
            identity: None,
            operation: None,
            request: Request::get("/"),
            signed_as: None,
            answer: model::Answer::Response(response),
            started_ms: 0,
            duration_ms: 0,
            connection: None,
        };
        let works = exchange(json(200, r#"{"ok":true,"data":{"id":1}}"#));
        let cannot = exchange(json(200, r#"{"ok":false,"error":{"code":"BAD_SIGNATURE"}}"#));
        let stale = exchange(json(200, r#"{"ok":false,"error":{"code":"STALE"}}"#));
        let firewall = exchange(Response { headers: Default::default(), ..json(403, "<h1>blocked</h1>") });
        let judge = |answer: &Exchange| (verified(answer, &works, &cannot), admitted(answer, &works, &cannot));
        assert_eq!(judge(&works), (Acceptance::Accepted, Acceptance::Accepted));
        assert_eq!(judge(&cannot), (Acceptance::Refused, Acceptance::Refused));
        assert_eq!(judge(&stale), (Acceptance::Unclear, Acceptance::Refused));
        assert_eq!(judge(&firewall), (Acceptance::Unclear, Acceptance::Unclear));
        assert_eq!(judge(&exchange(json(500, "{}"))), (Acceptance::Unclear, Acceptance::Unclear));
        assert_eq!(verified(&works, &works, &works), Acceptance::Unclear);
        assert_eq!(verified(&works, &works, &exchange(json(500, "{}"))), Acceptance::Unclear);
    }

    #[test]
    fn a_sibling_has_the_depth_of_the_original() {
        assert_eq!(sibling("/orders/{id}", "/api/orders/7", "x"), "/api/x/7");
        assert_eq!(sibling("/orders/{id}/items", "/orders/7/items", "x"), "/orders/7/x");
        assert_eq!(sibling("/{id}", "/7", "x"), "/7/x");
        assert_eq!(sibling("/", "/", "x"), "/x");
    }
}
