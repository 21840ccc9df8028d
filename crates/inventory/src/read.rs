//! Bytes to one generic JSON value, whether they are JSON or YAML.

use std::borrow::Cow;

use serde_json::Value;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

use crate::warning::Warnings;

mod tree;

use tree::Tree;

/// Largest document that is read, in bytes.
/// **Source**: chosen; five times the largest public description known (GitHub's, 12.7 MB).
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

/// Events that YAML aliases may expand to, all together.
/// **Source**: chosen; keeps an expansion bomb below about 50 MB.
const MAX_ALIAS_EVENTS: usize = 500_000;

/// Nesting that is read; the JSON parser stops there by itself.
/// **Source**: serde_json's recursion limit.
const MAX_DEPTH: usize = 128;

/// The bytes are no API description.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotADescription {
    /// Larger than [`MAX_DOCUMENT_BYTES`].
    #[error("the document has {bytes} bytes, more than the {MAX_DOCUMENT_BYTES} that are read")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Neither JSON nor YAML.
    #[error("the document is neither JSON nor YAML ({reason}); it looks like {looks_like}")]
    NotReadable {
        /// What the parser met first, with line and column.
        reason: String,
        /// What the document looks like, with its article.
        looks_like: String,
    },
    /// JSON or YAML, but without `openapi`, `swagger` or `paths`.
    #[error("the document has no `openapi`, `swagger` or `paths`; it looks like {looks_like}")]
    NotAnApiDescription {
        /// What the document looks like, with its article.
        looks_like: String,
    },
}

/// Reads a document. Warnings: bytes that are no UTF-8, JSON that only reads as YAML, keys that stand twice.
pub(crate) fn read(uri: &str, bytes: &[u8], warnings: &mut Warnings) -> Result<Value, NotADescription> {
    let tree = tree(uri, bytes, warnings)?;
    for pointer in tree.repeated {
        let key = pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        warnings.push(uri, &pointer, format!("the key `{key}` stands twice; the last one counts"));
    }
    Ok(tree.value)
}

fn tree(uri: &str, bytes: &[u8], warnings: &mut Warnings) -> Result<Tree, NotADescription> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(NotADescription::TooLarge { bytes: bytes.len() });
    }
    let text = decode(uri, bytes, warnings);
    let trimmed = text.trim_start();
    if trimmed.starts_with('<') {
        let reason = "it begins with `<`".to_owned();
        return Err(NotADescription::NotReadable { reason, looks_like: markup(trimmed) });
    }
    if !trimmed.starts_with(['{', '[']) {
        return yaml(&text).map_err(|reason| not_readable(reason, trimmed));
    }
    let json = match serde_json::from_str(trimmed) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let value = yaml(&text).map_err(|_| not_readable(json.to_string(), trimmed))?;
    warnings.push(uri, "", format!("the document is not valid JSON ({json}); it was read as YAML"));
    Ok(value)
}

/// Text of a document in UTF-8 or, where a byte order mark says so, UTF-16.
fn decode<'a>(uri: &str, bytes: &'a [u8], warnings: &mut Warnings) -> Cow<'a, str> {
    let wide = match bytes {
        [0xFF, 0xFE, rest @ ..] => Some((rest, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xFE, 0xFF, rest @ ..] => Some((rest, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    if let Some((rest, unit)) = wide {
        let (pairs, _) = rest.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        return Cow::Owned(String::from_utf16_lossy(&units));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    if matches!(text, Cow::Owned(_)) {
        warnings.push(uri, "", "the document is not UTF-8; the bytes that are not were replaced");
    }
    text
}

fn yaml(text: &str) -> Result<Tree, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
            max_total_comment_bytes: usize::MAX,
            max_depth: MAX_DEPTH,
            simple_key_max_lookahead: 64 * 1024,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_ALIAS_EVENTS },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| error.to_string())
}

fn not_readable(reason: String, text: &str) -> NotADescription {
    let reason = reason.lines().next().unwrap_or_default().trim().to_owned();
    let looks_like = if text.is_empty() {
        "an empty document".to_owned()
    } else if text.starts_with(['{', '[']) {
        "broken or truncated JSON".to_owned()
    } else if ["type Query", "schema {", "scalar ", "directive @"].iter().any(|sign| text.contains(sign)) {
        "a GraphQL schema".to_owned()
    } else {
        "plain text".to_owned()
    };
    NotADescription::NotReadable { reason, looks_like }
}

/// What a document that begins with `<` is.
fn markup(text: &str) -> String {
    let head: String = text.chars().take(4096).collect();
    let lower = head.to_ascii_lowercase();
    if !lower.contains("<html") && !lower.contains("<!doctype html") {
        let kind = ["<wsdl:", "<definitions", "<application"].iter().any(|sign| lower.contains(sign));
        return if kind { "an XML service description" } else { "an XML document" }.to_owned();
    }
    let title = lower.find("<title>").and_then(|start| {
        let rest = head.get(start + "<title>".len()..)?;
        let end = rest.find('<')?;
        Some(rest[..end].trim().to_owned())
    });
    match title {
        Some(title) if !title.is_empty() => format!("an HTML page with the title `{title}`"),
        _ => "an HTML page".to_owned(),
    }
}

/// What a value without `openapi`, `swagger` and `paths` is.
pub(crate) fn looks_like(value: &Value) -> String {
    let members = match value {
        Value::Object(members) => members,
        Value::Null => return "an empty document".to_owned(),
        Value::Array(_) => return "a list".to_owned(),
        Value::String(_) => return "plain text".to_owned(),
        Value::Bool(_) | Value::Number(_) => return "a single value".to_owned(),
    };
    let known = [
        ("/asyncapi", "an AsyncAPI document"),
        ("/arazzo", "an Arazzo document"),
        ("/info/_postman_id", "a Postman collection"),
        ("/log/entries", "a HAR file"),
        ("/data/__schema", "a GraphQL introspection result"),
        ("/__schema", "a GraphQL introspection result"),
        ("/swaggerVersion", "a description in Swagger 1, which must be converted first"),
        ("/$schema", "a JSON Schema"),
        ("/jsonrpc", "a JSON-RPC message"),
    ];
    if let Some((_, name)) = known.iter().find(|(pointer, _)| value.pointer(pointer).is_some()) {
        return (*name).to_owned();
    }
    if members.is_empty() {
        return "an empty object".to_owned();
    }
    let names: Vec<String> = members.keys().take(4).map(|key| format!("`{key}`")).collect();
    let more = if members.len() > names.len() { " and more" } else { "" };
    format!("an object with {}{more}", names.join(", "))
}
