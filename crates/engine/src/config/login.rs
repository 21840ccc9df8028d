//! The sign-in request of an identity: what is sent, what of it is secret, what is taken out of the response.

use model::identity::{Extract, ExtractFrom, Login};
use model::redact::parts;
use model::{Place, Request, Secret};

use super::lookup::expand_json;
use super::{ConfigError, LoginConfig, Lookup, expand};

/// Headers of a sign-in request that describe it.
///
/// **Source**: RFC 9110, sections 8 and 12; common clients.
const OPEN_HEADERS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-type",
    "content-length",
    "host",
    "origin",
    "user-agent",
    "x-requested-with",
];

/// Last words of the names of fields that say who signs in, or how.
///
/// **Source**: chosen; RFC 6749 (`grant_type`, `client_id`, `scope`), RFC 8707 (`resource`), and the fields of
/// common sign-in forms.
const OPEN_FIELDS: [&str; 32] = [
    "user",
    "username",
    "userid",
    "uid",
    "email",
    "mail",
    "emailaddress",
    "login",
    "loginname",
    "name",
    "account",
    "accountname",
    "accountid",
    "phone",
    "granttype",
    "scope",
    "tenant",
    "tenantid",
    "clientid",
    "audience",
    "resource",
    "realm",
    "domain",
    "organization",
    "company",
    "type",
    "connection",
    "provider",
    "remember",
    "rememberme",
    "locale",
    "lang",
];

impl LoginConfig {
    pub(super) fn resolve(&self, at: &str, lookup: &dyn Lookup) -> Result<Login, ConfigError> {
        let form = || ConfigError::Form {
            place: format!("{at}.request"),
            wanted: "a method and a path, such as `POST /login`",
        };
        let (method, target) =
            self.request.split_once(' ').filter(|(_, t)| t.trim().starts_with('/')).ok_or_else(form)?;
        let mut request = Request::new(&method.to_ascii_uppercase(), target.trim());
        let mut secrets = Vec::new();
        if let Some(json) = &self.json {
            let mut json = json.clone();
            expand_json(&mut json, (&format!("{at}.json"), ""), lookup, &mut secrets)?;
            request = request.with_json(&json);
        } else if !self.form.is_empty() {
            let mut pairs = Vec::new();
            for (name, value) in &self.form {
                let value = expand(value, &format!("{at}.form.{name}"), lookup)?;
                note_secret(name, &value, &mut secrets);
                pairs.push((name.clone(), value));
            }
            request.body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish().into();
            request.headers.set("Content-Type", "application/x-www-form-urlencoded");
        }
        for (name, value) in &self.headers {
            let value = expand(value, &format!("{at}.headers.{name}"), lookup)?;
            if !OPEN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                let place = Place::Header { name: name.clone(), prefix: String::new() };
                secrets.extend(parts(&place, &value).into_iter().map(Secret::new));
                secrets.push(Secret::new(value.as_str()));
            }
            request.headers.push(name, value);
        }
        for (name, value) in url::form_urlencoded::parse(request.query().unwrap_or_default().as_bytes()) {
            note_secret(&name, &value, &mut secrets);
        }
        let mut extract = Vec::new();
        if let Some(path) = &self.bearer {
            extract.push(Extract { from: ExtractFrom::Json(path.clone()), place: Place::bearer() });
        }
        for (header, path) in &self.header {
            let place = Place::Header { name: header.clone(), prefix: String::new() };
            extract.push(Extract { from: ExtractFrom::Json(path.clone()), place });
        }
        for cookie in &self.cookie {
            extract.push(Extract {
                from: ExtractFrom::Cookie(cookie.clone()),
                place: Place::Cookie { name: cookie.clone() },
            });
        }
        if extract.is_empty() {
            return Err(ConfigError::Form {
                place: at.into(),
                wanted: "complete: say where the credential stands, such as `bearer: $.token`",
            });
        }
        Ok(Login { request, secrets, extract })
    }
}

/// What a sign-in body calls a name is no secret, everything else is.
pub(super) fn note_secret(name: &str, value: &str, secrets: &mut Vec<Secret>) {
    let plain: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // `login_secret` and `user_code` are what their end says.
    let names_someone =
        ["email", "mail", "username", "loginname", "userid", "clientid"].iter().any(|end| plain.ends_with(end));
    if !OPEN_FIELDS.contains(&plain.as_str()) && !names_someone {
        secrets.push(Secret::new(value));
    }
}
