//! Values for parameters, taken from what the API itself answered.

use std::sync::Arc;

use model::sensitive::{FieldKind, secret_by_name};
use serde_json::Value;

use super::Resource;

/// Objects kept from one answer, and in all.
///
/// **Source**: chosen; a handful of ids per kind is enough to find one that works.
const PER_ANSWER: usize = 20;
/// See [`PER_ANSWER`].
const IN_ALL: usize = 2_000;

/// Where objects of a sign-in's response count as seen.
pub(crate) const SIGN_IN: &str = "<sign-in>";

/// Last segments of paths that stand for the caller.
///
/// **Source**: GitHub and Spotify (`me`, `user`), OpenID Connect (`userinfo`), and names common in public
/// descriptions.
const OWN: [&str; 12] = [
    "me",
    "self",
    "whoami",
    "myself",
    "profile",
    "account",
    "userinfo",
    "currentuser",
    "current",
    "user",
    "session",
    "signin",
];

/// Kinds of objects that a caller is one of.
///
/// **Source**: names common in public descriptions.
const CALLERS: [&str; 10] =
    ["user", "account", "profile", "member", "customer", "person", "employee", "patient", "player", "subscriber"];

/// True for the name of a password, a key, a token: other people's are not put into requests.
fn is_credential(name: &str) -> bool {
    secret_by_name(name).is_some_and(FieldKind::is_credential)
}

/// Objects that answers held.
#[derive(Debug, Default)]
pub(crate) struct Harvest(Vec<Resource>);

impl Harvest {
    /// Takes the objects of a JSON answer to an operation.
    pub(crate) fn take(&mut self, template: &str, body: &Value, identity: Option<&Arc<str>>) {
        let mut left = PER_ANSWER;
        self.walk(template, "", body, identity, &mut left, 0);
    }

