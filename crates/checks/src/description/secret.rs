//! Keys, passwords and connection strings that stand in the description itself.

use engine::{Check, NotApplicable, Requests, Session, Survey, Unobserved, subject};
use inventory::{Inventory, ParameterLocation, SecurityScheme};
use model::sensitive::{Certainty, Detection, Kind, detect, entropy_bits_per_char, is_placeholder, mask};
use model::{Category, Confidence, Flaw, Location, Meta, Owasp, Variant, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{META, MOST_PLACES, below, plan};

const LIVE: Variant = Variant {
    name: "live-format",
    when: "the value has the form of a working key or password",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const RANDOM: Variant = Variant {
    name: "random-value",
    when: "only its randomness and its name speak for a key",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Shortest default of a key parameter that is taken for a key.
///
/// **Source**: NIST SP 800-132, section 5.1 asks for 128 bits: 16 random bytes.
const SHORTEST_KEY: usize = 16;

/// Least entropy of such a value, in bits per character.
///
/// **Source**: chosen; 16 hexadecimal digits of a random key have about 3.2, words and dates less.
const LEAST_ENTROPY: f64 = 3.0;

/// Names of parameters that carry keys, in lower case without separators.
///
/// **Source**: the names that KEY-020 of docs/rows.md lists.
const KEY_NAMES: [&str; 7] = ["apikey", "xapikey", "accesstoken", "authtoken", "apitoken", "xauthtoken", "secretkey"];

/// Does the description hold a key or a password?
pub struct SecretInDescription;

/// Values that look like working secrets, masked.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// In the description's order.
    secrets: Vec<Found>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Found {
    /// JSON pointer to the value.
    pointer: String,
    /// What it is, in words.
    name: String,
    /// The value as it may be shown.
    masked: String,
    /// True where its form leaves no doubt.
    live_format: bool,
}

impl Check for SecretInDescription {
    const META: Meta = Meta {
        id: "secret-in-description",
        title: "The description holds a key or a password",
        category: Category::DataExposure,
        owasp: &[Owasp::Api8, Owasp::Api9],
        cwe: &[540, 615],
        variants: &[LIVE, RANDOM],
        reference: &["KEY-011"],
        ..META
    };
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        plan(survey)
    }

    async fn observe(_: &subject::Target, survey: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        Ok(Observation { secrets: secrets(&survey.inventory) })
    }

    fn judge(seen: &Observation) -> Verdict {
        let flaw = |found: &Found| {
            let (variant, cause) =
                if found.live_format { (&LIVE, "secret-of-a-known-form") } else { (&RANDOM, "random-key-value") };
            let flaw = Flaw::new(variant, cause, format!("{} stands there: {}", found.name, found.masked));
            // Whether it still works is not tried.
            flaw.with_confidence(Confidence::Likely).at(Location::Description(found.pointer.clone()))
        };
        Verdict::of_flaws(seen.secrets.iter().map(flaw).collect())
    }
}

/// Everything that looks like a working secret, each place once.
fn secrets(inventory: &Inventory) -> Vec<Found> {
    let mut once: Vec<Found> = Vec::new();
    for secret in userinfo(inventory).into_iter().chain(recognized(inventory)).chain(key_defaults(inventory)) {
        if once.len() < MOST_PLACES && !once.iter().any(|other| other.pointer == secret.pointer) {
            once.push(secret);
        }
    }
    once
}

/// Servers with a password in their URL.
fn userinfo(inventory: &Inventory) -> Vec<Found> {
    let own = inventory.operations.iter().flat_map(|operation| &operation.servers);
    let found = inventory.servers.iter().chain(own).filter_map(|server| {
        let authority = server.url.split_once("://")?.1.split(['/', '?', '#']).next()?;
        let (_, password) = authority.rsplit_once('@')?.0.split_once(':')?;
        let real = !is_placeholder(password);
        real.then(|| Found {
            pointer: server.pointer.clone(),
            name: "a server's password".into(),
            masked: mask(password),
            live_format: true,
        })
    });
    found.collect()
}

/// Values that a rule recognizes by their own form, anywhere in the documents.
fn recognized(inventory: &Inventory) -> Vec<Found> {
    let description = &inventory.description;
    let mut found = Vec::new();
    for (uri, document) in description.documents() {
        let Ok(text) = serde_json::to_vec(document) else { continue };
        let mut detections = detect(&text);
        detections.retain(|detection| !detection.publishable && is_working_secret(detection));
        detections.truncate(MOST_PLACES);
        let offsets: Vec<usize> = detections.iter().map(|detection| detection.start).collect();
        let prefix = if uri == description.root_uri() { String::new() } else { format!("{uri}#") };
        for (detection, pointer) in detections.into_iter().zip(pointers_at(document, &offsets)) {
            // An API that issues key pairs shows one in its examples; it opens nothing.
            if detection.kind == Kind::PrivateKey && pointer.contains("/example") {
                continue;
            }
            found.push(Found {
                pointer: format!("{prefix}{pointer}"),
                name: detection.name,
                masked: detection.masked,
                live_format: detection.certainty == Certainty::Proven,
            });
        }
    }
    found
}

/// What opens something by itself. Tokens and signed links in examples have expired, hashes and numbers
/// of persons are no keys.
fn is_working_secret(detection: &Detection) -> bool {
    match detection.kind {
        Kind::ProviderKey | Kind::PrivateKey | Kind::ConnectionString | Kind::ApplicationSecret => true,
        Kind::SecretUrl => detection.certainty == Certainty::Proven,
        Kind::Jwt | Kind::PasswordHash | Kind::PaymentCard | Kind::Iban | Kind::NationalId => false,
    }
}

/// Random defaults and examples of parameters that carry the key.
fn key_defaults(inventory: &Inventory) -> Vec<Found> {
    let schemes = inventory.security_schemes.values().filter_map(|scheme| match scheme {
        SecurityScheme::ApiKey { name, .. } => Some(plain(name)),
        SecurityScheme::Http { .. }
        | SecurityScheme::OAuth2 { .. }
        | SecurityScheme::OpenIdConnect { .. }
        | SecurityScheme::MutualTls
        | SecurityScheme::Unknown => None,
    });
    let names: Vec<String> = schemes.chain(KEY_NAMES.map(String::from)).collect();
    let mut found = Vec::new();
    for parameter in inventory.operations.iter().flat_map(|operation| &operation.parameters) {
        let carries = matches!(parameter.location, ParameterLocation::Header | ParameterLocation::Query);
        if !carries || !names.contains(&plain(&parameter.name)) {
            continue;
        }
        let schema = parameter.schema.as_ref().map(|at| inventory.schema(at));
        let stated = schema.iter().flat_map(|schema| [schema.default_value(), schema.example()]).flatten();
        let values = parameter.examples.iter().chain(stated).filter_map(Value::as_str);
        for value in values.filter(|value| is_random_key(value)).take(1) {
            found.push(Found {
                pointer: parameter.pointer.clone(),
                name: format!("a random value of `{}`", parameter.name),
                masked: mask(value),
                live_format: false,
            });
        }
    }
    found
}

fn is_random_key(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    value.len() >= SHORTEST_KEY
        && digits >= 2
        && !value.contains(char::is_whitespace)
        && !is_placeholder(value)
        && entropy_bits_per_char(value) >= LEAST_ENTROPY
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// For each byte offset into the compact JSON of a document, in ascending order, the JSON pointer of
/// the value or member that stands there.
fn pointers_at(document: &Value, offsets: &[usize]) -> Vec<String> {
    let mut seek = Seek { offsets, at: 0, pointers: Vec::new() };
    if !offsets.is_empty() {
        seek.visit(document, "");
    }
    seek.pointers
}

struct Seek<'a> {
    offsets: &'a [usize],
    at: usize,
    pointers: Vec<String>,
}

impl Seek<'_> {
    fn visit(&mut self, value: &Value, pointer: &str) {
        match value {
            Value::Object(members) => {
                self.pass(1, pointer);
                for (index, (name, member)) in members.iter().enumerate() {
                    let inner = below(pointer, name);
                    self.pass(usize::from(index > 0) + length(name) + 1, &inner);
                    self.visit(member, &inner);
                }
                self.pass(1, pointer);
            }
            Value::Array(items) => {
                self.pass(1, pointer);
                for (index, item) in items.iter().enumerate() {
                    let inner = below(pointer, &index.to_string());
                    self.pass(usize::from(index > 0), &inner);
                    self.visit(item, &inner);
                }
                self.pass(1, pointer);
            }
            Value::String(text) => self.pass(length(text), pointer),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.pass(value.to_string().len(), pointer),
        }
    }

    /// Moves on by some bytes that belong to a place.
    fn pass(&mut self, bytes: usize, pointer: &str) {
        self.at += bytes;
        while self.offsets.get(self.pointers.len()).is_some_and(|offset| *offset < self.at) {
            self.pointers.push(pointer.to_owned());
        }
    }
}

/// Bytes of a string in compact JSON, quotes included.
fn length(text: &str) -> usize {
    serde_json::to_string(text).map_or(0, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_offset_leads_to_the_value_that_stands_there() {
        let document = json!({ "a": [1, "x\"y", {}], "b/c": { "d": [], "e": "needle" }, "f": null });
        let text = document.to_string();
        let offsets = [text.find("x\\").unwrap(), text.find("needle").unwrap(), text.find("null").unwrap()];
        assert_eq!(pointers_at(&document, &offsets), ["/a/1", "/b~1c/e", "/f"]);
    }

    #[test]
    fn a_private_key_counts_outside_of_examples_only() {
        let key = format!(
            "-----BEGIN PRIVATE KEY-----\\n{}\\n-----END PRIVATE KEY-----",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".repeat(8)
        );
        let text = r#"{"openapi":"3.0.3","info":{"title":"t","version":"1","x-signing-key":"KEY"},
            "components":{"examples":{"a":{"value":{"pem":"KEY"}}}},"paths":{}}"#;
        let text = text.replace("KEY", &key);
        let (inventory, _) = inventory::parse("memory:///a.json", text.as_bytes(), &mut inventory::NoLoader).unwrap();
        let pointers: Vec<_> = secrets(&inventory).into_iter().map(|found| found.pointer).collect();
        assert_eq!(pointers, ["/info/x-signing-key"]);
    }

    #[test]
    fn words_and_placeholders_are_no_keys() {
        for value in
            ["your-api-key-goes-here-12", "1234567890123456", "special-key", "00000000-0000-0000-0000-000000000000"]
        {
            assert!(!is_random_key(value), "{value}");
        }
        assert!(is_random_key("7f3e91d0c4b2a86655e1"));
    }
}
