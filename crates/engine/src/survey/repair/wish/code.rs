//! What a machine code asks for, with the facts that stand beside it.

use serde_json::{Map, Value};

use super::super::Wish;
use super::bound::{least, most};
use super::of_type;

/// Members of an error object that hold a machine code.
const CODES: &[&str] = &[
    "code",
    "errorCode",
    "error_code",
    "keyword",
    "rule",
    "tag",
    "type",
    "kind",
    "reason",
    "validation",
    "constraint",
];
/// Members of an error object that hold further facts.
const FACTS: &[&str] = &["ctx", "params", "context", "properties", "constraints", "meta", "attributes"];

/// Returns what the machine codes of an error object ask for; empty where it has none that is known.
///
/// **Source**: Pydantic 1 and 2 (error types), Zod 3 and 4 (`ZodIssueCode`), Joi (error codes), Ajv
/// (keywords), Django REST framework and Django (error codes), Jakarta Validation (constraint names),
/// go-playground/validator (tags), the Stripe API (error codes), the GitHub REST API (error codes).
pub(in super::super) fn by_code(error: &Map<String, Value>) -> Vec<Wish> {
    CODES
        .iter()
        .filter_map(|key| Some((*key, error.get(*key)?.as_str()?)))
        // A bare type beside a code of its own may be the type of the field, which is not at fault.
        .filter(|(key, code)| *key != "type" || code.contains('.') || of_type(code).is_none())
        .map(|(_, code)| wanted(&code.to_ascii_lowercase(), error))
        .find(|wishes| !wishes.is_empty())
        .unwrap_or_default()
}

fn wanted(code: &str, error: &Map<String, Value>) -> Vec<Wish> {
    let code = code.strip_suffix(".openapi.validation").unwrap_or(code);
    let one = |wish| vec![wish];
    match code {
        // For GitHub, `missing` means that the resource named by the value does not exist.
        "missing" if error.contains_key("resource") => Vec::new(),
        "missing"
        | "required"
        | "value_error.missing"
        | "any.required"
        | "any.empty"
        | "string.empty"
        | "blank"
        | "null"
        | "empty"
        | "notnull"
        | "notblank"
        | "notempty"
        | "not_null"
        | "not_blank"
        | "not_empty"
        | "missing_field"
        | "parameter_missing"
        | "field_required"
        | "missing_parameter"
        | "missing_required_parameter"
        | "missingparameter"
        | "type_error.none.not_allowed"
        | "isdefined"
        | "isnotempty"
        | "notemptyvalidator"
        | "notnullvalidator"
        | "missing_argument" => one(Wish::Present),
        "int_parsing"
        | "int_type"
        | "int_from_float"
        | "type_error.integer"
        | "number.integer"
        | "isint"
        | "parameter_invalid_integer" => one(Wish::Integer),
        "float_parsing" | "float_type" | "decimal_parsing" | "decimal_type" | "type_error.float"
        | "type_error.decimal" | "number.base" | "isnumber" | "not_a_number" => one(Wish::Number),
        "bool_parsing" | "bool_type" | "value_error.bool" | "type_error.bool" | "boolean.base" | "isboolean" => {
            one(Wish::Boolean)
        }
        "string_type" | "type_error.str" | "string.base" | "isstring" => one(Wish::Text),
        "date_parsing" | "date_type" | "date_from_datetime_parsing" | "value_error.date" => one(Wish::Date),
        "datetime_parsing"
        | "datetime_type"
        | "datetime_from_date_parsing"
        | "timezone_aware"
        | "value_error.datetime"
        | "date.base"
        | "date.format"
        | "string.isodate"
        | "isdatestring" => one(Wish::DateTime),
        "uuid_parsing" | "uuid_type" | "uuid_version" | "type_error.uuid" | "string.guid" | "isuuid" => one(Wish::Uuid),
        "url_parsing"
        | "url_type"
        | "url_scheme"
        | "value_error.url.scheme"
        | "value_error.url.host"
        | "string.uri"
        | "isurl" => one(Wish::Url),
        "value_error.email" | "string.email" | "email" | "isemail" | "emailvalidator" => one(Wish::Email),
        "list_type" | "set_type" | "tuple_type" | "type_error.list" | "array.base" | "isarray" | "not_a_list" => {
            one(Wish::List)
        }
        "dict_type" | "model_type" | "model_attributes_type" | "dataclass_type" | "type_error.dict" | "object.base" => {
            one(Wish::Object)
        }
        "extra_forbidden"
        | "value_error.extra"
        | "object.unknown"
        | "additionalproperties"
        | "parameter_unknown"
        | "whitelistvalidation"
        | "unknown_parameter" => one(Wish::Absent),
        "enum" | "literal_error" | "type_error.enum" | "value_error.const" | "any.only" | "invalid_enum_value"
        | "invalid_value" | "oneof" | "isenum" | "isin" | "invalid_choice" | "const" | "any.allowonly"
        | "invalid_literal" => choices(error),
        "invalid_type" | "type" => typed(error),
        "format" | "invalid_format" | "invalid_string" => formatted(error),
        "pattern" | "string_pattern_mismatch" | "value_error.str.regex" => {
            fact(error, &["pattern"]).and_then(Value::as_str).map(|p| Wish::Matching(p.into())).into_iter().collect()
        }
        "uuid" | "uuid4" | "url" | "uri" | "datetime" | "date" | "number" | "numeric" | "integer" | "boolean"
        | "string" | "array" | "object" => of_type(code).into_iter().collect(),
        _ => bounded(code, error),
    }
}