    fn walk(
        &mut self,
        template: &str,
        under: &str,
        value: &Value,
        identity: Option<&Arc<str>>,
        left: &mut usize,
        depth: usize,
    ) {
        if *left == 0 || depth > 6 || self.0.len() >= IN_ALL {
            return;
        }
        match value {
            Value::Object(fields) => {
                let members: Vec<(String, Value)> = fields
                    .iter()
                    .filter(|(name, v)| {
                        if is_credential(name) {
                            return false;
                        }
                        // A mask stands for a credential.
                        let is_text = |s: &str| !s.is_empty() && s.len() <= 200 && !s.contains("{{");
                        matches!(v, Value::String(s) if is_text(s)) || v.is_number()
                    })
                    .map(|(name, v)| (name.clone(), v.clone()))
                    .collect();
                if !members.is_empty() {
                    *left -= 1;
                    let resource = Resource {
                        seen_in: template.into(),
                        under: under.into(),
                        members,
                        identity: identity.cloned(),
                    };
                    if !self.0.contains(&resource) {
                        self.0.push(resource);
                    }
                }
                for (name, field) in fields {
                    self.walk(template, name, field, identity, left, depth + 1);
                }
            }
            Value::Array(_) if is_credential(under) => {}
            Value::Array(items) => {
                for item in items {
                    // A list of ids stands for objects of its name.
                    if matches!(item, Value::String(s) if !s.is_empty() && s.len() <= 100) || item.is_number() {
                        if *left == 0 || self.0.len() >= IN_ALL {
                            return;
                        }
                        *left -= 1;
                        let members = vec![("id".to_owned(), item.clone())];
                        self.0.push(Resource {
                            seen_in: template.into(),
                            under: under.into(),
                            members,
                            identity: identity.cloned(),
                        });
                    } else {
                        self.walk(template, under, item, identity, left, depth + 1);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Values that a parameter of a path may take, likeliest first, no duplicates. `before` is the
    /// path template up to the parameter (`/orders` for `/orders/{id}`).
    pub(crate) fn values(&self, parameter: &str, before: &str, identity: Option<&str>) -> Vec<Value> {
        let wanted = plain(parameter);
        let kind = plain(&singular(before.rsplit('/').find(|s| !s.is_empty() && !s.contains('{')).unwrap_or_default()));
        let mut ranked: Vec<(u32, usize, &Value)> = Vec::new();
        for (order, resource) in self.0.iter().enumerate() {
            let same_collection = resource.seen_in.trim_end_matches('/') == before.trim_end_matches('/');
            // What stands for the caller at `/me` is what `/users/{id}` gives the caller.
            let is_own = OWN.contains(&plain(last_fixed(&resource.seen_in)).as_str())
                && (resource.under.is_empty() || CALLERS.contains(&plain(&singular(&resource.under)).as_str()));
            let same_kind = !kind.is_empty()
                && (plain(&singular(&resource.under)) == kind
                    || plain(&singular(last_fixed(&resource.seen_in))) == kind);
            for (name, value) in &resource.members {
                let name = plain(name);
                let exact = name == wanted;
                let identifies =
                    ["id", "uuid", "guid", "slug", "key", "code", "name", "title"].iter().position(|n| *n == name);
                let of_kind = !kind.is_empty()
                    && name.strip_prefix(kind.as_str()).is_some_and(|rest| {
                        ["id", "uuid", "name", "title", "key", "code", "number", "slug"].contains(&rest)
                    });
                let ends = wanted.len() > name.len() && wanted.ends_with(&name) && name.len() >= 2;
                let is_callers_id = is_own && CALLERS.contains(&kind.as_str());
                let rank = match () {
                    () if is_callers_id && (exact || of_kind || identifies == Some(0)) => 0,
                    () if is_own && exact && wanted.len() > 2 => 0,
                    () if same_collection && exact => 1,
                    () if same_collection && (of_kind || ends) => 2,
                    () if same_collection && identifies.is_some() => 3 + identifies.unwrap_or_default() as u32,
                    () if same_kind && (exact || of_kind) => 11,
                    () if same_kind && identifies.is_some() => 13 + identifies.unwrap_or_default() as u32,
                    () if exact && wanted.len() > 2 => 21,
                    () => continue,
                };
                let others = u32::from(resource.identity.as_deref() != identity) * 100;
                ranked.push((rank + others, order, value));
            }
        }
        ranked.sort_by_key(|(rank, order, _)| (*rank, *order));
        let mut values: Vec<Value> = Vec::new();
        for (.., value) in ranked {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        values
    }

    pub(crate) fn into_resources(self) -> Vec<Resource> {
        self.0
    }
}

fn last_fixed(template: &str) -> &str {
    template.rsplit('/').find(|s| !s.is_empty() && !s.contains('{')).unwrap_or_default()
}

/// A name without case and separators, so that `book_title`, `bookTitle` and `BookTitle` are one.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `orders` → `order`, `categories` → `category`; what is no English plural stays.
fn singular(name: &str) -> String {
    if let Some(stem) = name.strip_suffix("ies") {
        return format!("{stem}y");
    }
    if name.ends_with("ses") || name.ends_with("xes") {
        return name[..name.len() - 2].to_owned();
    }
    name.strip_suffix('s').filter(|stem| !stem.ends_with('s') && stem.len() > 2).unwrap_or(name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_found_by_collection_kind_and_name() {
        let mut harvest = Harvest::default();
        harvest.take("/books/v1", &json!({"Books": [{"book_title": "dune", "user": "bob"}]}), None);
        harvest.take("/users", &json!([{"id": 7, "username": "bob"}]), None);
        harvest.take("/me", &json!({"orders": ["o-1", "o-2"]}), None);
        assert_eq!(harvest.values("book_title", "/books/v1", None), [json!("dune")]);
        assert_eq!(harvest.values("id", "/users", None)[0], json!(7));
        assert_eq!(harvest.values("userId", "/users", None)[0], json!(7));
        assert_eq!(harvest.values("username", "/accounts", None), [json!("bob")]);
        assert_eq!(harvest.values("orderId", "/v2/orders", None)[0], json!("o-1"));
        assert!(harvest.values("id", "/invoices", None).is_empty());
    }

    #[test]
    fn the_callers_own_id_comes_first() {
        let mut harvest = Harvest::default();
        harvest.take("/users", &json!([{"id": 1}, {"id": 2}]), None);
        harvest.take("/users/me", &json!({"id": 7, "email": "a@b.example", "team": {"id": 99}}), None);
        harvest.take(SIGN_IN, &json!({"token": "{{ann.bearer}}", "memberNo": "M-5", "user": {"id": 7}}), None);
        assert_eq!(harvest.values("id", "/users", None)[0], json!(7));
        assert_eq!(harvest.values("userId", "/v1/users", None)[0], json!(7));
        assert_eq!(harvest.values("account_id", "/accounts", None)[0], json!(7));
        assert_eq!(harvest.values("member_no", "/points", None), [json!("M-5")]);
        assert!(harvest.values("id", "/orders", None).is_empty(), "not of another kind");
        assert!(harvest.values("token", "/tokens", None).is_empty(), "no credential");
    }

    #[test]
    fn own_objects_come_before_those_that_others_saw() {
        let (alice, bob): (Arc<str>, Arc<str>) = ("alice".into(), "bob".into());
        let mut harvest = Harvest::default();
        harvest.take("/orders", &json!([{"id": 1}]), Some(&bob));
        harvest.take("/orders", &json!([{"id": 2}]), Some(&alice));
        assert_eq!(harvest.values("id", "/orders", Some("alice")), [json!(2), json!(1)]);
    }
}
