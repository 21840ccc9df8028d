//! Who got an answer, and whether its operation exists to give out credentials.

use engine::Survey;
use model::Exchange;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who got an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// Somebody of no special role.
    Ordinary,
    /// Somebody whose role is to see what belongs to others.
    Administrator,
}

/// Words of roles that see what belongs to others.
const HIGHER_ROLES: [&str; 9] =
    ["admin", "administrator", "superuser", "root", "staff", "support", "operator", "manager", "owner"];

/// Who got an answer, by the role that the user states, or by the identity's name.
pub(crate) fn caller(exchange: &Exchange, survey: &Survey) -> Caller {
    let Some(name) = &exchange.identity else { return Caller::Anonymous };
    let role = survey.identity(name).and_then(|identity| identity.role.clone()).unwrap_or_else(|| name.clone());
    let role = role.to_ascii_lowercase();
    let is_higher = role.split(|c: char| !c.is_alphanumeric()).any(|word| HIGHER_ROLES.contains(&word));
    if is_higher { Caller::Administrator } else { Caller::Ordinary }
}

/// Words of operations that give out credentials, whatever their method.
const SIGN_IN: [&str; 17] = [
    "login",
    "signin",
    "signup",
    "register",
    "registration",
    "token",
    "oauth",
    "oauth2",
    "authenticate",
    "authorize",
    "refresh",
    "rotate",
    "regenerate",
    "callback",
    "session",
    "csrf",
    "otp",
];

/// Words of what a writing operation makes where its answer may show a credential once.
const CREDENTIALS: [&str; 11] = [
    "auth",
    "key",
    "keys",
    "apikey",
    "apikeys",
    "tokens",
    "sessions",
    "credentials",
    "secrets",
    "webhooks",
    "invitations",
];

/// True for sign-in, registration, and for making or renewing a key or token: their answers show a
/// credential to its owner, by design.
pub(crate) fn issues_credentials(operation: &inventory::Operation) -> bool {
    let last =
        operation.path.rsplit('/').find(|segment| !segment.is_empty() && !segment.starts_with('{')).unwrap_or_default();
    let says = |text: &str, list: &[&str]| words(text).iter().any(|word| list.contains(&word.as_str()));
    if operation.method == "GET" {
        return says(last, &SIGN_IN);
    }
    let named = [operation.path.as_str(), operation.operation_id.as_deref().unwrap_or_default()];
    let tags = operation.tags.iter().map(String::as_str);
    named.into_iter().chain(tags).any(|text| says(text, &SIGN_IN) || says(text, &CREDENTIALS))
}

/// Words in lower case, split at separators and capitals; with a text's separators taken out, too.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_small = false;
    for c in text.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && after_small) {
            words.push(String::new());
        }
        if let (true, Some(word)) = (c.is_alphanumeric(), words.last_mut()) {
            word.extend(c.to_lowercase());
        }
        after_small = c.is_lowercase();
    }
    for segment in text.split('/') {
        words.push(segment.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect());
    }
    words
}

/// True if the request brought a value itself.
pub(crate) fn was_sent(exchange: &Exchange, value: &str) -> bool {
    let request = &exchange.request;
    request.target.contains(value)
        || request.body.text().contains(value)
        || request.headers.iter().any(|(_, header)| header.contains(value))
}

/// A JSON pointer with `*` in place of array indexes.
pub(crate) fn general(pointer: &str) -> String {
    let general = |step: &str| {
        if !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit()) { "*".to_owned() } else { step.to_owned() }
    };
    pointer.split('/').map(general).collect::<Vec<_>>().join("/")
}

/// Names under which a person is told apart where there is no e-mail address.
const PERSON: [&str; 7] = ["username", "user", "login", "owner", "user_id", "userid", "account_id"];

/// How many persons a document tells apart.
pub(crate) fn persons(body: &Value) -> usize {
    let addresses = crate::secret_in_answer::personal::addresses(body).len();
    let mut names = std::collections::BTreeSet::new();
    collect(body, &mut names);
    addresses.max(names.len())
}

fn collect(value: &Value, names: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(_) | Value::Number(_) if PERSON.contains(&name.to_ascii_lowercase().as_str()) => {
                        names.insert(member.to_string());
                    }
                    other => collect(other, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: &str, path: &str) -> bool {
        let inventory = inventory::Inventory::single(method, path);
        issues_credentials(&inventory.operations[0])
    }

    #[test]
    fn operations_that_give_out_credentials_are_known_by_their_names() {
        for (method, path) in [
            ("POST", "/users/v1/login"),
            ("POST", "/api-keys"),
            ("POST", "/keys/{id}/rotate"),
            ("POST", "/v1/signUp"),
            ("GET", "/oauth/token"),
            ("POST", "/auth/refresh"),
        ] {
            assert!(operation(method, path), "{method} {path}");
        }
        for (method, path) in
            [("GET", "/users/v1/_debug"), ("GET", "/tokens"), ("GET", "/api-keys/{id}"), ("POST", "/orders")]
        {
            assert!(!operation(method, path), "{method} {path}");
        }
    }

    #[test]
    fn indexes_become_stars() {
        assert_eq!(general("/users/0/password"), "/users/*/password");
        assert_eq!(general(""), "");
    }
}
