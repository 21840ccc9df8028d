//! Keys that hold an id beside a secret, and guesses of them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use engine::{Draft, Edit, Session, SurveyedIdentity};
use model::{Credential, Place};
use rand::rngs::StdRng;

use crate::key_comparison::form::{is_token, kind_length, scrambled};

/// Characters of a secret below which it is no part of its own.
///
/// **Source**: chosen; 8 hexadecimal digits are 32 bits.
const SHORTEST_SECRET: usize = 8;

/// Names of headers that hold the id of a key, its secret standing in another header.
///
/// **Source**: Algolia (`X-Algolia-Application-Id`), Back4App (`X-Parse-Application-Id`), Plaid
/// (`PLAID-CLIENT-ID`), Cloudflare Access (`CF-Access-Client-Id`), Adyen and Kong documents.
const ID_ENDINGS: [&str; 6] = ["key-id", "keyid", "client-id", "application-id", "app-id", "access-key"];

/// Where the id of a key stands, and its secret.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Parts {
    /// In one credential, at this position: bytes of the id with what stands before and behind it.
    One { position: usize, id_bytes: usize },
    /// User and password of Basic authentication.
    Basic { position: usize },
    /// In two headers.
    Two { id: String, secret: usize },
}

/// The parts of an identity's key; `None` where it has no id.
pub(super) fn parts(identity: &SurveyedIdentity, credentials: &[Credential]) -> Option<Parts> {
    if identity.signs {
        return None;
    }
    if let [first, second] = credentials {
        let id = [first, second].into_iter().position(|credential| is_id(&credential.place))?;
        let (id, secret) = if id == 0 { (first, 1) } else { (second, 0) };
        return Some(Parts::Two { id: header_name(&id.place)?.to_owned(), secret });
    }
    let [only] = credentials else { return None };
    let value = only.value.expose();
    if only.place == Place::basic() {
        let pair = decoded(value)?;
        return pair.contains(':').then_some(Parts::Basic { position: 0 });
    }
    header_name(&only.place)?;
    id_bytes(value).map(|id_bytes| Parts::One { position: 0, id_bytes })
}

/// Bytes of a key up to its secret: `k17x.` of `k17x.c2VjcmV0`.
fn id_bytes(key: &str) -> Option<usize> {
    if is_token(key) || !key.is_ascii() {
        return None;
    }
    let kind = kind_length(key);
    let at = kind + key[kind..].find(['.', ':', '_'])? + 1;
    let id = at - 1 - kind;
    (id > 0 && key.len() - at >= SHORTEST_SECRET).then_some(at)
}

/// Position of the first credential that may be an API key, or the secret of one whose id stands in
/// another header.
pub(crate) fn key_position(identity: &SurveyedIdentity) -> Option<usize> {
    let is_key = |place: &Place| match place {
        Place::Header { name, .. } => !name.eq_ignore_ascii_case("cookie") && place.label() != "basic",
        Place::Query { .. } => true,
        Place::Cookie { .. } => false,
    };
    let mut keys = identity.places.iter().enumerate().filter(|(_, place)| is_key(place));
    let first = keys.clone().next();
    let secret = keys.find(|(_, place)| !is_id(place));
    secret.or(first).map(|(position, _)| position)
}

fn is_id(place: &Place) -> bool {
    let name = header_name(place).unwrap_or_default().to_ascii_lowercase().replace('_', "-");
    ID_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn header_name(place: &Place) -> Option<&str> {
    match place {
        Place::Header { name, .. } => Some(name),
        Place::Query { .. } | Place::Cookie { .. } => None,
    }
}

fn decoded(value: &str) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok()
}

impl Parts {
    /// The request with a random secret for the id that exists.
    pub(super) fn known(&self, draft: &Draft, credentials: &[Credential], random: &mut StdRng) -> Option<Draft> {
        let label = Some("known-id-wrong-secret");
        Some(match self {
            Self::One { position, id_bytes } => {
                let (id, secret) = credentials.get(*position)?.value.expose().split_at(*id_bytes);
                draft.clone().replacing(*position, &format!("{id}{}", scrambled(secret, random)), label)
            }
            Self::Basic { position } => {
                let pair = decoded(credentials.get(*position)?.value.expose())?;
                let (user, password) = pair.split_once(':')?;
                let pair = BASE64_STANDARD.encode(format!("{user}:{}", scrambled(password, random)));
                draft.clone().replacing(*position, &pair, label)
            }
            Self::Two { secret, .. } => {
                let wrong = scrambled(credentials.get(*secret)?.value.expose(), random);
                draft.clone().replacing(*secret, &wrong, None)
            }
        })
    }

    /// The request with a random secret for a random id of the same form.
    pub(super) fn unknown(&self, draft: &Draft, credentials: &[Credential], random: &mut StdRng) -> Option<Draft> {
        Some(match self {
            Self::One { position, .. } => {
                let key = credentials.get(*position)?.value.expose();
                let (kind, rest) = key.split_at(kind_length(key));
                draft.clone().replacing(*position, &format!("{kind}{}", scrambled(rest, random)), None)
            }
            Self::Basic { position } => {
                let pair = decoded(credentials.get(*position)?.value.expose())?;
                let pair = BASE64_STANDARD.encode(scrambled(&pair, random));
                draft.clone().replacing(*position, &pair, None)
            }
            Self::Two { id, secret } => {
                let own = credentials.iter().find(|credential| header_name(&credential.place) == Some(id))?;
                let wrong = scrambled(credentials.get(*secret)?.value.expose(), random);
                let other = scrambled(own.value.expose(), random);
                draft.clone().replacing(*secret, &wrong, None).edit(Edit::SetHeader(id.clone(), other))
            }
        })
    }
}

/// The credentials of an identity and the parts of its key.
pub(super) fn held(identity: &SurveyedIdentity, session: &Session) -> Option<(Vec<Credential>, Parts)> {
    let credentials = session.credentials(&identity.name);
    let parts = parts(identity, &credentials)?;
    Some((credentials, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_from_a_kind_and_from_a_secret() {
        assert_eq!(id_bytes("k17x.c2VjcmV0LW9m"), Some(5));
        assert_eq!(id_bytes("mb_live_k17xq9wz_93kd03kd93kd"), Some(17));
        for key in ["sk_live_abc123def456", "0f8fad5b-d9cb-469f-a165-70867728950e", "a.b", ".c2VjcmV0LW9m"] {
            assert_eq!(id_bytes(key), None, "{key}");
        }
    }
}
