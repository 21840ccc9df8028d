//! What of an exchange is masked before it is recorded: credentials of the scan by their names, secrets of
//! other people by theirs.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use model::redact::parts;
use model::sensitive::{entropy_bits_per_char, is_placeholder, kind_by_name};
use model::{Behind, Exchange, KnownSecret, Place, Redactor, Response, Scan};
use serde_json::Value;

use crate::identities::{Identities, Live};
use crate::mask::Masker;

/// Name of the mask of keys that must not work any more.
const REVOKED_KEY: &str = "revoked-key";

/// A shorter value in the place of a signature is no credential: nothing, `=`, its first characters.
///
/// **Source**: chosen; 64 bits in hex are 16 characters.
const SHORTEST_SIGNATURE: usize = 12;

/// Shortest value of a sign-in response that is a token by its form alone.
///
/// **Source**: chosen; 96 bits in base64.
const SHORTEST_TOKEN: usize = 16;

/// Shorter cookies are flags and languages.
///
/// **Source**: chosen; a session takes 64 bits at least, which are 11 characters of base64.
const SHORTEST_COOKIE: usize = 8;

/// Masks what a scan records.
#[derive(Debug)]
pub(super) struct Masking {
    redactor: RwLock<Redactor>,
    masker: Masker,
    behind: RwLock<BTreeMap<String, Behind>>,
}

impl Masking {
    /// Knows every credential of the identities, and what else of the user's own is secret.
    pub(super) fn new(seed: u64, identities: &Identities, known: &[KnownSecret]) -> Self {
        let masking = Self { redactor: RwLock::default(), masker: Masker::new(seed), behind: RwLock::default() };
        for live in identities.iter() {
            masking.add_credentials(live);
            if let Some(secret) = live.identity.signer.as_ref().and_then(|signer| signer.secret()) {
                masking.add(secret.expose(), &format!("{}.signing-secret", live.name));
            }
            let sample = live.identity.signer.as_ref().and_then(|signer| signer.sample());
            for (name, value) in sample.map(captured_credentials).unwrap_or_default() {
                masking.add(&value, &format!("{}.{name}", live.name));
            }
            if let Some(login) = &live.identity.login {
                for secret in &login.secrets {
                    masking.add(secret.expose(), &format!("{}.login", live.name));
                }
            }
            if let Some(revoked) = &live.identity.revoked_key {
                masking.add(revoked.value.expose(), REVOKED_KEY);
            }
        }
        for secret in known {
            masking.add(secret.value.expose(), &secret.label);
        }
        masking.name_variables(identities, known);
        masking
    }

    /// Notes which of the user's variables holds which credential.
    fn name_variables(&self, identities: &Identities, known: &[KnownSecret]) {
        let mut behind = self.behind.write().expect("no holder panics");
        for secret in known {
            let Some(variable) = &secret.variable else { continue };
            behind.insert(secret.label.clone(), Behind::Variable(variable.clone()));
            for live in identities.iter() {
                let own = live.generation().credentials;
                for credential in own.iter().filter(|credential| credential.value == secret.value) {
                    let label = format!("{}.{}", live.name, credential.place.label());
                    behind.entry(label).or_insert_with(|| Behind::Variable(variable.clone()));
                }
            }
        }
    }

    /// Masks a value that a check made up, and lets commands show it.
    pub(super) fn add_made_up(&self, value: &str, label: &str) {
        self.add(value, label);
        let mut behind = self.behind.write().expect("no holder panics");
        behind.entry(label.to_owned()).or_insert_with(|| Behind::Value(value.to_owned()));
    }

    /// Masks a value in everything that is recorded from here on.
    pub(super) fn add(&self, secret: &str, label: &str) {
        self.redactor.write().expect("no holder panics").add(secret, label);
    }

    /// Masks the credentials that an identity has now, each part of them too.
    pub(super) fn add_credentials(&self, live: &Live) {
        for credential in live.generation().credentials.iter() {
            let label = format!("{}.{}", live.name, credential.place.label());
            self.add(credential.value.expose(), &label);
            parts(&credential.place, credential.value.expose()).iter().for_each(|part| self.add(part, &label));
        }
        if let Some(token) = live.identity.signer.as_ref().and_then(|signer| signer.sent_secret()) {
            self.add(token.expose(), &format!("{}.token", live.name));
        }
    }

    /// Masks whatever a sign-in response gives, used or not.
    pub(super) fn add_issued(&self, live: &Live, response: &Response) {
        issued(response).iter().for_each(|token| self.add(token, &format!("{}.login", live.name)));
    }

    /// A text that did not come over HTTP, masked.
    pub(super) fn text(&self, text: &str) -> String {
        self.masker.text(&self.redactor.read().expect("no holder panics").text(text))
    }

    /// Facts and words of a check with credentials masked, but for short words.
    pub(super) fn value(&self, value: &mut Value) {
        self.redactor.read().expect("no holder panics").value(value);
    }

    /// True if the text holds a credential of the scan.
    pub(super) fn knows(&self, text: &str) -> bool {
        self.redactor.read().expect("no holder panics").knows(text)
    }

    /// The exchange masked: what may be recorded.
    pub(super) fn exchange(&self, exchange: Exchange) -> Exchange {
        self.masker.exchange(self.redactor.read().expect("no holder panics").exchange(exchange))
    }

