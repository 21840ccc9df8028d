//! Which field an error object is about.

use serde_json::{Map, Value};

use super::super::{Place, name_of, place_named, steps};

/// The steps to a field, and the place where they start.
type Field = (Vec<String>, Option<Place>);

/// The field that an error object names. `parents` lead to the object that nested objects of
/// class-validator belong to; `is_item` is true in a list, where `name` is a field's.
pub(super) fn field(object: &Map<String, Value>, parents: &[String], is_item: bool) -> Option<Field> {
    if !is_error(object) {
        return None;
    }
    let text = |key: &str| object.get(key).and_then(Value::as_str).filter(|s| !s.is_empty());
    let stated = ["location", "in", "source", "dataLocation"].iter().find_map(|k| place_named(text(k)?));
    if let Some(Value::Array(loc)) = object.get("loc").or_else(|| object.get("path")) {
        return located(loc, stated, object.contains_key("loc"));
    }
    if let Some(Value::Object(source)) = object.get("source") {
        return sourced(source);
    }
    if let Some(pointer) = text("pointer") {
        return Some((steps(pointer), stated.or(Some(Place::Body))));
    }
    if let Some(path) = object.get("instancePath").or_else(|| object.get("dataPath")).and_then(Value::as_str) {
        return Some((steps(path), stated));
    }
    if let Some(path) = text("path") {
        if let Some(found) = openapi_path(path) {
            return Some(found);
        }
        if !path.starts_with('/') {
            return Some(written(path, stated));
        }
    }
    const KEYS: &[&str] = &[
        "field",
        "fieldName",
        "field_name",
        "paramName",
        "parameterName",
        "param",
        "parameter",
        "propertyName",
        "propertyPath",
        "property",
        "attribute",
        "attr",
        "argument",
        "key",
        "target",
        "Field",
        "PropertyName",
    ];
    if let Some(name) = text("property").filter(|_| object.contains_key("children")) {
        let steps = parents.iter().cloned().chain([name.into()]).collect();
        return Some((steps, stated));
    }
    if let Some(name) = KEYS.iter().find_map(|k| text(k)) {
        return Some(written(name, stated));
    }
    // Google's older errors say `locationType` and put the name into `location`.
    if let (Some(_), Some(name)) = (text("locationType"), text("location")) {
        return Some(written(name, None));
    }
    // `name` is the class of the error unless it stands in a list.
    let name = text("name").filter(|n| is_item && !n.ends_with("Error") && !n.ends_with("Exception"))?;
    Some(written(name, stated))
}

fn written(name: &str, place: Option<Place>) -> Field {
    let one_step = name_of(name, place);
    if one_step.starts_with('/') { (steps(&one_step), place) } else { (vec![one_step], place) }
}

/// The location of Pydantic, Zod or Joi: `["query", "limit"]`, `["address", "zip"]`.
fn located(loc: &[Value], stated: Option<Place>, starts_with_place: bool) -> Option<Field> {
    let mut steps: Vec<String> = loc
        .iter()
        .filter_map(|step| match step {
            Value::String(s) => Some(s.clone()),
            Value::Number(n) => Some(n.to_string()),
            _ => None,
        })
        .collect();
    let first = steps.first().and_then(|s| place_named(s));
    let place = if starts_with_place || steps.len() > 1 { first } else { None };
    if place.is_some() {
        steps.remove(0);
    }
    Some((steps, stated.or(place)))
}

/// **Source**: JSON:API 1.1, "Error Objects", member `source`.
fn sourced(source: &Map<String, Value>) -> Option<Field> {
    let text = |key: &str| source.get(key).and_then(Value::as_str);
    if let Some(name) = text("parameter") {
        return Some((vec![name.into()], Some(Place::Query)));
    }
    if let Some(name) = text("header") {
        return Some((vec![name.into()], Some(Place::Header)));
    }
    Some((steps(text("pointer")?), Some(Place::Body)))
}

/// `/query/limit`, `.body.address.zip`.
///
/// **Source**: express-openapi-validator, `ValidationError.errors[].path`.
fn openapi_path(path: &str) -> Option<Field> {
    let mut steps = match path.strip_prefix('.') {
        Some(dotted) => steps(dotted),
        None => steps(path.starts_with('/').then_some(path)?),
    };
    let place = place_named(steps.first()?).filter(|_| steps.len() > 1)?;
    steps.remove(0);
    Some((steps, Some(place)))
}

/// True for an object that says what is wrong with something.
pub(super) fn is_error(object: &Map<String, Value>) -> bool {
    const SAYS: &[&str] = &[
        "msg",
        "message",
        "detail",
        "description",
        "defaultMessage",
        "reason",
        "error",
        "title",
        "code",
        "type",
        "tag",
        "rule",
        "constraints",
        "errorMessage",
        "ErrorMessage",
        "error_message",
        "messages",
        "Message",
        "errorCode",
    ];
    let has_children = object.contains_key("property") && object.get("children").is_some_and(Value::is_array);
    has_children
        || SAYS.iter().any(|key| {
            object
                .get(*key)
                .is_some_and(|v| v.is_string() || (matches!(*key, "constraints" | "messages") && !v.is_null()))
        })
}
