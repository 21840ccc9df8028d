//! Examples, wherever a format keeps them.

use serde_json::Value;

use crate::description::{Description, Node};
use crate::operation::{Format, Media};

/// Examples of a body.
pub(crate) fn examples_of<'a>(description: &'a Description, format: Format, media: &Media) -> Vec<&'a Value> {
    let Some(node) = description.node(&media.at) else {
        return Vec::new();
    };
    if format != Format::OpenApi20 {
        return examples_in(description, &node);
    }
    let by_media_type = node.member("examples").and_then(|all| Some(all.member(&media.media_type)?.value));
    by_media_type.or_else(|| node.value.get("x-example")).into_iter().collect()
}

/// `example`, `x-example` and the values of `examples`.
pub(crate) fn examples_in<'a>(description: &'a Description, node: &Node<'a>) -> Vec<&'a Value> {
    let mut examples: Vec<&Value> = ["example", "x-example"].iter().filter_map(|key| node.value.get(key)).collect();
    let named = node.member("examples");
    for (_, example) in named.iter().flat_map(Node::members) {
        let Some(example) = description.follow(example) else { continue };
        let value = example.member("value").or_else(|| example.member("dataValue"));
        examples.extend(value.and_then(|value| referred(description, value)));
    }
    examples
}

/// The value of an example. Authors also put a reference there, to a value or to another example.
fn referred<'a>(description: &'a Description, value: Node<'a>) -> Option<&'a Value> {
    if value.reference().is_none() {
        return Some(value.value);
    }
    let target = description.follow(value)?;
    let is_example = target.pointer.strip_prefix("/components/examples/").is_some_and(|name| !name.contains('/'));
    let inner = target.member("value").filter(|_| is_example);
    Some(inner.unwrap_or(target).value)
}
