//! Security schemes and requirements, of 2.0 and of 3.x.

use std::collections::BTreeMap;

use crate::description::Node;
use crate::operation::{ParameterLocation, Requirement, Security, SecurityScheme};
use crate::reader::{Reader, kind};

/// The declared schemes by name.
pub(crate) fn schemes<'a>(reader: &mut Reader<'a>, root: &Node<'a>) -> BTreeMap<String, SecurityScheme> {
    let declared = if reader.is_swagger() {
        reader.object(root, "securityDefinitions")
    } else {
        reader.object(root, "components").and_then(|components| reader.object(&components, "securitySchemes"))
    };
    let mut schemes = BTreeMap::new();
    for (name, node) in declared.iter().flat_map(Node::members) {
        let scheme = match reader.resolved(node) {
            Some(node) => scheme(reader, &node),
            None => SecurityScheme::Unknown,
        };
        schemes.insert(name.to_owned(), scheme);
    }
    schemes
}

/// **Source**: OpenAPI 3.2 and 2.0, Security Scheme Object.
fn scheme<'a>(reader: &mut Reader<'a>, node: &Node<'a>) -> SecurityScheme {
    let kind = reader.text(node, "type").unwrap_or_default();
    match kind.as_str() {
        "basic" => SecurityScheme::Http { scheme: "basic".to_owned(), bearer_format: None },
        "apiKey" => api_key(reader, node),
        "http" => match reader.text(node, "scheme") {
            Some(scheme) => SecurityScheme::Http {
                scheme: scheme.trim().to_ascii_lowercase(),
                bearer_format: reader.text(node, "bearerFormat"),
            },
            None => unknown(reader, node, "an HTTP security scheme has no `scheme`"),
        },
        "oauth2" => oauth2(reader, node),
        "openIdConnect" => {
            SecurityScheme::OpenIdConnect { url: reader.text(node, "openIdConnectUrl").unwrap_or_default() }
        }
        "mutualTLS" => SecurityScheme::MutualTls,
        other => unknown(reader, node, &format!("the type `{other}` of a security scheme is not known")),
    }
}

fn api_key<'a>(reader: &mut Reader<'a>, node: &Node<'a>) -> SecurityScheme {
    let location = match reader.text(node, "in").as_deref() {
        Some("header") => ParameterLocation::Header,
        Some("query") => ParameterLocation::Query,
        Some("cookie") => ParameterLocation::Cookie,
        _ => return unknown(reader, node, "an API key is neither in `header` nor in `query` nor in `cookie`"),
    };
    match reader.text(node, "name") {
        Some(name) => SecurityScheme::ApiKey { location, name },
        None => unknown(reader, node, "an API key has no `name`"),
    }
}

fn oauth2<'a>(reader: &mut Reader<'a>, node: &Node<'a>) -> SecurityScheme {
    let mut declared: Vec<(String, Node<'a>)> = Vec::new();
    if let Some(flow) = reader.is_swagger().then(|| reader.text(node, "flow")).flatten() {
        declared.push((flow, node.clone()));
    }
    if let Some(all) = reader.object(node, "flows") {
        declared.extend(all.members().map(|(name, flow)| (name.to_owned(), flow)));
    }
    let (mut token_urls, mut authorization_urls) = (Vec::new(), Vec::new());
    let (mut flows, mut scopes) = (Vec::new(), Vec::new());
    for (name, flow) in declared {
        token_urls.extend(reader.text(&flow, "tokenUrl"));
        authorization_urls.extend(reader.text(&flow, "authorizationUrl"));
        let named = reader.object(&flow, "scopes");
        for (scope, _) in named.iter().flat_map(Node::members) {
            if !scopes.iter().any(|other| other == scope) {
                scopes.push(scope.to_owned());
            }
        }
        flows.push(name);
    }
    token_urls.dedup();
    authorization_urls.dedup();
    SecurityScheme::OAuth2 { token_urls, authorization_urls, flows, scopes }
}

fn unknown<'a>(reader: &mut Reader<'a>, node: &Node<'a>, message: &str) -> SecurityScheme {
    reader.warn(node, message);
    SecurityScheme::Unknown
}

/// The requirements that an operation or the description states; `None` where it states none.
///
/// **Source**: OpenAPI 3.2, Security Requirement Object: the list is of alternatives, the members
/// of one hold together, `{}` makes security optional.
pub(crate) fn requirements<'a>(reader: &mut Reader<'a>, owner: &Node<'a>) -> Option<Security> {
    let list = reader.array(owner, "security")?;
    let mut alternatives = Vec::new();
    let mut optional = false;
    for node in list.elements() {
        let Some(members) = node.value.as_object() else {
            reader.warn(&node, format!("a security requirement is {}, not an object", kind(node.value)));
            continue;
        };
        if members.is_empty() {
            optional = true;
            continue;
        }
        let mut together = Vec::new();
        for scheme in members.keys() {
            if !reader.known_schemes.contains(scheme) && reader.unknown_schemes.insert(scheme.clone()) {
                reader.warn(&node, format!("the security scheme `{scheme}` is not declared"));
            }
            together.push(Requirement { scheme: scheme.clone(), scopes: reader.texts(&node, scheme) });
        }
        alternatives.push(together);
    }
    if !alternatives.is_empty() {
        return Some(Security::Required { alternatives, optional });
    }
    // A list of nothing but mistakes does not say that the operation is public.
    let is_public = optional || list.elements().next().is_none();
    is_public.then_some(Security::Public)
}
