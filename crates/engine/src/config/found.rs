//! What counts of a configuration that nobody named: it was found in the folder.
//!
//! A folder may come from anybody. What was typed wins: such a file neither moves a typed target's
//! credentials to another origin, nor gives its own to one that it was not written for, nor widens what
//! is sent.

use std::collections::BTreeMap;

use model::{Origin, Request};
use url::Url;

use super::Config;
use crate::effect::{self, Effect};

/// What a person typed of where a scan goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Typed<'a> {
    /// The target.
    pub target: Option<&'a str>,
    /// Where requests go.
    pub base_url: Option<&'a str>,
    /// True if a credential was typed.
    pub has_credentials: bool,
}

impl Config {
    /// The part of a found file that counts, and what is to be said of the rest. `file` is its name.
    #[must_use]
    pub fn found(mut self, file: &str, typed: Typed<'_>) -> (Self, Vec<String>) {
        let mut notices = self.drop_deletes(file);
        let Some(target) = typed.target else { return (self, notices) };
        let own = self.target.clone();
        let typed_origin = typed.base_url.and_then(origin).or_else(|| origin(target));
        let is_for_it =
            own.as_deref().is_none_or(|own| own == target || (origin(own).is_some() && origin(own) == typed_origin));
        if self.headers.keys().any(|name| name.eq_ignore_ascii_case("host")) {
            notices.push(format!("the header `Host` of {file} is ignored: it leads to another host (--config {file})"));
            self.headers.retain(|name, _| !name.eq_ignore_ascii_case("host"));
        }
        if !is_for_it {
            notices.push(format!(
                "{file} was written for another target: only its gate counts (--config {file} takes all of it)"
            ));
            return (Self { gate: self.gate, ..Self::default() }, notices);
        }
        let may_lead = |place: &str| match &typed_origin {
            Some(typed_origin) => origin(place).as_ref() == Some(typed_origin),
            // A description file was typed: the file may say where its own identities go.
            None => !typed.has_credentials || origin(place).is_some_and(|origin| origin.is_loopback()),
        };
        if let Some(base_url) = self.base_url.take_if(|base_url| !may_lead(base_url)) {
            notices.push(format!("`base_url` of {file} is ignored: {} was not typed (--base-url)", shown(&base_url)));
        }
        if let Some(spec) =
            self.spec.take_if(|spec| Url::parse(spec).is_ok_and(|url| url.has_host()) && !may_lead(spec))
        {
            notices.push(format!("`spec` of {file} is ignored: {} was not typed (--spec)", shown(&spec)));
        }
        (self, notices)
    }

    /// A found file sends nothing that deletes or destroys: by its method, an override of it, or its name.
    fn drop_deletes(&mut self, file: &str) -> Vec<String> {
        let mut notices = Vec::new();
        self.repeatable.retain(|operation| {
            let is_sent = !destroys(operation, &BTreeMap::new());
            if !is_sent {
                notices.push(format!(
                    "an operation under `repeatable` of {file} is ignored: it deletes (--config {file})"
                ));
            }
            is_sent
        });
        self.identities.retain(|name, identity| {
            let is_sent = identity.login.as_ref().is_none_or(|login| !destroys(&login.request, &login.headers));
            if !is_sent {
                notices.push(format!("identity `{name}` of {file} is ignored: its sign-in deletes (--config {file})"));
            }
            is_sent
        });
        notices
    }

