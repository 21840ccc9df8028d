//! The scan's own credentials, as far as they are searched in responses.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use engine::{KEPT_BODY_BYTES, Session, Survey, subject};
use model::{Place, Response};
use serde::{Deserialize, Serialize};

/// A credential of the scan.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Known {
    /// As recordings name it.
    pub(super) label: String,
    /// The identities that have it.
    pub(super) holders: BTreeSet<String>,
}

/// Length below which a credential stands in ordinary text by chance.
///
/// **Source**: chosen; words of eight letters are rare where they stand alone.
const SHORTEST_CREDENTIAL: usize = 8;

/// The scan's credentials, as recordings name them.
pub(super) fn credentials(exchange: &subject::Exchange, survey: &Survey, session: &Session) -> Vec<Known> {
    let mut by_value: BTreeMap<String, Known> = BTreeMap::new();
    for identity in &survey.identities {
        for credential in session.credentials(&identity.name) {
            let value = credential.value.expose();
            if value.len() < SHORTEST_CREDENTIAL {
                continue;
            }
            if is_user_name(&credential.place, value) && !holds(&exchange.raw, value) {
                continue;
            }
            // A value that two identities share is named after the first.
            let label = format!("{{{{{}.{}}}}}", identity.name, credential.place.label());
            let known = by_value.entry(value.to_owned()).or_insert(Known { label, holders: BTreeSet::new() });
            known.holders.insert(identity.name.to_string());
        }
    }
    by_value.into_values().collect()
}

/// True for a password of Basic that is the user name too: that word in an answer is the name.
fn is_user_name(place: &Place, value: &str) -> bool {
    if place.label() != Place::basic().label() {
        return false;
    }
    let Ok(pair) = BASE64_STANDARD.decode(value) else { return false };
    let pair = String::from_utf8_lossy(&pair);
    pair.split_once(':').is_some_and(|(user, password)| user.eq_ignore_ascii_case(password))
}

/// True if a response holds a text.
fn holds(response: &Response, text: &str) -> bool {
    response.body.text().contains(text) || response.headers.iter().any(|(_, value)| value.contains(text))
}

/// Which credentials stand in a body behind what is recorded of it.
pub(super) fn beyond(exchange: &subject::Exchange, credentials: &[Known], session: &Session) -> BTreeSet<String> {
    let body = &exchange.raw.body;
    if credentials.is_empty() || body.len() <= KEPT_BODY_BYTES {
        return BTreeSet::new();
    }
    let whole = session.masked(&body.text());
    credentials.iter().map(|known| known.label.clone()).filter(|label| whole.contains(label.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_the_user_name_is_that_name() {
        let is_name = |place: &Place, pair: &str| is_user_name(place, &BASE64_STANDARD.encode(pair));
        assert!(is_name(&Place::basic(), "demo:demo"));
        assert!(is_name(&Place::basic(), "Admin:admin"));
        for pair in ["demo:tulip-7-harbor", "demo:demo1", "demo", "a:b:a"] {
            assert!(!is_name(&Place::basic(), pair), "{pair}");
        }
        assert!(!is_name(&Place::bearer(), "demo:demo"));
    }
}
