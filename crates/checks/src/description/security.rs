//! What the description says of credentials.

use std::collections::BTreeSet;

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use inventory::{Format, Inventory, ParameterLocation, Security, SecurityScheme};
use model::{Category, Flaw, Location, Meta, Owasp, Verdict};

use super::{META, MOST_PLACES, NOTE, Place, Places, below, plan};
use crate::key_in_query::asked_names;

/// Does an operation name a security scheme that the description does not define?
pub struct UndefinedSecurityScheme;

/// Does the description put a key into the query, where no request can find that out?
pub struct KeyInQueryDeclared;

impl Check for UndefinedSecurityScheme {
    const META: Meta = Meta {
        id: "undefined-security-scheme",
        title: "An operation names a security scheme that the description does not define",
        ..META
    };
    type Subject = subject::Target;
    type Observation = Places;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        plan(survey)
    }

    async fn observe(_: &subject::Target, survey: &Survey, _: &Session) -> Result<Places, Unobserved> {
        Ok(Places { places: undefined_schemes(&survey.inventory) })
    }

    fn judge(seen: &Places) -> Verdict {
        let flaw = |place: &Place| {
            let message = format!("the scheme `{}` is not defined", place.what);
            Flaw::new(&NOTE, "undefined-scheme", message).at(Location::Description(place.pointer.clone()))
        };
        Verdict::of_flaws(seen.places.iter().map(flaw).collect())
    }
}

impl Check for KeyInQueryDeclared {
    const META: Meta = Meta {
        id: "key-in-query-declared",
        title: "The description puts an API key into the query",
        category: Category::ApiKeys,
        owasp: &[Owasp::Api2, Owasp::Api8],
        cwe: &[598],
        reference: &["KEY-001"],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Places;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        let requests = plan(survey)?;
        let names: Vec<&str> = query_schemes(&survey.inventory).map(|(_, name)| name).collect();
        let asked = asked_names(survey);
        if !names.is_empty() && names.iter().all(|name| asked.contains(*name)) {
            return Err(NotApplicable::new("requests find it out: key-in-query"));
        }
        Ok(requests)
    }

    async fn observe(_: &subject::Target, survey: &Survey, _: &Session) -> Result<Places, Unobserved> {
        let schemes = match survey.inventory.format {
            Format::OpenApi20 => "/securityDefinitions",
            Format::OpenApi30 | Format::OpenApi31 | Format::OpenApi32 | Format::None => "/components/securitySchemes",
        };
        let asked = asked_names(survey);
        let unasked = query_schemes(&survey.inventory).filter(|(_, name)| !asked.contains(*name));
        let place = |(scheme, name): (&str, &str)| Place { pointer: below(schemes, scheme), what: name.to_owned() };
        Ok(Places { places: unasked.map(place).take(MOST_PLACES).collect() })
    }

    fn judge(seen: &Places) -> Verdict {
        let flaw = |place: &Place| {
            let message = format!("the key goes into the query parameter `{}`", place.what);
            Flaw::new(&NOTE, "declared-in-query", message).at(Location::Description(place.pointer.clone()))
        };
        Verdict::of_flaws(seen.places.iter().map(flaw).collect())
    }
}

fn undefined_schemes(inventory: &Inventory) -> Vec<Place> {
    let mut places = Vec::new();
    for operation in &inventory.operations {
        let Security::Required { alternatives, .. } = &operation.security else { continue };
        let named: BTreeSet<&str> = alternatives.iter().flatten().map(|r| r.scheme.as_str()).collect();
        for scheme in named.into_iter().filter(|name| !inventory.security_schemes.contains_key(*name)) {
            if places.len() >= MOST_PLACES {
                return places;
            }
            places.push(Place { pointer: operation.pointer.clone(), what: scheme.to_owned() });
        }
    }
    places
}

/// Schemes whose key goes into the query, with the parameter's name.
fn query_schemes(inventory: &Inventory) -> impl Iterator<Item = (&str, &str)> {
    inventory.security_schemes.iter().filter_map(|(scheme, kind)| match kind {
        SecurityScheme::ApiKey { location: ParameterLocation::Query, name } => Some((scheme.as_str(), name.as_str())),
        SecurityScheme::ApiKey { .. }
        | SecurityScheme::Http { .. }
        | SecurityScheme::OAuth2 { .. }
        | SecurityScheme::OpenIdConnect { .. }
        | SecurityScheme::MutualTls
        | SecurityScheme::Unknown => None,
    })
}
