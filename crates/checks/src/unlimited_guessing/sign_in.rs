//! Which operation signs in, what a try looks like, and how a failed one is answered.

use engine::controls::{Standing, standing};
use engine::{Session, Survey};
use inventory::{Direction, Inventory, Media, Operation, sample};
use model::{Request, Response};
use rand::RngExt;
use serde_json::Value;

/// Words of the last segment of a sign-in's path.
const SIGN_IN: [&str; 11] = [
    "login",
    "logon",
    "signin",
    "token",
    "tokens",
    "auth",
    "authenticate",
    "authentication",
    "session",
    "sessions",
    "authorize",
];

/// Words of operations that do something else with a password, such as making a user.
const OTHER_PURPOSE: [&str; 15] = [
    "register",
    "registration",
    "signup",
    "create_user",
    "createuser",
    "reset",
    "forgot",
    "change",
    "refresh",
    "logout",
    "revoke",
    "invite",
    "verify",
    "confirm",
    "recover",
];

/// Members that hold the secret.
const PASSWORDS: [&str; 5] = ["password", "passwd", "pwd", "pass", "passphrase"];

/// Members that name the user. Numbers that could be somebody's (telephone, account) are none: a random one
/// may exist.
const USERS: [&str; 9] =
    ["username", "user", "userid", "login", "loginname", "email", "mail", "emailaddress", "identifier"];

/// True if an operation takes a user and a password, and nothing in its name says that it does more than
/// sign in.
pub(crate) fn is_sign_in(operation: &Operation, inventory: &Inventory) -> bool {
    if operation.method != "POST" || operation.path.contains('{') {
        return false;
    }
    let last = operation.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if !words(last).iter().any(|word| SIGN_IN.contains(&word.as_str())) {
        return false;
    }
    let name =
        format!("{} {}", operation.path, operation.operation_id.as_deref().unwrap_or_default()).to_ascii_lowercase();
    let squeezed = name.replace(['-', '_'], "");
    if OTHER_PURPOSE.iter().any(|word| name.contains(word) || squeezed.contains(word)) {
        return false;
    }
    form(operation, inventory).is_some()
}

/// The words of a segment in lower case, and all of them as one.
fn words(segment: &str) -> Vec<String> {
    let mut words: Vec<String> =
        segment.to_ascii_lowercase().split(|c: char| !c.is_alphanumeric()).map(Into::into).collect();
    words.push(words.concat());
    words
}

/// The form of a sign-in's body: media type, a sample, and the members for user and password.
struct Form {
    is_json: bool,
    sample: Value,
    users: Vec<String>,
    passwords: Vec<String>,
}

fn form(operation: &Operation, inventory: &Inventory) -> Option<Form> {
    let media = |wanted: &str| operation.body.as_ref()?.media.iter().find(|media| media.media_type.contains(wanted));
    let read = |media: &Media, is_json| {
        let schema = inventory.schema(media.schema.as_ref()?);
        let mut sample = sample(schema, Direction::Request);
        for (name, _) in inventory.schema(media.schema.as_ref()?).properties() {
            let known = is_one_of(name, &PASSWORDS) || is_one_of(name, &USERS);
            if let (true, Some(members)) = (known, sample.as_object_mut()) {
                members.entry(name).or_insert(Value::Null);
            }
        }
        let members = sample.as_object()?;
        let of = |names: &[&str]| members.keys().filter(|name| is_one_of(name, names)).cloned().collect::<Vec<_>>();
        let (users, passwords) = (of(&USERS), of(&PASSWORDS));
        // A second password, or an old and a new one, is no sign-in.
        (!users.is_empty() && passwords.len() == 1).then_some(Form { is_json, sample, users, passwords })
    };
    media("json")
        .and_then(|media| read(media, true))
        .or_else(|| media("x-www-form-urlencoded").and_then(|media| read(media, false)))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    let squeezed: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    names.contains(&squeezed.as_str())
}

/// A try to sign in as a random user.
pub(crate) struct Guess {
    pub(crate) request: Request,
    /// The random password in it.
    pub(crate) password: String,
}

