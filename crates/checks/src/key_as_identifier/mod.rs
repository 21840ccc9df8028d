#![doc = include_str!("README.md")]

use engine::{AnyCheck, Check, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use inventory::{Inventory, Operation, Parameter, ParameterLocation, Security};
use model::{Category, Confidence, Flaw, Location, Meta, Mode, Need, Owasp, Variant, Verdict};
use serde::{Deserialize, Serialize};

#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<KeyAsIdentifier>()];

/// Places that are written down: as many as a finding lists.
///
/// **Source**: `model::finding::MAX_OCCURRENCES`.
const MOST_PLACES: usize = model::finding::MAX_OCCURRENCES;

/// Names of path parameters that hold a secret, lower-case, without separators.
///
/// **Source**: KEY-035 of docs/rows.md: a bare `key` is the key of a store or of a ticket.
const NAMES: [&str; 9] =
    ["apikey", "xapikey", "userapikey", "apitoken", "accesstoken", "authtoken", "accesskey", "secretkey", "apisecret"];

/// Words of a text that speaks of a secret, and of one that speaks of its public name.
///
/// **Source**: chosen.
const SECRET_WORDS: [&str; 6] = ["api key", "api-key", "apikey", "access token", "api token", "secret"];
const NAME_WORDS: [&str; 8] = ["identifier", " id ", "id of", "uuid of", "name of", "hash of", "digest", "prefix of"];

const ONLY_WAY: Variant = Variant {
    name: "only-way",
    when: "the key in the path is the only credential of the operation",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const BESIDE: Variant = Variant {
    name: "beside-another",
    when: "the operation wants another credential too",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Is an API key part of a path?
pub struct KeyAsIdentifier;

/// Path parameters that hold a key, as the description says.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// In the description's order.
    parameters: Vec<Named>,
}

#[derive(Serialize, Deserialize)]
struct Named {
    /// JSON pointer into the description.
    pointer: String,
    /// Name of the parameter.
    name: String,
    /// True if the operation wants another credential too.
    protected: bool,
}

impl Check for KeyAsIdentifier {
    const META: Meta = Meta {
        id: "key-as-identifier",
        title: "An API key is part of a path",
        category: Category::ApiKeys,
        owasp: &[Owasp::Api2, Owasp::Api8],
        cwe: &[598, 522],
        variants: &[ONLY_WAY, BESIDE],
        mode: Mode::Description,
        needs: &[Need::Description],
        remedy: Some(&crate::remedies::API_KEY_LOOKUP),
        reference: &["KEY-035"],
        since: "0.1.0",
        disturbs: false,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        if !survey.inventory.is_described() {
            return Err(NotApplicable::new("there is no description"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(_: &subject::Target, survey: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        let inventory = &survey.inventory;
        let all = inventory.operations.iter().flat_map(|o| o.parameters.iter().map(move |p| (o, p)));
        let keys = all.filter(|(operation, parameter)| is_key(inventory, operation, parameter));
        let named = |(operation, parameter): (_, &Parameter)| Named {
            pointer: parameter.pointer.clone(),
            name: parameter.name.clone(),
            protected: is_protected(operation),
        };
        Ok(Observation { parameters: keys.map(|(o, p)| named((o.as_ref(), p))).take(MOST_PLACES).collect() })
    }

    fn judge(seen: &Observation) -> Verdict {
        let flaw = |named: &Named| {
            let name = &named.name;
            let (variant, message) = match named.protected {
                true => (&BESIDE, format!("the path holds a key in `{name}`, beside another credential")),
                false => (&ONLY_WAY, format!("the path holds a key in `{name}`, and no other credential is declared")),
            };
            Flaw::new(variant, "key-in-path", message)
                .with_confidence(Confidence::Likely)
                .at(Location::Description(named.pointer.clone()))
        };
        Verdict::of_flaws(seen.parameters.iter().map(flaw).collect())
    }
}

/// True for a path parameter whose name and whose text both say that it is a key.
fn is_key(inventory: &Inventory, operation: &Operation, parameter: &Parameter) -> bool {
    let name: String = parameter.name.chars().filter(char::is_ascii_alphanumeric).collect();
    if parameter.location != ParameterLocation::Path || !NAMES.contains(&name.to_ascii_lowercase().as_str()) {
        return false;
    }
    let stated = stated(inventory, &parameter.pointer).unwrap_or_default().to_ascii_lowercase();
    let summary = operation.summary.as_deref().unwrap_or_default().to_ascii_lowercase();
    let speaks_of = |words: &[&str], text: &str| words.iter().any(|word| text.contains(word));
    !speaks_of(&NAME_WORDS, &format!(" {stated} "))
        && (speaks_of(&SECRET_WORDS, &stated) || speaks_of(&SECRET_WORDS, &summary))
}

/// The `description` of what stands at a pointer, preceded by `<uri>#` in another document than the first.
fn stated<'a>(inventory: &'a Inventory, pointer: &str) -> Option<&'a str> {
    let description = &inventory.description;
    let (uri, pointer) = pointer.split_once('#').unwrap_or((description.root_uri(), pointer));
    let (_, document) = description.documents().find(|(other, _)| *other == uri)?;
    document.pointer(pointer)?.get("description")?.as_str()
}

fn is_protected(operation: &Operation) -> bool {
    match &operation.security {
        Security::Required { optional, .. } => !optional,
        Security::Undeclared | Security::Public => false,
    }
}