/// A fact of an error object, whichever of its members holds it.
fn fact<'a>(error: &'a Map<String, Value>, keys: &[&str]) -> Option<&'a Value> {
    let inner = FACTS.iter().filter_map(|f| error.get(*f)?.as_object());
    std::iter::once(error).chain(inner).find_map(|map| keys.iter().find_map(|key| map.get(*key)))
}

fn choices(error: &Map<String, Value>) -> Vec<Wish> {
    let listed = fact(error, &["enum_values", "permitted", "options", "values", "valids", "allowedValues"]);
    if let Some(Value::Array(values)) = listed {
        return vec![Wish::OneOf(values.iter().filter_map(spelled).collect())];
    }
    if let Some(value) = fact(error, &["expected", "allowedValue", "given"])
        && !value.as_str().is_some_and(|s| s.contains(['\'', '|']))
        && let Some(value) = spelled(value)
    {
        return vec![Wish::OneOf(vec![value])];
    }
    // The message tells the values, or nobody does.
    Vec::new()
}

fn spelled(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}

fn typed(error: &Map<String, Value>) -> Vec<Wish> {
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("received") == "undefined"
        || text("message") == "Required"
        || text("message").ends_with("received undefined")
    {
        return vec![Wish::Present];
    }
    let wanted = error.get("expected").or_else(|| error.get("params")?.get("type"));
    let word = match wanted {
        Some(Value::Array(words)) => words.first().and_then(Value::as_str),
        Some(other) => other.as_str(),
        None => None,
    };
    word.and_then(|w| of_type(w.split(['|', ',']).next().unwrap_or_default().trim())).into_iter().collect()
}

fn formatted(error: &Map<String, Value>) -> Vec<Wish> {
    if let Some(source) = fact(error, &["pattern"]).and_then(Value::as_str)
        && fact(error, &["format", "validation"]).and_then(Value::as_str) == Some("regex")
    {
        return vec![Wish::Matching(source.into())];
    }
    fact(error, &["format", "validation"]).and_then(Value::as_str).and_then(of_type).into_iter().collect()
}

fn bounded(code: &str, error: &Map<String, Value>) -> Vec<Wish> {
    // Whether the code is about the lower bound, and whether the bound itself is refused.
    let (is_lower, is_exclusive) = match code {
        "greater_than" | "value_error.number.not_gt" | "number.greater" | "gt" | "exclusiveminimum" => (true, true),
        "less_than" | "value_error.number.not_lt" | "number.less" | "lt" | "exclusivemaximum" => (false, true),
        "greater_than_equal"
        | "value_error.number.not_ge"
        | "number.min"
        | "minimum"
        | "min"
        | "gte"
        | "too_small"
        | "string_too_short"
        | "too_short"
        | "string.min"
        | "array.min"
        | "minlength"
        | "minitems"
        | "value_error.any_str.min_length"
        | "value_error.list.min_items"
        | "greater_than_or_equal_to" => (true, false),
        "less_than_equal"
        | "value_error.number.not_le"
        | "number.max"
        | "maximum"
        | "max"
        | "lte"
        | "too_big"
        | "string_too_long"
        | "too_long"
        | "string.max"
        | "array.max"
        | "maxlength"
        | "maxitems"
        | "value_error.any_str.max_length"
        | "value_error.list.max_items"
        | "less_than_or_equal_to" => (false, false),
        _ => return Vec::new(),
    };
    const BOUNDS: &[&str] = &[
        "ge",
        "gt",
        "le",
        "lt",
        "min_length",
        "max_length",
        "limit_value",
        "minimum",
        "maximum",
        "limit",
        "min",
        "max",
        "param",
        "count",
        "minlength",
        "maxlength",
    ];
    let number = fact(error, BOUNDS).and_then(|n| n.as_f64().or_else(|| n.as_str()?.parse().ok()));
    let Some(number) = number else { return Vec::new() };
    let origin = fact(error, &["origin", "type"]).and_then(Value::as_str).unwrap_or_default();
    let of_length = ["length", "short", "long", "string.", "array.", "items"].iter().any(|w| code.contains(w))
        || matches!(origin, "string" | "array" | "set" | "file");
    let is_exclusive = is_exclusive || error.get("inclusive") == Some(&Value::Bool(false));
    match (is_lower, is_exclusive) {
        (true, exclusive) => vec![least(number + f64::from(u8::from(exclusive)), of_length)],
        (false, exclusive) => vec![most(number - f64::from(u8::from(exclusive)), of_length)],
    }
}
