//! Values to the text of parameters.

use serde_json::{Map, Value};

use crate::operation::{Parameter, ParameterLocation, ParameterStyle};

/// Returns the pairs of name and text by which a parameter carries a value. Nothing is
/// percent-encoded.
///
/// A query or a cookie gets one pair per `name=text`; a path or a header exactly one pair, whose
/// text fills the template's place or the field. A query, a cookie or a header that carries
/// `null` or an empty list is left out: no pair.
///
/// **Source**: OpenAPI 3.2, Parameter Object, "Style Examples"; RFC 6570, section 3.2; Swagger
/// 2.0, `collectionFormat`.
pub fn serialize_parameter(parameter: &Parameter, value: &Value) -> Vec<(String, String)> {
    let name = parameter.name.as_str();
    let one = |text: String| vec![(name.to_owned(), text)];
    if parameter.content.is_some() {
        return match (value, is_json(parameter)) {
            (Value::String(text), false) => one(text.clone()),
            (value, _) => one(value.to_string()),
        };
    }
    let is_single = matches!(parameter.location, ParameterLocation::Path | ParameterLocation::Header);
    if is_single {
        return match parameter.location {
            ParameterLocation::Header if is_absent(value) => Vec::new(),
            _ => one(single(parameter, value)),
        };
    }
    if is_absent(value) {
        return Vec::new();
    }
    match value {
        Value::Array(elements) if parameter.explode => {
            elements.iter().map(|element| (name.to_owned(), scalar(element))).collect()
        }
        Value::Array(elements) => one(texts(elements).join(delimiter(parameter.style))),
        Value::Object(members) if parameter.style == ParameterStyle::DeepObject => {
            let mut pairs = Vec::new();
            deep(name, members, &mut pairs);
            pairs
        }
        Value::Object(members) if parameter.explode => {
            members.iter().map(|(key, member)| (key.clone(), scalar(member))).collect()
        }
        Value::Object(members) => one(flat(members).join(delimiter(parameter.style))),
        scalar_value => one(scalar(scalar_value)),
    }
}

/// The text of a parameter in a path or a header.
fn single(parameter: &Parameter, value: &Value) -> String {
    let Parameter { name, explode, .. } = parameter;
    let pairs = |members: &Map<String, Value>| -> Vec<String> {
        members.iter().map(|(key, member)| format!("{key}={}", scalar(member))).collect()
    };
    match (parameter.style, value) {
        (ParameterStyle::Label, Value::Array(elements)) => {
            format!(".{}", texts(elements).join(if *explode { "." } else { "," }))
        }
        (ParameterStyle::Label, Value::Object(members)) if *explode => format!(".{}", pairs(members).join(".")),
        (ParameterStyle::Label, Value::Object(members)) => format!(".{}", flat(members).join(",")),
        (ParameterStyle::Label, other) => format!(".{}", scalar(other)),
        (ParameterStyle::Matrix, Value::Array(elements)) if *explode => {
            elements.iter().map(|element| format!(";{name}={}", scalar(element))).collect()
        }
        (ParameterStyle::Matrix, Value::Array(elements)) => format!(";{name}={}", texts(elements).join(",")),
        (ParameterStyle::Matrix, Value::Object(members)) if *explode => format!(";{}", pairs(members).join(";")),
        (ParameterStyle::Matrix, Value::Object(members)) => format!(";{name}={}", flat(members).join(",")),
        (ParameterStyle::Matrix, other) => match scalar(other) {
            text if text.is_empty() => format!(";{name}"),
            text => format!(";{name}={text}"),
        },
        (style, Value::Array(elements)) => texts(elements).join(delimiter(style)),
        (_, Value::Object(members)) if *explode => pairs(members).join(","),
        (style, Value::Object(members)) => flat(members).join(delimiter(style)),
        (_, other) => scalar(other),
    }
}

fn delimiter(style: ParameterStyle) -> &'static str {
    match style {
        ParameterStyle::SpaceDelimited => " ",
        ParameterStyle::PipeDelimited => "|",
        ParameterStyle::TabDelimited => "\t",
        ParameterStyle::Simple
        | ParameterStyle::Form
        | ParameterStyle::DeepObject
        | ParameterStyle::Matrix
        | ParameterStyle::Label => ",",
    }
}

fn deep(name: &str, members: &Map<String, Value>, pairs: &mut Vec<(String, String)>) {
    for (key, member) in members {
        let name = format!("{name}[{key}]");
        match member {
            Value::Object(inner) => deep(&name, inner, pairs),
            Value::Array(elements) => pairs.extend(elements.iter().map(|element| (name.clone(), scalar(element)))),
            other => pairs.push((name, scalar(other))),
        }
    }
}

/// Keys and values in turn.
fn flat(members: &Map<String, Value>) -> Vec<String> {
    members.iter().flat_map(|(key, member)| [key.clone(), scalar(member)]).collect()
}

fn texts(elements: &[Value]) -> Vec<String> {
    elements.iter().map(scalar).collect()
}

/// One value without structure; no style defines what is nested in it, so that becomes JSON.
fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn is_json(parameter: &Parameter) -> bool {
    let media_type = parameter.content.as_deref().unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.ends_with("/json") || essence.ends_with("+json")
}
