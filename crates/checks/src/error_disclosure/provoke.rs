//! Malformed variants of a working request. None of them changes anything.

use engine::{Baseline, Draft, SurveyedOperation};
use inventory::ParameterLocation;
use model::Request;
use serde_json::{Value, json};

/// Malformed requests per operation.
///
/// **Source**: chosen; with the three repetitions and baselines of a 500 they stay below the
/// scan's own limit for an operation.
pub(super) const MOST: usize = 8;

/// Characters of a value that is longer than any sensible one.
///
/// **Source**: chosen; longer than the usual column of 255, shorter than any server's limit for a
/// request line (8,000 octets, RFC 9112, section 3).
const LONG: usize = 2048;

/// A number that fits no integer type of 64 bits.
const HUGE: &str = "99999999999999999999999999";

/// The drafts of malformed requests, the most telling first.
pub(super) fn malformed(operation: &SurveyedOperation, baseline: &Baseline, unknown_word: &str) -> Vec<Draft> {
    let request = &baseline.request;
    let same_sender = |request| Draft { request, ..baseline.draft(&operation.key) };
    let mut others: Vec<Draft> = bodies(request).into_iter().map(same_sender).collect();
    others.push(same_sender(with_accept(request, "mb/;q=x")));
    if request.body.is_empty() {
        // Where another operation has a parameter there, its answer is not this operation's.
        let below = format!("{}/{unknown_word}", request.path().trim_end_matches('/'));
        others.push(Draft { operation: None, ..same_sender(request.clone().with_path(&below)) });
    }
    let of_parameters = of_parameters(operation, request).into_iter().map(same_sender);
    of_parameters.take(MOST.saturating_sub(others.len())).chain(others.iter().cloned()).collect()
}

/// How a parameter is malformed.
#[derive(Clone, Copy)]
enum Malformation {
    /// Replaced by this text, percent-encoded.
    Value(&'static str),
    /// Replaced by long text.
    Long,
    /// Sent as a list; in a path, as a broken escape.
    OtherForm,
}

/// Percent-encoded, the most telling first: a word with a quote is no number and no valid SQL.
const MALFORMATIONS: [Malformation; 6] = [
    Malformation::Value("mb%27"),
    Malformation::Value("mb%00"),
    Malformation::OtherForm,
    Malformation::Value(HUGE),
    Malformation::Long,
    Malformation::Value("-1"),
];

fn of_parameters(operation: &SurveyedOperation, request: &Request) -> Vec<Request> {
    let declared = &operation.operation.parameters;
    let of = |location| declared.iter().filter(move |p| p.location == location).map(|p| p.name.as_str());
    let in_path: Vec<&str> = of(ParameterLocation::Path).collect();
    let mut in_query: Vec<&str> = of(ParameterLocation::Query).collect();
    let sent = request.query().unwrap_or_default().split('&').filter_map(|pair| pair.split('=').next());
    in_query.extend(sent.filter(|name| !name.is_empty() && !name.contains('%')));
    let mut seen = std::collections::BTreeSet::new();
    in_query.retain(|name| seen.insert(*name));
    let mut requests = Vec::new();
    for malformation in MALFORMATIONS {
        let value = match malformation {
            Malformation::Value(value) => value.to_owned(),
            Malformation::Long => "a".repeat(LONG),
            Malformation::OtherForm => "%zz".to_owned(),
        };
        let path = in_path.iter().filter_map(|name| with_path_value(&operation.key.path, request, name, &value));
        requests.extend(path);
        let query = in_query.iter().map(|name| match malformation {
            Malformation::OtherForm => with_query_value(request, name, &format!("{name}%5B%5D"), "1"),
            Malformation::Value(_) | Malformation::Long => with_query_value(request, name, name, &value),
        });
        requests.extend(query);
    }
    requests
}

/// The request with another value, already encoded, in place of a path parameter.
fn with_path_value(template: &str, request: &Request, name: &str, value: &str) -> Option<Request> {
    let marker = format!("{{{name}}}");
    let wanted: Vec<&str> = template.split('/').collect();
    let mut segments: Vec<String> = request.path().split('/').map(str::to_owned).collect();
    // The request may have a base path before the template.
    let offset = segments.len().checked_sub(wanted.len())?;
    let at = wanted.iter().position(|segment| segment.contains(&marker))?;
    let filled = wanted[at].replace(&marker, value);
    if filled.contains('{') {
        return None;
    }
    segments[at + offset] = filled;
    Some(request.clone().with_path(&segments.join("/")))
}

/// The request with a query parameter under another name and value, both already encoded.
fn with_query_value(request: &Request, name: &str, new_name: &str, value: &str) -> Request {
    let others = request
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name));
    let mut pairs: Vec<String> = others.map(str::to_owned).collect();
    pairs.push(format!("{new_name}={value}"));
    Request { target: format!("{}?{}", request.path(), pairs.join("&")), ..request.clone() }
}

fn with_accept(request: &Request, value: &str) -> Request {
    let mut request = request.clone();
    request.headers.set("Accept", value);
    request
}

/// Malformed JSON bodies, where the request has one.
fn bodies(request: &Request) -> Vec<Request> {
    let Some(body) = request.body.json() else { return Vec::new() };
    let mut other_types = body;
    for member in other_types.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
        *member = json!({ "mb": [] });
    }
    let mut bodies: Vec<String> = vec!["{\"mb\":".into(), "[]".into()];
    if other_types.as_object().is_some_and(|members| !members.is_empty()) {
        bodies.push(other_types.to_string());
    }
    bodies.push(Value::Object(Default::default()).to_string());
    bodies.into_iter().map(|body| Request { body: body.into(), ..request.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_value_is_replaced_below_a_base_path() {
        let request = Request::get("/api/users/7/orders?x=1");
        let malformed = with_path_value("/users/{id}/orders", &request, "id", "mb%27").unwrap();
        assert_eq!(malformed.target, "/api/users/mb%27/orders?x=1");
    }

    #[test]
    fn a_query_value_is_replaced_or_added() {
        let request = Request::get("/a?x=1&y=2");
        assert_eq!(with_query_value(&request, "x", "x%5B%5D", "1").target, "/a?y=2&x%5B%5D=1");
        assert_eq!(with_query_value(&Request::get("/a"), "z", "z", "-1").target, "/a?z=-1");
    }

    #[test]
    fn a_body_is_broken_in_form_and_in_types() {
        let request = Request::new("POST", "/a").with_json(&json!({ "id": 7 }));
        let sent: Vec<String> = bodies(&request).iter().map(|r| r.body.text().into_owned()).collect();
        assert_eq!(sent, ["{\"mb\":", "[]", r#"{"id":{"mb":[]}}"#, "{}"]);
    }
}
