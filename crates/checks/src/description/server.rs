//! Servers that are reached by plain http.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use inventory::Inventory;
use model::{Category, Flaw, Location, Meta, Origin, Owasp, Variant, Verdict};

use super::{META, MOST_PLACES, Place, Places, plan};

const PLAIN: Variant = Variant {
    name: "plain-http",
    when: "callers are sent to an address without TLS",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:P/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

/// Does the description send callers to a server without TLS?
pub struct PlainHttpServer;

impl Check for PlainHttpServer {
    const META: Meta = Meta {
        id: "plain-http-server",
        title: "The description sends callers to a server without TLS",
        category: Category::Encryption,
        owasp: &[Owasp::Api8],
        cwe: &[319],
        variants: &[PLAIN],
        reference: &["KEY-002"],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Places;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        plan(survey)
    }

    async fn observe(_: &subject::Target, survey: &Survey, _: &Session) -> Result<Places, Unobserved> {
        Ok(Places { places: plain_servers(&survey.inventory) })
    }

    fn judge(seen: &Places) -> Verdict {
        let flaw = |place: &Place| {
            let message = format!("a server is {}", place.what);
            Flaw::new(&PLAIN, "plain-http", message).at(Location::Description(place.pointer.clone()))
        };
        Verdict::of_flaws(seen.places.iter().map(flaw).collect())
    }
}

/// Servers by http that are neither this machine nor a name reserved for documents, each place once.
fn plain_servers(inventory: &Inventory) -> Vec<Place> {
    let own = inventory.operations.iter().flat_map(|operation| &operation.servers);
    let mut places: Vec<Place> = Vec::new();
    for server in inventory.servers.iter().chain(own) {
        let Ok(origin) = server.url.parse::<Origin>() else { continue };
        if origin.secure || origin.is_loopback() || is_reserved(&origin.host) || places.len() >= MOST_PLACES {
            continue;
        }
        if !places.iter().any(|place| place.pointer == server.pointer && place.what == origin.to_string()) {
            places.push(Place { pointer: server.pointer.clone(), what: origin.to_string() });
        }
    }
    places
}

/// **Source**: RFC 2606, sections 2 and 3.
fn is_reserved(host: &str) -> bool {
    let reserved = ["test", "example", "invalid", "example.com", "example.net", "example.org"];
    reserved.iter().any(|name| host == *name || host.ends_with(&format!(".{name}")))
}
