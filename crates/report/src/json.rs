//! The record itself, as JSON.

use model::Scan;
use serde_json::Value;

use crate::visible::visible_json;

/// The scan as indented JSON, with a newline at the end. Characters that a terminal would obey are escapes.
pub fn json(scan: &Scan) -> String {
    let mut text = serde_json::to_string_pretty(scan).unwrap_or_default();
    text.push('\n');
    visible_json(text)
}

/// The JSON Schema of [`json`].
pub fn schema() -> Value {
    model::scan::schema()
}
