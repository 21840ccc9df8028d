//! Answers that are what the SDK returned: attributes with their types, and the SDK's own notes.

use std::collections::BTreeSet;

use engine::controls::{Standing, standing};
use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use model::{Category, Flaw, Location, Meta, Mode, Owasp, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::META;

const RAW: Variant = Variant {
    name: "raw",
    when: "the answer shows how the table is made and read",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Does an answer hold what the SDK returned?
pub struct RawAnswer;

/// A sign of the SDK's own answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Sign {
    /// `{"S": "text"}` in place of values.
    TypedValues,
    /// `ResponseMetadata`: the SDK's own note on the exchange.
    ResponseMetadata,
    /// `LastEvaluatedKey`: the key of the last item read, with its attributes' names.
    LastEvaluatedKey,
    /// `ConsumedCapacity`: what the call cost, and the table's name.
    ConsumedCapacity,
}

/// An answer, with its signs.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The answer.
    answer: Recorded,
    /// What shows where it comes from, each with the JSON pointer of its place, array indexes as `*`.
    #[serde(default)]
    signs: Vec<(Sign, String)>,
}

impl Check for RawAnswer {
    const META: Meta = Meta {
        id: "raw-dynamodb-answer",
        title: "An answer is what the DynamoDB SDK returned",
        category: Category::DataExposure,
        owasp: &[Owasp::Api3],
        cwe: &[213, 200],
        variants: &[RAW],
        mode: Mode::Passive,
        ..META
    };
    type Subject = subject::Exchange;
    type Observation = Observation;

