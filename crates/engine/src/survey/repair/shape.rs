//! Walks a JSON error body for complaints.
//!
//! Two shapes carry nearly all of them: an object that names a field and says something about it, and
//! a map from names to messages. Sentences elsewhere are left to [`prose`].

mod field;

use serde_json::{Map, Value};

use self::field::{field, is_error};
use super::{Certainty, Complaint, Heard, Place, Wish, joined, place_named, plain, prose, steps, wish};

/// Deepest nesting that is followed.
const DEEPEST: usize = 16;
/// Most values that are visited.
const MOST_VISITED: usize = 4_000;

/// Returns what a JSON body complains about.
pub(super) fn read(body: &Value) -> Vec<Heard> {
    let mut reader = Reader { heard: Vec::new(), visited: 0 };
    reader.visit(body, &Around::default());
    reader.heard
}

/// Where the walk stands.
#[derive(Clone, Default)]
struct Around {
    /// Names of the maps that were entered, outermost first.
    path: Vec<String>,
    place: Option<Place>,
    depth: usize,
    /// True inside a member that is known to hold complaints.
    is_map: bool,
    /// True for the items of an array.
    is_item: bool,
}

impl Around {
    fn inside(&self) -> Self {
        Self { depth: self.depth + 1, is_item: false, ..self.clone() }
    }

    fn under(&self, name: &str) -> Self {
        let mut inner = self.inside();
        inner.path.extend(steps(name));
        inner
    }
}

/// What the member of an object is for, by its key.
enum Role {
    /// Holds complaints: `errors`, `detail`.
    Envelope,
    /// Says something about the object that it stands in: `message`, `title`.
    Sentence,
    /// Repeats the request, points to documentation, or counts.
    Aside,
    /// May be the name of a value.
    Name,
}

fn role(key: &str) -> Role {
    match plain(key).as_str() {
        "errors"
        | "error"
        | "detail"
        | "details"
        | "messages"
        | "message"
        | "issues"
        | "violations"
        | "constraintviolations"
        | "fielderrors"
        | "fieldviolations"
        | "validation"
        | "validationerrors"
        | "validationmessages"
        | "invalidparams"
        | "invalidparameters"
        | "badparams"
        | "fields"
        | "failures"
        | "problems"
        | "extra"
        | "extras"
        | "modelstate"
        | "suberrors"
        | "errordetails"
        | "response"
        | "result"
        | "innererror"
        | "inner"
        | "parametererrors"
        | "formerrors"
        | "fault"
        | "nonfielderrors"
        | "schema"
        | "all"
        | "data"
        | "violation"
        | "reasons" => Role::Envelope,
        "errordescription" | "errormessage" | "msg" | "title" | "description" | "defaultmessage" | "reason"
        | "cause" | "usermessage" | "developermessage" | "internalmessage" | "text" | "summary" | "info"
        | "exception" => Role::Sentence,
        "status" | "statuscode" | "code" | "timestamp" | "type" | "instance" | "trace" | "stack" | "stacktrace"
        | "traceid" | "requestid" | "correlationid" | "documentationurl" | "helpurl" | "docurl" | "help" | "url"
        | "input" | "value" | "rejectedvalue" | "received" | "ctx" | "context" | "loc" | "codes" | "arguments"
        | "method" | "success" | "ok" | "path" | "name" | "links" | "link" | "example" | "examples" | "target"
        | "unionerrors" | "constraints" | "params" | "headers" | "query" | "body" | "hint" | "class" | "classname"
        | "note" | "locale" | "domain" | "object" | "objectname" | "resource" | "keys" | "meta" | "metadata"
        | "request" | "parentschema" | "originalerror" | "version" | "apiversion" | "source" | "requestlogurl"
        | "file" | "line" => Role::Aside,
        _ => Role::Name,
    }
}

/// Keys that are envelopes whatever stands under them.
fn is_never_a_name(key: &str) -> bool {
    matches!(
        plain(key).as_str(),
        "errors"
            | "error"
            | "detail"
            | "details"
            | "nonfielderrors"
            | "all"
            | "schema"
            | "formerrors"
            | "validationerrors"
    )
}

struct Reader {
    heard: Vec<Heard>,
    visited: usize,
}

