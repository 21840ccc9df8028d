//! The rows of an answer: which objects its list holds, in whatever order.

use std::collections::BTreeSet;

use engine::controls::{Standing, standing};
use model::Recorded;
use serde_json::Value;

/// Levels below the top at which a list is looked for (`data.page.items`).
///
/// **Source**: chosen; deeper lists belong to one object.
const DEEPEST: usize = 3;

/// The JSON pointer of the first list of objects; empty for a list at the top.
pub(super) fn place(body: &Value) -> Option<String> {
    (0..=DEEPEST).find_map(|depth| place_at(body, depth))
}

fn place_at(value: &Value, depth: usize) -> Option<String> {
    match value {
        Value::Array(items) if depth == 0 => {
            (!items.is_empty() && items.iter().all(Value::is_object)).then(String::new)
        }
        Value::Object(fields) if depth > 0 => fields.iter().find_map(|(name, below)| {
            let rest = place_at(below, depth - 1)?;
            Some(format!("/{}{rest}", name.replace('~', "~0").replace('/', "~1")))
        }),
        _ => None,
    }
}

/// The objects of the list at this pointer, without members that differ at each request, as text.
/// Empty objects are no rows: nothing of them is left. `None` if the answer does not work or has no
/// list there.
pub(super) fn rows(answer: &Recorded, list: &str, volatile: &BTreeSet<String>) -> Option<BTreeSet<String>> {
    let response = answer.response().filter(|r| standing(r) == Standing::Works)?;
    let body = response.json()?;
    let items = body.pointer(list)?.as_array()?;
    let below = format!("{list}/*/");
    let names: Vec<&str> = volatile.iter().filter_map(|pointer| pointer.strip_prefix(&below)).collect();
    let mut rows = BTreeSet::new();
    for item in items {
        let mut row = item.clone();
        if let Some(fields) = row.as_object_mut() {
            fields.retain(|name, _| !names.contains(&name.as_str()));
            if fields.is_empty() {
                continue;
            }
            fields.sort_keys();
        }
        rows.insert(row.to_string());
    }
    Some(rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_highest_list_of_objects_is_the_list() {
        assert_eq!(place(&json!([{ "a": 1 }])), Some(String::new()));
        assert_eq!(place(&json!({ "n": 1, "data": { "a/b": [{ "a": 1 }] } })), Some("/data/a~1b".into()));
        assert_eq!(place(&json!({ "tags": ["a"], "records": [{ "tags": [{ "a": 1 }] }] })), Some("/records".into()));
        assert_eq!(place(&json!({ "records": [], "id": 7 })), None);
    }
}
