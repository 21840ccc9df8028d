//! What operations leave unsaid, as one note.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use inventory::{Inventory, Operation, ParameterLocation, Schema, Security};
use model::{Flaw, Location, Meta, Owasp, Verdict};

use super::unsecured::{is_open_by_nature, is_secured, writes};
use super::{META, MOST_PLACES, NOTE, Place, Places, plan};

/// Parts of the names of parameters that page through a list.
///
/// **Source**: parameters of GitHub, Stripe, Google (AIP-158), OData 4.01 (`$top`, `$skip`), Relay
/// cursors and JSON:API (`page[size]`).
const PAGING: [&str; 14] = [
    "page",
    "limit",
    "offset",
    "cursor",
    "size",
    "after",
    "before",
    "skip",
    "top",
    "count",
    "marker",
    "first",
    "since",
    "maxresults",
];

/// Parts of the names of headers by which a server recognizes a repeated request.
///
/// **Source**: draft-ietf-httpapi-idempotency-key-header; AWS `ClientToken`; `X-Request-Id` of Google AIP-155.
const REPEATING: [&str; 3] = ["idempoten", "clienttoken", "requestid"];

/// Members named in one message.
///
/// **Source**: chosen.
const NAMED: usize = 3;

/// Do operations leave unsaid what limits them?
pub struct UnderspecifiedOperations;

impl Check for UnderspecifiedOperations {
    const META: Meta = Meta {
        id: "underspecified-operations",
        title: "Operations are described without limits, answers or protection against repetition",
        owasp: &[Owasp::Api9, Owasp::Api4],
        cwe: &[1059, 770],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Places;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        plan(survey)
    }

    async fn observe(_: &subject::Target, survey: &Survey, _: &Session) -> Result<Places, Unobserved> {
        Ok(Places { places: underspecified(&survey.inventory) })
    }

    fn judge(seen: &Places) -> Verdict {
        let flaw = |place: &Place| {
            Flaw::new(&NOTE, "left-unsaid", format!("it states {}", place.what))
                .at(Location::Description(place.pointer.clone()))
        };
        Verdict::of_flaws(seen.places.iter().map(flaw).collect())
    }
}

fn underspecified(inventory: &Inventory) -> Vec<Place> {
    let secured = inventory.operations.iter().any(|operation| is_secured(operation));
    let places = inventory.operations.iter().filter_map(|operation| {
        let unsaid = unsaid(inventory, operation, secured);
        (!unsaid.is_empty()).then(|| Place { pointer: operation.pointer.clone(), what: unsaid.join(", ") })
    });
    places.take(MOST_PLACES).collect()
}

/// What an operation leaves unsaid, each as words after "it states".
fn unsaid(inventory: &Inventory, operation: &Operation, others_are_secured: bool) -> Vec<String> {
    let mut unsaid = Vec::new();
    if others_are_secured && operation.security == Security::Undeclared && !writes(operation) {
        unsaid.push("no security although others do".to_owned());
    }
    if operation.responses.is_empty() {
        unsaid.push("no responses".into());
    }
    let unbounded = unbounded(inventory, operation);
    if !unbounded.is_empty() {
        unsaid.push(format!("no greatest size of {}", unbounded.join(", ")));
    }
    if lists_all(inventory, operation) {
        unsaid.push("no pagination".into());
    }
    if operation.method == "POST"
        && !is_open_by_nature(operation)
        && !names_any(operation, ParameterLocation::Header, &REPEATING)
    {
        unsaid.push("no safeguard against repetition".into());
    }
    unsaid
}

/// Members of the request body that may be of any size, a few of them.
fn unbounded(inventory: &Inventory, operation: &Operation) -> Vec<String> {
    let media = operation.body.iter().flat_map(|body| &body.media);
    let Some(at) = media.filter(|m| m.media_type.contains("json")).find_map(|m| m.schema.as_ref()) else {
        return Vec::new();
    };
    let members = inventory.schema(at).properties();
    let unbounded = members.into_iter().filter(|(_, member)| is_unbounded(member));
    unbounded.map(|(name, _)| format!("`{name}`")).take(NAMED).collect()
}

fn is_unbounded(schema: &Schema<'_>) -> bool {
    let types = schema.types();
    let text = types.contains(&"string")
        && schema.max_length().is_none()
        && schema.format().is_none()
        && schema.pattern().is_none()
        && schema.enum_values().is_empty()
        && schema.const_value().is_none();
    text || (types.contains(&"array") && schema.max_items().is_none())
}

/// True if a list comes back and nothing in the request says how much of it.
fn lists_all(inventory: &Inventory, operation: &Operation) -> bool {
    if operation.method != "GET" || names_any(operation, ParameterLocation::Query, &PAGING) {
        return false;
    }
    let success = operation.responses.iter().find(|response| response.status.starts_with('2'));
    let media = success.iter().flat_map(|response| &response.media);
    let Some(at) = media.filter_map(|media| media.schema.as_ref()).next() else { return false };
    let schema = inventory.schema(at);
    schema.types().contains(&"array") && schema.max_items().is_none()
}

/// True if a parameter's name has one of these parts.
fn names_any(operation: &Operation, location: ParameterLocation, parts: &[&str]) -> bool {
    operation.parameters.iter().filter(|parameter| parameter.location == location).any(|parameter| {
        let name = parameter.name.to_ascii_lowercase().replace(['-', '_'], "");
        parts.iter().any(|part| name.contains(part))
    })
}