impl Reader {
    fn visit(&mut self, value: &Value, around: &Around) {
        self.visited += 1;
        if around.depth > DEEPEST || self.visited > MOST_VISITED {
            return;
        }
        match value {
            Value::String(message) => self.sentence(message, around),
            Value::Array(items) => self.items(items, around),
            Value::Object(object) => self.object(object, around),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn items(&mut self, items: &[Value], around: &Around) {
        for (index, item) in items.iter().enumerate() {
            let is_row = item.as_object().is_some_and(|o| !is_error(o) && o.values().all(is_messages));
            let mut inner = around.inside();
            inner.is_item = true;
            // Serializers of lists answer with one map per row; a map of complaints is no row.
            if is_row && (!around.path.is_empty() || around.depth == 0) {
                inner.path.push(index.to_string());
                inner.is_map = true;
            }
            self.visit(item, &inner);
        }
    }

    fn object(&mut self, object: &Map<String, Value>, around: &Around) {
        let before = self.heard.len();
        if let Some((steps, place)) = field(object, &around.path, around.is_item) {
            self.error(object, steps, place.or(around.place));
            self.children(object, around);
            if self.heard.len() > before {
                return;
            }
        } else if !around.path.is_empty() && is_error(object) && !object.values().any(Value::is_object) {
            self.error(object, around.path.clone(), around.place);
            return;
        }
        let is_sentences = (around.depth == 0 || around.is_map) && is_map_of_sentences(object, around.is_map);
        let is_named = around.is_map && !is_error(object);
        // Zod's trees keep the messages of an object beside those of its members.
        let is_tree = object.get("errors").is_some_and(Value::is_array);
        let has_unparsed_body = object.keys().any(|k| k.starts_with('$'));
        for (key, value) in object {
            if has_unparsed_body && is_parameter_of_body(key, value) {
                continue;
            }
            match (role(key), value) {
                (_, Value::String(message)) if is_sentences => {
                    self.named(&around.under(key).path, around.place, message)
                }
                (_, Value::Object(_) | Value::Array(_))
                    if is_tree && matches!(key.as_str(), "properties" | "items") =>
                {
                    self.visit(value, &Around { is_map: true, ..around.inside() });
                }
                (Role::Aside | Role::Sentence, Value::Object(_)) if is_named && place_named(key).is_none() => {
                    self.visit(value, &around.under(key));
                }
                (role, value) => self.member(key, role, value, around),
            }
        }
    }

    fn member(&mut self, key: &str, role: Role, value: &Value, around: &Around) {
        let place = place_named(key);
        match value {
            Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_string) => {
                if is_own_messages(key) {
                    return self.own_messages(items, around);
                }
                let messages = items.iter().filter_map(Value::as_str);
                let names_itself = !is_never_a_name(key) && messages.clone().any(is_without_subject);
                let is_name = matches!(role, Role::Name | Role::Aside) && key != "keys" && key != "codes";
                if is_name || names_itself {
                    let inner = around.under(key);
                    messages.for_each(|message| self.named(&inner.path, inner.place, message));
                } else {
                    self.visit(value, &around.inside());
                }
            }
            // A place that holds a map, not a field that happens to be called `query`.
            Value::Object(_) | Value::Array(_) if place.is_some() && around.path.is_empty() => {
                self.visit(value, &Around { place, is_map: true, ..around.inside() });
            }
            Value::Object(_) | Value::Array(_) => match role {
                Role::Envelope => {
                    let mut inner = Around { is_map: true, ..around.inside() };
                    if value.is_object() && !around.is_map {
                        inner.path.clear();
                    }
                    self.visit(value, &inner);
                }
                Role::Name => self.visit(value, &around.under(key)),
                Role::Sentence | Role::Aside => {}
            },
            Value::String(message) => match role {
                Role::Name if around.is_map => {
                    let inner = around.under(key);
                    self.named(&inner.path, inner.place, message);
                }
                Role::Envelope | Role::Sentence => self.sentence(message, around),
                Role::Name if plain(key).ends_with("issues") || plain(key).ends_with("message") => {
                    self.sentence(message, around);
                }
                Role::Name | Role::Aside => {}
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// The messages of a map that are about the map itself: `_errors` and `errors` of Zod's trees.
    fn own_messages(&mut self, items: &[Value], around: &Around) {
        for message in items.iter().filter_map(Value::as_str) {
            if around.path.is_empty() {
                self.sentence(message, around)
            } else {
                self.named(&around.path, around.place, message)
            }
        }
    }

    /// An object that names a field and says something about it.
    fn error(&mut self, object: &Map<String, Value>, mut steps: Vec<String>, place: Option<Place>) {
        if let Some(Value::Array(keys)) = object.get("keys") {
            for key in keys.iter().filter_map(Value::as_str) {
                let steps: Vec<String> = steps.iter().cloned().chain([key.into()]).collect();
                self.push(&steps, place, Wish::Absent, Certainty::Coded);
            }
            return;
        }
        // JSON Schema complains about the object that lacks a member.
        let member = |key: &str| object.get("params")?.get(key)?.as_str().map(String::from);
        if let Some(missing) = member("missingProperty") {
            steps.push(missing);
            return self.push(&steps, place, Wish::Present, Certainty::Coded);
        }
        if let Some(surplus) = member("additionalProperty") {
            steps.push(surplus);
            return self.push(&steps, place, Wish::Absent, Certainty::Coded);
        }
        let messages = said(object);
        let last = joined(&steps);
        if steps.is_empty() {
            for message in &messages {
                if let (Some(member), Some(wishes)) = prose::of_member(message) {
                    wishes
                        .into_iter()
                        .for_each(|w| self.push(std::slice::from_ref(&member), place, w, Certainty::Named));
                    return;
                }
            }
        }
        let coded = wish::by_code(object);
        if !coded.is_empty() {
            return coded.into_iter().for_each(|w| self.push(&steps, place, w, Certainty::Coded));
        }
        // express-validator leaves `value` out where nothing was sent, and says no more than this.
        if messages == ["Invalid value"] && object.contains_key("location") && !object.contains_key("value") {
            return self.push(&steps, place, Wish::Present, Certainty::Named);
        }
        for message in messages {
            for wish in wish::by_words(message, &last) {
                self.push(&steps, place, wish, Certainty::Named);
            }
        }
    }

    /// Errors inside an error object: nested objects of class-validator, details of OData.
    fn children(&mut self, object: &Map<String, Value>, around: &Around) {
        for key in ["children", "details", "errors", "innererror"] {
            let Some(Value::Array(children)) = object.get(key) else { continue };
            let mut inner = around.inside();
            if key == "children"
                && let Some(Value::String(parent)) = object.get("property")
            {
                inner.path.push(parent.clone());
            }
            inner.is_item = true;
            children.iter().filter(|c| c.is_object()).for_each(|child| self.visit(child, &inner));
        }
    }

    /// A message that stands under the name of the value it is about.
    fn named(&mut self, path: &[String], place: Option<Place>, message: &str) {
        // System.Text.Json complains about members that are missing under the name of their object.
        let last = path.last().map_or("", String::as_str);
        if message.contains("missing required properties") {
            return self.heard.extend(prose::read(message));
        }
        for wish in wish::by_words(message, last) {
            self.push(path, place, wish, Certainty::Named);
        }
    }

    /// A message without a name of its own.
    fn sentence(&mut self, message: &str, around: &Around) {
        let trimmed = message.trim();
        // Some servers put the library's list of issues into the message, as JSON.
        if trimmed.starts_with(['[', '{'])
            && let Ok(inner) = serde_json::from_str::<Value>(trimmed)
        {
            return self.visit(&inner, &Around { is_map: true, ..around.inside() });
        }
        for mut heard in prose::read(trimmed) {
            heard.complaint.place = around.place.or(heard.complaint.place);
            self.heard.push(heard);
        }
    }

    fn push(&mut self, steps: &[String], place: Option<Place>, wish: Wish, certainty: Certainty) {
        if steps.is_empty() && place != Some(Place::Body) {
            return;
        }
        self.heard.push(Heard { complaint: Complaint { name: joined(steps), place, wish }, certainty });
    }
}

/// The sentences of an error object about its field.
fn said(object: &Map<String, Value>) -> Vec<&str> {
    const SAYS: &[&str] = &[
        "msg",
        "message",
        "defaultMessage",
        "detail",
        "description",
        "errorMessage",
        "ErrorMessage",
        "error_message",
        "Message",
        "reason",
        "error",
        "title",
    ];
    let listed = ["constraints", "messages"].iter().filter_map(|key| object.get(*key)).flat_map(|value| match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>(),
        Value::Object(map) => map.values().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    });
    let plain = SAYS.iter().filter_map(|key| object.get(*key)?.as_str());
    plain.chain(listed).collect()
}

/// True for a value that a map from names to messages may hold.
fn is_messages(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|i| i.is_string() || i.is_object()),
        Value::Object(_) => true,
        _ => false,
    }
}

/// True for an object all of whose members are sentences that ask for something: a map from names to
/// messages. Where nothing around it says that it holds complaints, one key at least must be unusual
/// in any other role.
fn is_map_of_sentences(object: &Map<String, Value>, is_map: bool) -> bool {
    let asks = |key: &str, value: &Value| {
        value.as_str().is_some_and(|m| m.contains(' ') && !wish::by_words(m, key).is_empty())
    };
    let is_name = |key: &str| matches!(role(key), Role::Name);
    object.iter().all(|(key, value)| asks(key, value) && (is_name(key) || matches!(role(key), Role::Aside)))
        && object.keys().any(|key| is_map || is_name(key))
}

fn is_own_messages(key: &str) -> bool {
    matches!(key, "_errors" | "errors")
}

/// True for a message that leaves its subject to the key it stands under.
fn is_without_subject(message: &str) -> bool {
    const STARTS: &[&str] = &[
        "This field",
        "This value",
        "This list",
        "A valid",
        "Not a valid",
        "Missing data",
        "Ensure this",
        "Field may not",
        "Enter a",
        "can't be blank",
        "is required",
        "is missing",
        "must be",
        "should be",
        "has already",
        "Must be",
        "is too ",
        "is not ",
        "is invalid",
        "cannot be",
        "Select a valid",
    ];
    STARTS.iter().any(|start| message.starts_with(start))
}

/// True for the parameter that ASP.NET Core reports as required where the JSON body did not parse: it
/// is the action's own name for the body, not a member.
fn is_parameter_of_body(key: &str, value: &Value) -> bool {
    let Value::Array(messages) = value else { return false };
    matches!(messages.as_slice(), [Value::String(message)] if *message == format!("The {key} field is required."))
}
