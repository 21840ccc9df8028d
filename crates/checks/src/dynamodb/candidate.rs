//! Parameters whose value may become part of an expression or a statement.

use engine::{Baseline, NotApplicable, Survey, SurveyedOperation};
use inventory::{Parameter, ParameterLocation};
use model::Request;
use serde_json::Value;

/// Parameters that are tried at an operation.
///
/// **Source**: chosen; the request budget of [`super::pair::MOST`] follows from it.
pub(super) const PARAMETERS: usize = 3;

/// Parts of the names of parameters that name an attribute.
///
/// **Source**: chosen; OData's `$filter` and `$orderby`, Google AIP-132 (`order_by`, `filter`), and
/// the names of DynamoDB's own expressions.
const NAMES_OF_FIELDS: [&str; 9] =
    ["field", "filter", "sort", "orderby", "attribute", "column", "where", "condition", "expression"];

/// A parameter with a value to begin with.
pub(super) struct Candidate {
    pub(super) parameter: String,
    pub(super) value: String,
}

/// The request that works, where an operation reads and each reading is free of charge.
pub(super) fn working(operation: &SurveyedOperation) -> Result<&Baseline, NotApplicable> {
    if operation.key.method != "GET" {
        return Err(NotApplicable::new("only what GET reads is compared"));
    }
    if operation.is_costly() {
        return Err(NotApplicable::new("each call costs or takes something"));
    }
    let baseline = operation.baseline().or(operation.any_baseline());
    baseline.ok_or(NotApplicable::new("there is no working request for it"))
}

/// True if the operation has a query parameter.
pub(super) fn has_parameters(operation: &SurveyedOperation) -> bool {
    in_query(operation).next().is_some()
}

/// The request with every query parameter for which the description shows a value.
pub(super) fn filled(operation: &SurveyedOperation, survey: &Survey, request: &Request) -> Request {
    in_query(operation).fold(request.clone(), |request, parameter| match shown(survey, parameter) {
        Some(value) if value_of(&request, &parameter.name).is_none() => request.with_query(&parameter.name, &value),
        Some(_) | None => request,
    })
}

/// Parameters that name an attribute: by their own name, or because their value is the name of a
/// member of the rows. Where no value is known, it is the name of such a member.
pub(super) fn of_fields(operation: &SurveyedOperation, request: &Request, row: &Value) -> Vec<Candidate> {
    let members: Vec<&String> = row.as_object().into_iter().flat_map(|fields| fields.keys()).collect();
    let mut candidates = Vec::new();
    for parameter in in_query(operation) {
        let name = plain(&parameter.name);
        let is_named_so = NAMES_OF_FIELDS.iter().any(|part| name.contains(part));
        let value = value_of(request, &parameter.name);
        let value = match value {
            Some(value) if is_named_so || members.contains(&&value) => value,
            None if is_named_so => match members.first() {
                Some(member) => (*member).clone(),
                None => continue,
            },
            Some(_) | None => continue,
        };
        candidates.push(Candidate { parameter: parameter.name.clone(), value });
    }
    candidates.truncate(PARAMETERS);
    candidates
}

/// Parameters whose value is compared with an attribute: those with a value in the request, and those
/// named as a member of the rows.
pub(super) fn of_values(operation: &SurveyedOperation, request: &Request, row: &Value) -> Vec<Candidate> {
    let candidates = in_query(operation).filter_map(|parameter| {
        let of_row = || row.get(&parameter.name).and_then(Value::as_str).map(str::to_owned);
        let value = value_of(request, &parameter.name).or_else(of_row)?;
        let is_plain = !value.is_empty() && !value.contains(['\'', '{', '}']);
        is_plain.then(|| Candidate { parameter: parameter.name.clone(), value })
    });
    candidates.take(PARAMETERS).collect()
}

/// The name of a member of the rows that holds text and can stand in a statement as it is: the one
/// named as the parameter, or the first.
pub(super) fn text_member(row: &Value, parameter: &str) -> Option<String> {
    let is_identifier = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let fields = row.as_object()?;
    let mut texts =
        fields.iter().filter(|(name, value)| value.is_string() && is_identifier(name)).map(|(name, _)| name);
    let named = texts.clone().find(|name| *name == parameter);
    named.or_else(|| texts.next()).cloned()
}

/// The request with another value of a query parameter.
pub(super) fn with_value(request: &Request, parameter: &str, value: &str) -> Request {
    let pairs = request.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let others: Vec<&str> = pairs.filter(|pair| pair.split('=').next() != Some(parameter)).collect();
    let target = match others.is_empty() {
        true => request.path().to_owned(),
        false => format!("{}?{}", request.path(), others.join("&")),
    };
    Request { target, ..request.clone() }.with_query(parameter, value)
}

fn in_query(operation: &SurveyedOperation) -> impl Iterator<Item = &Parameter> {
    // A value in place of a key would ask another question.
    let is_credential = |name: &str| ["key", "token", "secret"].iter().any(|part| plain(name).contains(part));
    let parameters = operation.operation.parameters.iter();
    parameters.filter(move |p| p.location == ParameterLocation::Query && !is_credential(&p.name))
}

/// The value that a query parameter has in a request, where it needs no decoding.
fn value_of(request: &Request, parameter: &str) -> Option<String> {
    let mut pairs = request.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == parameter)?;
    (!value.contains(['%', '+'])).then(|| value.to_owned())
}

/// The value that the description shows for a parameter.
fn shown(survey: &Survey, parameter: &Parameter) -> Option<String> {
    let schema = parameter.schema.as_ref().map(|at| survey.inventory.schema(at));
    let of_schema = || {
        let schema = schema?;
        schema.example().or(schema.default_value()).or(schema.enum_values().into_iter().next())
    };
    match parameter.examples.first().or_else(of_schema)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_replaced_and_encoded() {
        let request = Request::get("/records?field=phase&value=open");
        assert_eq!(with_value(&request, "field", "a or b").target, "/records?value=open&field=a+or+b");
        assert_eq!(with_value(&Request::get("/records"), "q", "x").target, "/records?q=x");
    }

    #[test]
    fn the_member_of_the_parameters_name_is_preferred() {
        let row = json!({ "id": 7, "a-b": "x", "holder": "alice", "title": "deed" });
        assert_eq!(text_member(&row, "title").as_deref(), Some("title"));
        assert_eq!(text_member(&row, "q").as_deref(), Some("holder"));
        assert_eq!(text_member(&json!({ "id": 7 }), "q"), None);
    }
}
