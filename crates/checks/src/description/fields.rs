//! Passwords and secrets among the declared members of answers.

use std::collections::HashSet;

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use inventory::{Inventory, Schema, SchemaRef};
use model::{Category, Flaw, Location, Meta, Owasp, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{META, MOST_PLACES, NOTE, plan};

const PASSWORD: Variant = Variant {
    name: "password",
    when: "an answer is declared to hold a password or its hash",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:L/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Names of members that hold a password or its hash, in lower case without separators.
///
/// **Source**: user tables of Django, Laravel, Devise, Spring Security and Keycloak.
const PASSWORD_NAMES: [&str; 11] = [
    "password",
    "passwd",
    "userpassword",
    "passwordhash",
    "passwordsalt",
    "passwordencrypted",
    "hashedpassword",
    "encryptedpassword",
    "passworddigest",
    "pwhash",
    "passhash",
];

/// Names of members that hold another secret, written in the same way.
///
/// **Source**: RFC 6749 (`client_secret`), RFC 7517 (private members), PCI DSS 4.0.1 (card
/// verification codes), TOTP setups after RFC 6238.
const SECRET_NAMES: [&str; 12] = [
    "clientsecret",
    "apisecret",
    "secretkey",
    "secretaccesskey",
    "privatekey",
    "signingsecret",
    "webhooksecret",
    "totpsecret",
    "mfasecret",
    "otpsecret",
    "cvv",
    "cvc",
];

/// Levels of an answer's schema that are looked at.
///
/// **Source**: chosen; what nests deeper is rarely the object that the operation is about.
const MOST_LEVELS: usize = 6;

/// Does the description declare answers that hold passwords or secrets?
pub struct SensitiveFieldDeclared;

/// Declared members whose names say that they hold a password or another secret.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// In the description's order.
    fields: Vec<Field>,
}

#[derive(Serialize, Deserialize)]
struct Field {
    /// JSON pointer to the member's schema.
    pointer: String,
    /// The member's name.
    name: String,
    /// True for a password or its hash.
    password: bool,
}

impl Check for SensitiveFieldDeclared {
    const META: Meta = Meta {
        id: "sensitive-field-declared",
        title: "The description declares answers that hold passwords or secrets",
        category: Category::PropertyAuthorization,
        owasp: &[Owasp::Api3],
        cwe: &[213, 200],
        variants: &[PASSWORD, NOTE],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        plan(survey)
    }

    async fn observe(_: &subject::Target, survey: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        Ok(Observation { fields: sensitive_members(&survey.inventory) })
    }

    fn judge(seen: &Observation) -> Verdict {
        let flaw = |field: &Field| {
            let variant = if field.password { &PASSWORD } else { &NOTE };
            let cause = if field.password { "password-declared" } else { "secret-declared" };
            let message = format!("an answer is declared to hold `{}`", field.name);
            let flaw = Flaw::new(variant, cause, message).with_confidence(model::Confidence::Likely);
            flaw.at(Location::Description(field.pointer.clone()))
        };
        Verdict::of_flaws(seen.fields.iter().map(flaw).collect())
    }
}

/// Members of successful answers to reading requests; each schema is visited once. Whoever creates
/// a secret must be shown it, so answers to writes are left out.
fn sensitive_members(inventory: &Inventory) -> Vec<Field> {
    let mut walk = Walk { inventory, visited: HashSet::new(), fields: Vec::new() };
    let reading = inventory.operations.iter().filter(|operation| operation.method == "GET");
    for response in reading.flat_map(|operation| &operation.responses).filter(|r| r.status.starts_with('2')) {
        for at in response.media.iter().filter_map(|media| media.schema.as_ref()) {
            walk.visit(&inventory.schema(at), 0);
        }
    }
    walk.fields
}

struct Walk<'a> {
    inventory: &'a Inventory,
    visited: HashSet<SchemaRef>,
    fields: Vec<Field>,
}

impl Walk<'_> {
    fn visit(&mut self, schema: &Schema<'_>, level: usize) {
        if level > MOST_LEVELS || self.fields.len() >= MOST_PLACES || !self.visited.insert(schema.at()) {
            return;
        }
        for (name, member) in schema.properties() {
            match password_or_secret(name) {
                Some(password) if holds_text(&member) => {
                    let at = member.at();
                    let uri = self.inventory.description.uri_of(&at);
                    let elsewhere = uri != self.inventory.description.root_uri();
                    let document = if elsewhere { format!("{uri}#") } else { String::new() };
                    let field = Field { pointer: format!("{document}{}", at.pointer()), name: name.into(), password };
                    if self.visited.insert(at) {
                        self.fields.push(field);
                    }
                }
                Some(_) | None => self.visit(&member, level + 1),
            }
        }
        for inner in schema.items().into_iter().chain(schema.variants()) {
            self.visit(&inner, level + 1);
        }
    }
}

/// Whether a name is one of a password (`true`) or of another secret (`false`).
fn password_or_secret(name: &str) -> Option<bool> {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if PASSWORD_NAMES.contains(&plain.as_str()) {
        return Some(true);
    }
    SECRET_NAMES.contains(&plain.as_str()).then_some(false)
}

/// True for text that may be anything; a link to where a password is changed is none.
fn holds_text(schema: &Schema<'_>) -> bool {
    let masked = schema.example().and_then(|e| e.as_str()).is_some_and(|e| e.contains("***"));
    schema.types().contains(&"string")
        && !schema.write_only()
        && !masked
        && schema.enum_values().is_empty()
        && schema.const_value().is_none()
        && !matches!(schema.format(), Some("uri" | "url" | "date-time" | "date" | "uri-reference"))
}