    fn plan(exchange: &subject::Exchange, _: &Survey) -> Result<Requests, NotApplicable> {
        if exchange.operation.is_none() {
            return Err(NotApplicable::new("it belongs to no operation"));
        }
        if standing(&exchange.raw) != Standing::Works || exchange.json().is_none() {
            return Err(NotApplicable::new("it is no working answer in JSON"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(exchange: &subject::Exchange, _: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        let body = exchange.json().ok_or(NotApplicable::new("the answer is no JSON"))?;
        let mut signs = BTreeSet::new();
        look(body, &mut String::new(), &mut signs);
        Ok(Observation { answer: exchange.recorded.clone(), signs: signs.into_iter().collect() })
    }

    fn judge(seen: &Observation) -> Verdict {
        let mut flaws: Vec<Flaw> = Vec::new();
        for (sign, pointer) in &seen.signs {
            let (cause, message, shown) = words(*sign);
            if !flaws.iter().any(|flaw| flaw.cause == cause) {
                let flaw = Flaw::new(&RAW, cause, message).at(Location::ResponseBody(pointer.clone()));
                flaws.push(flaw.mark("answer", shown));
            }
        }
        Verdict::of_flaws(flaws)
    }
}

fn words(sign: Sign) -> (&'static str, &'static str, &'static str) {
    match sign {
        Sign::TypedValues => {
            ("typed-values", "attributes come with DynamoDB's types, as the low-level client returns them", "\"S\"")
        }
        Sign::ResponseMetadata => {
            ("response-metadata", "the SDK's `ResponseMetadata` is part of the answer", "\"ResponseMetadata\"")
        }
        Sign::LastEvaluatedKey => (
            "last-evaluated-key",
            "`LastEvaluatedKey` names the table's key attributes and an item's key",
            "\"LastEvaluatedKey\"",
        ),
        Sign::ConsumedCapacity => {
            ("consumed-capacity", "`ConsumedCapacity` names the table and what the call cost", "\"ConsumedCapacity\"")
        }
    }
}

fn look(value: &Value, pointer: &mut String, signs: &mut BTreeSet<(Sign, String)>) {
    let length = pointer.len();
    match value {
        Value::Object(fields) => {
            if is_item(value) {
                signs.insert((Sign::TypedValues, pointer.clone()));
                return;
            }
            for (name, below) in fields {
                let sign = match name.as_str() {
                    "ResponseMetadata" if has(below, &["RequestId", "RetryAttempts"]) => Some(Sign::ResponseMetadata),
                    "LastEvaluatedKey" if is_key(below) => Some(Sign::LastEvaluatedKey),
                    "ConsumedCapacity" if has(below, &["TableName"]) => Some(Sign::ConsumedCapacity),
                    _ => None,
                };
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                match sign {
                    Some(sign) => _ = signs.insert((sign, pointer.clone())),
                    None => look(below, pointer, signs),
                }
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            pointer.push_str("/*");
            items.iter().for_each(|item| look(item, pointer, signs));
            pointer.truncate(length);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn has(value: &Value, members: &[&str]) -> bool {
    members.iter().all(|member| value.get(member).is_some())
}

/// Attributes that an item must have to be told from a map whose keys are sizes or grades.
///
/// **Source**: chosen.
const LEAST_ATTRIBUTES: usize = 2;

/// True if every member is a typed value.
fn is_item(value: &Value) -> bool {
    is_key(value) && value.as_object().is_some_and(|fields| fields.len() >= LEAST_ATTRIBUTES)
}

/// True if every member is a typed value, and there is one.
fn is_key(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| !fields.is_empty() && fields.values().all(is_typed))
}

/// True for a value with its type.
///
/// **Source**: Amazon DynamoDB API Reference, `AttributeValue`: exactly one of its members is there,
/// and numbers and binaries are text.
fn is_typed(value: &Value) -> bool {
    let Some(fields) = value.as_object().filter(|fields| fields.len() == 1) else { return false };
    let texts = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
    fields.iter().all(|(name, value)| match name.as_str() {
        "S" | "B" => value.is_string(),
        "N" => value.as_str().is_some_and(|text| text.parse::<f64>().is_ok()),
        "BOOL" => value.is_boolean(),
        "NULL" => value == &Value::Bool(true),
        "M" => value.as_object().is_some_and(|fields| fields.values().all(is_typed)),
        "L" => value.as_array().is_some_and(|items| items.iter().all(is_typed)),
        "SS" | "NS" | "BS" => texts(value),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn signs(body: &Value) -> Vec<(Sign, String)> {
        let mut signs = BTreeSet::new();
        look(body, &mut String::new(), &mut signs);
        signs.into_iter().collect()
    }

    #[test]
    fn an_item_of_the_low_level_client_is_told_from_sizes_and_grades() {
        let item = json!({ "Items": [{ "id": { "S": "r-1" }, "meta": { "M": { "n": { "N": "4" } } } }] });
        assert_eq!(signs(&item), [(Sign::TypedValues, "/Items/*".into())]);
        for other in [
            json!({ "shirt": { "S": 4, "M": 7, "L": 0 }, "sock": { "S": 1, "M": 2 } }),
            json!({ "shirt": { "S": 4 }, "sock": { "M": 2 } }),
            json!({ "grade": { "N": "x" }, "other": { "N": "4" } }),
            json!({ "only": { "S": "one" } }),
            json!({ "id": { "S": "r-1" }, "pk": "plain", "sk": "plain" }),
        ] {
            assert_eq!(signs(&other), [], "{other}");
        }
    }

    #[test]
    fn notes_of_the_sdk_are_told_from_members_of_the_same_name() {
        let body = json!({
            "ResponseMetadata": { "RequestId": "A1", "HTTPStatusCode": 200, "RetryAttempts": 0 },
            "LastEvaluatedKey": { "record_id": { "S": "r-2" } },
            "ConsumedCapacity": { "TableName": "records", "CapacityUnits": 1.0 },
        });
        let found: Vec<Sign> = signs(&body).into_iter().map(|(sign, _)| sign).collect();
        assert_eq!(found, [Sign::ResponseMetadata, Sign::LastEvaluatedKey, Sign::ConsumedCapacity]);
        let other = json!({ "ResponseMetadata": {}, "LastEvaluatedKey": "b3BhcXVl", "ConsumedCapacity": 0.5 });
        assert_eq!(signs(&other), []);
    }
}