/// Tries to sign in as one random user that cannot exist, each with another random password.
pub(crate) fn guesses(operation: &Operation, survey: &Survey, session: &Session, count: u32) -> Option<Vec<Guess>> {
    let form = form(operation, &survey.inventory)?;
    let mut random = session.random();
    let user = format!("mb{:016x}", random.random::<u64>());
    let guesses = (0..count).map(|_| {
        let mut body = form.sample.clone();
        for name in &form.users {
            let wants_mail =
                name.to_ascii_lowercase().contains("mail") || body[name].as_str().is_some_and(|v| v.contains('@'));
            // RFC 6761, section 6.4: no name ends in `.invalid`.
            body[name] = if wants_mail { format!("{user}@middlebrick.invalid") } else { user.clone() }.into();
        }
        let password = format!("Mb-{:016x}-x", random.random::<u64>());
        for name in &form.passwords {
            body[name] = password.clone().into();
        }
        if body.get("grant_type").is_some() {
            body["grant_type"] = "password".into();
        }
        let request = Request::new("POST", &survey.path(&operation.path));
        let request = if form.is_json { request.with_json(&body) } else { with_form(request, &body) };
        Guess { request, password }
    });
    Some(guesses.collect())
}

fn with_form(request: Request, body: &Value) -> Request {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let pairs = body.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    // A query is written in the same way as a form.
    let written = pairs.fold(Request::get("/"), |written, (name, value)| written.with_query(name, &text(value)));
    let mut request = request.with_header("Content-Type", "application/x-www-form-urlencoded");
    request.body = written.query().unwrap_or_default().to_owned().into();
    request
}

/// True if an answer says that user or password is wrong, and not that the request is.
pub(crate) fn is_failed(answer: &Response) -> bool {
    match standing(answer) {
        Standing::Refused => true,
        Standing::Invalid | Standing::Missing => speaks_of_wrong_credentials(&answer.body.text().to_ascii_lowercase()),
        Standing::Works | Standing::Limited | Standing::Failed | Standing::Redirected | Standing::Unclear => false,
    }
}

/// **Source**: RFC 6749, section 5.2 (`invalid_grant`); texts of passport-local, Django, Devise and Spring
/// Security, as their documents state them.
fn speaks_of_wrong_credentials(text: &str) -> bool {
    if text.contains("invalid_grant") {
        return true;
    }
    let about = ["credential", "password", "username", "user ", "login", "email", "account"];
    let wrong = [
        "incorrect",
        "invalid",
        "wrong",
        "bad ",
        "not correct",
        "not exist",
        "not found",
        "unknown",
        "failed",
        "no such",
        "mismatch",
    ];
    let unread = ["required", "missing", "must ", "should ", "at least", "schema", "malformed", "format", "field "];
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    has(&about) && has(&wrong) && !has(&unread)
}

#[cfg(test)]
mod tests {
    use inventory::{NoLoader, parse};
    use serde_json::json;

    use super::*;

    fn found(path: &str, operation_id: &str, members: &[&str]) -> bool {
        let properties: serde_json::Map<String, Value> =
            members.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect();
        let description = json!({
            "openapi": "3.0.3", "info": { "title": "t", "version": "1" },
            "paths": { path: { "post": {
                "operationId": operation_id,
                "requestBody": { "content": { "application/json": { "schema": { "type": "object", "properties": properties } } } },
                "responses": {}
            } } }
        });
        let bytes = serde_json::to_vec(&description).unwrap();
        let (inventory, _) = parse("memory:///openapi.json", &bytes, &mut NoLoader).unwrap();
        is_sign_in(&inventory.operations[0], &inventory)
    }

    #[test]
    fn a_sign_in_takes_a_user_and_a_password_and_does_nothing_else() {
        assert!(found("/users/v1/login", "login_user", &["username", "password"]));
        assert!(found("/auth/sign-in", "signIn", &["email", "password"]));
        assert!(found("/oauth/token", "token", &["grant_type", "username", "password"]));
        assert!(!found("/auth/register", "register", &["username", "password"]));
        assert!(!found("/auth", "registerUser", &["username", "password"]));
        assert!(!found("/users", "createUser", &["username", "password"]));
        assert!(!found("/users/{id}/token", "makeToken", &["username", "password"]));
        assert!(!found("/auth/token", "refreshToken", &["username", "password"]));
        assert!(!found("/auth", "auth", &["username", "password", "passphrase"]));
        assert!(!found("/oauth/token", "token", &["client_id", "client_secret"]));
        assert!(!found("/login", "login", &["phone", "password"]));
    }

    #[test]
    fn a_failed_try_is_told_from_one_that_was_not_read() {
        assert!(speaks_of_wrong_credentials(r#"{"message":"username does not exist"}"#));
        assert!(speaks_of_wrong_credentials(r#"{"error":"invalid_grant"}"#));
        assert!(speaks_of_wrong_credentials(r#"{"error":"wrong email or password"}"#));
        assert!(!speaks_of_wrong_credentials(r#"{"error":"invalid body: password is required"}"#));
        assert!(!speaks_of_wrong_credentials(r#"{"ok":false}"#));
    }
}