    /// What the file holds, in a few words: `2 identities, 1 suppression, a gate`.
    pub fn contents(&self) -> String {
        let count = |count: usize, one: &str, more: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {more}")),
        };
        let has_gate = self.gate != model::Gate::default();
        let parts: Vec<String> = [
            count(self.identities.len(), "identity", "identities"),
            count(self.headers.len(), "header", "headers"),
            count(self.values.len(), "operation with values", "operations with values"),
            count(self.public.len(), "public operation", "public operations"),
            count(self.shared.len(), "shared operation", "shared operations"),
            count(self.repeatable.len(), "repeatable operation", "repeatable operations"),
            count(self.suppress.len(), "suppression", "suppressions"),
            has_gate.then(|| "a gate".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect();
        if parts.is_empty() { "nothing that counts".into() } else { parts.join(", ") }
    }
}

/// True if a request such as `GET /logout` deletes or destroys.
fn destroys(request: &str, headers: &BTreeMap<String, String>) -> bool {
    let (method, target) = request.trim().split_once(' ').unwrap_or((request.trim(), "/"));
    let request = Request::new(&method.to_ascii_uppercase(), target.trim());
    let request = headers.iter().fold(request, |request, (name, value)| request.with_header(name, value));
    // A POST is judged by what a GET of its name would be: `POST /users/delete-all`.
    let by_name = effect::effect(&request.clone().with_method("GET"));
    effect::effect(&request).max(by_name) >= Effect::Deletes
}

/// The origin that a text leads to; none for a file.
fn origin(place: &str) -> Option<Origin> {
    Origin::of(&Url::parse(place).ok()?)
}

/// Where a text leads, without what could be a secret in it.
fn shown(place: &str) -> String {
    origin(place).map_or_else(|| "its address".into(), |origin| origin.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    const OWN: &str = "http://127.0.0.1:5000/openapi.json";

    fn counts(text: &str, typed: Typed<'_>) -> (Config, usize) {
        let (config, notices) = parse(text).unwrap().found("middlebrick.yaml", typed);
        (config, notices.len())
    }

    #[test]
    fn a_found_file_moves_no_credential_to_another_origin() {
        let typed = Typed { target: Some(OWN), base_url: None, has_credentials: true };
        for moved in [
            "http://127.0.0.1:5001",
            "http://127.0.0.1",
            "https://127.0.0.1:5000",
            "http://evil.example",
            "file:///x",
            "x",
        ] {
            let (config, notices) = counts(&format!("base_url: {moved}\n"), typed);
            assert_eq!((config.base_url, notices), (None, 1), "{moved}");
        }
        let (config, _) = counts("base_url: http://127.0.0.1:5000/v2\nspec: http://127.0.0.1:5000/v2.json\n", typed);
        assert!(config.base_url.is_some() && config.spec.is_some());
        let (config, notices) = counts("spec: http://evil.example/openapi.json\n", typed);
        assert_eq!((config.spec, notices), (None, 1));
        assert!(counts("spec: openapi.yaml\n", typed).0.spec.is_some());
        // A typed base URL is where requests go, whatever the target.
        let elsewhere =
            Typed { target: Some("openapi.json"), base_url: Some("http://127.0.0.1:7"), has_credentials: true };
        assert_eq!(counts("base_url: http://127.0.0.1:8\n", elsewhere).0.base_url, None);
        // A typed description says nothing of where to go: a typed credential must not follow the file.
        let file = Typed { target: Some("openapi.json"), base_url: None, has_credentials: true };
        assert_eq!(counts("base_url: http://evil.example\n", file).0.base_url, None);
        let alone = Typed { has_credentials: false, ..file };
        assert!(counts("base_url: https://api.example.com\n", alone).0.base_url.is_some());
    }

    #[test]
    fn a_found_file_gives_its_identities_to_the_target_that_it_was_written_for() {
        let text = |target: &str| {
            format!(
                "target: {target}\nidentities: {{ ann: {{ bearer: '${{TOKEN}}' }} }}\nheaders: {{ X-A: b }}\nsuppress: [ {{ check: x, reason: known }} ]\ngate: {{ min_score: 90 }}\n"
            )
        };
        for other in [
            "http://127.0.0.1:5001/openapi.json",
            "https://127.0.0.1:5000/",
            "http://localhost:5000/",
            "openapi.json",
            "''",
        ] {
            let (config, notices) = counts(&text(other), Typed { target: Some(OWN), ..Typed::default() });
            assert!(config.identities.is_empty() && config.headers.is_empty() && config.suppress.is_empty(), "{other}");
            assert_eq!((config.gate.min_score, notices), (Some(90), 1), "{other}");
        }
        for own in [OWN, "http://127.0.0.1:5000/docs"] {
            let (config, notices) = counts(&text(own), Typed { target: Some(OWN), ..Typed::default() });
            assert_eq!((config.identities.len(), notices), (1, 0), "{own}");
        }
        assert_eq!(counts(&text(OWN), Typed::default()).0.identities.len(), 1, "nothing typed");
    }

    #[test]
    fn a_found_file_sends_nothing_that_deletes() {
        let text = "repeatable: [ 'delete /a', 'GET /createdb', 'POST /users/delete-all', 'GET /x?_method=DELETE', 'POST /b' ]\nidentities:\n  a: { login: { request: 'DELETE /s', bearer: $.t } }\n  b: { login: { request: 'POST /s', headers: { X-HTTP-Method-Override: DELETE }, bearer: $.t } }\n  c: { login: { request: 'GET /shutdown', bearer: $.t } }\n  d: { login: { request: 'POST /login', bearer: $.t } }\n  e: { bearer: x }\n";
        let (config, notices) = counts(text, Typed::default());
        assert_eq!(config.repeatable, ["POST /b"]);
        assert_eq!(config.identities.keys().collect::<Vec<_>>(), ["d", "e"]);
        assert_eq!((notices, config.contents().as_str()), (7, "2 identities, 1 repeatable operation"));
    }
}