    /// The record of a scan with credentials masked in its words and names too: in the path of a typed URL,
    /// in a reason, in a warning. Its exchanges are masked already, but for the names of their operations.
    pub(super) fn scan(&self, mut scan: Scan) -> Scan {
        let redactor = self.redactor.read().expect("no holder panics");
        let mut exchanges = std::mem::take(&mut scan.exchanges);
        for exchange in exchanges.values_mut() {
            let path = exchange.operation.as_ref().map(|operation| redactor.name(&operation.path).into_owned());
            if let (Some(path), Some(operation)) = (path, &exchange.operation)
                && path != operation.path
                && let Some(operation) = &mut Arc::make_mut(exchange).operation
            {
                operation.path = path;
            }
        }
        let masked = serde_json::to_value(&scan).ok().and_then(|mut value| {
            redactor.value(&mut value);
            serde_json::from_value::<Scan>(value).ok()
        });
        // A short secret may stand in a date or an id by chance.
        let (id, started_at) = (scan.id.clone(), scan.started_at.clone());
        let mut masks = self.behind.read().expect("no holder panics").clone();
        for label in redactor.labels() {
            masks.entry(label.to_owned()).or_insert(Behind::Credential);
        }
        Scan { id, started_at, exchanges, masks, ..masked.unwrap_or(scan) }
    }

    /// The exchange with the signatures of its request masked, in the response too: whoever reads a record
    /// could send the request again. Equal signatures get equal masks.
    pub(super) fn without_signatures(&self, exchange: Exchange, identity: &str, signatures: &[String]) -> Exchange {
        let mut own = Redactor::default();
        for signature in signatures.iter().filter(|signature| signature.len() >= SHORTEST_SIGNATURE) {
            let label = self.masker.label(&format!("{identity}.signature"), signature.as_bytes());
            own.add(signature, &label);
        }
        if signatures.is_empty() { exchange } else { own.exchange(exchange) }
    }
}

/// Name and value of each credential that a captured request carries: its key id too, which may be a key.
fn captured_credentials(sample: &model::Sample) -> Vec<(String, String)> {
    let captured = &sample.captured;
    let mut found = Vec::new();
    let headers = captured.headers.iter().filter(|(name, _)| signing::is_credential(name));
    for (name, value) in headers {
        let place = Place::Header { name: name.into(), prefix: String::new() };
        found.push((name.to_owned(), value.to_owned()));
        found.extend(parts(&place, value).into_iter().map(|part| (name.to_owned(), part)));
    }
    let query = url::form_urlencoded::parse(captured.query().unwrap_or_default().as_bytes());
    found.extend(query.filter(|(name, _)| signing::is_credential(name)).map(|(n, v)| (n.into_owned(), v.into_owned())));
    found
}

/// Tokens and cookies of a sign-in response.
fn issued(response: &Response) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in response.headers.iter() {
        if name.eq_ignore_ascii_case("set-cookie") {
            let pair = value.split(';').next().and_then(|pair| pair.split_once('='));
            found.extend(pair.map(|(_, v)| v.trim().to_owned()).filter(|v| v.len() >= SHORTEST_COOKIE));
        } else if signing::is_credential(name) {
            found.push(value.rsplit(' ').next().unwrap_or(value).to_owned());
        } else {
            tokens_in_text(value, &mut found);
        }
    }
    match response.json() {
        Some(body) => tokens_in_json("", &body, &mut found),
        None => tokens_in_text(&response.body.text(), &mut found),
    }
    found
}

fn tokens_in_json(name: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_token(name, text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| tokens_in_json(name, item, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| tokens_in_json(name, field, found)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Words of a text that are tokens: of XML, a form, a fragment, a bare token.
fn tokens_in_text(text: &str, found: &mut Vec<String>) {
    let parts = text.split(|c: char| c.is_whitespace() || "\"'<>&=;,#?{}()[]".contains(c));
    found.extend(parts.filter(|part| is_token("", part)).map(ToOwned::to_owned));
}

/// A value that is called a token, or is one random word.
fn is_token(name: &str, value: &str) -> bool {
    let is_word = !value.contains(char::is_whitespace) && !value.contains("://") && !value.contains('@');
    if !is_word || is_placeholder(value) {
        return false;
    }
    let named = kind_by_name(name).is_some_and(model::sensitive::FieldKind::is_secret);
    let has_digits = value.bytes().any(|b| b.is_ascii_digit());
    let is_id =
        uuid::Uuid::try_parse(value).is_ok() || value.bytes().all(|b| b.is_ascii_digit() || b"-:.TZ+".contains(&b));
    (named && value.len() >= SHORTEST_COOKIE)
        || (value.len() >= SHORTEST_TOKEN && has_digits && !is_id && entropy_bits_per_char(value) >= 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_of_a_sign_in_response_is_known_and_ids_are_not() {
        let (fresh, refresh) = ("At9x2Lq7Vb4Nd8Ms1Zk5Wc", "Rt3v8Kp6Yh1Jg9Df5Sa2Qe");
        let id = "0199f3c2-7a52-7f3e-9d11-2b6c1a7e8f90";
        let header = |name: &str, value: &str| [(name.to_owned(), value.to_owned())];
        for (headers, body) in [
            (header("X-A", "b"), format!(r#"{{"data":{{"access":"{fresh}"}},"refresh":"{refresh}","id":"{id}"}}"#)),
            (header("Set-Cookie", &format!("sid={fresh}; Path=/")), format!(r#"[{{"session":"{refresh}"}}]"#)),
            (header("X-Auth-Token", &format!("Bearer {fresh}")), format!("<r><t>{refresh}</t><id>{id}</id></r>")),
            (header("Location", &format!("/cb#access_token={fresh}&x=1")), refresh.to_owned()),
        ] {
            let headers = headers.into_iter().collect();
            let response =
                Response { status: 200, headers, body: body.clone().into(), body_bytes: 0, truncated: false };
            let found = issued(&response);
            assert!(found.contains(&fresh.to_owned()) && found.contains(&refresh.to_owned()), "{body}: {found:?}");
            assert!(!found.iter().any(|token| token.contains(id) || token.contains("Path")), "{found:?}");
        }
    }
}
