//! What is changed in a request after it was signed.

use model::{Body, Place, Request, SignedPlace, SignedPlaces};

/// A change to a request after it was signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Edit {
    /// Replaces the method.
    Method(String),
    /// Replaces path and query.
    Target(String),
    /// Replaces the path; the query stays, with what signing put there.
    Path(String),
    /// Replaces every pair of this name in the query by one, or adds it.
    SetQuery(String, String),
    /// Drops every pair of this name from the query.
    RemoveQuery(String),
    /// Replaces or adds a header.
    SetHeader(String, String),
    /// Adds a header behind those of the same name.
    AddHeader(String, String),
    /// Drops a header.
    RemoveHeader(String),
    /// Replaces the body.
    Body(Body),
    /// Replaces the scheme of `Authorization`; the credential behind it stays.
    AuthorizationScheme(String),
    /// Changes what signing added; nothing where the identity's scheme has no such value.
    Signed(Signed, Tamper),
    /// Changes the value in a place; nothing where none stands there.
    At(SignedPlace, Tamper),
}

/// A value that signing adds to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signed {
    /// The signature.
    Signature,
    /// When it was signed.
    Timestamp,
    /// What is used once.
    Nonce,
    /// Which secret signed.
    KeyId,
}

/// What becomes of a value that signing added.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Tamper {
    /// Another value of the same form: one character in the middle is another one. In hex, base64
    /// and base64url a middle character always stands for bits of the signature; the last one of
    /// base64 may not.
    Corrupt,
    /// Another value of the same form that differs from its first character on: every letter and
    /// digit is another one.
    Unlike,
    /// The value goes, with its header or parameter.
    Drop,
    /// The value is empty; header or parameter stay.
    Empty,
    /// Only the first characters.
    Keep(usize),
    /// The first half as it is, every character of the second half another one.
    WrongTail,
    /// More behind it.
    Append(String),
    /// Another value.
    Set(String),
    /// The same value after another label, as `v0=…` in place of `v1=…`; nothing where it has none.
    Label(String),
    /// The same value in another place.
    Move(Place),
    /// The last digit is another one: of a time, that is a moment nearby.
    Nudge,
    /// The value that signing the same request now gives.
    Renewed,
}

impl Edit {
    /// True if what stands in place of the signature is none: no server remembers it as the right one.
    pub(crate) fn unsigns(&self) -> bool {
        match self {
            Self::Signed(Signed::Signature, tamper) => match tamper {
                Tamper::Corrupt | Tamper::Unlike | Tamper::Drop | Tamper::Empty => true,
                Tamper::Keep(_)
                | Tamper::WrongTail
                | Tamper::Append(_)
                | Tamper::Set(_)
                | Tamper::Label(_)
                | Tamper::Move(_)
                | Tamper::Nudge
                | Tamper::Renewed => false,
            },
            Self::Signed(Signed::Timestamp | Signed::Nonce | Signed::KeyId, _)
            | Self::Method(_)
            | Self::Target(_)
            | Self::Path(_)
            | Self::SetQuery(..)
            | Self::RemoveQuery(_)
            | Self::SetHeader(..)
            | Self::AddHeader(..)
            | Self::RemoveHeader(_)
            | Self::At(..)
            | Self::AuthorizationScheme(_)
            | Self::Body(_) => false,
        }
    }
}

impl Signed {
    fn place(self, places: &SignedPlaces) -> Option<&SignedPlace> {
        match self {
            Self::Signature => Some(&places.signature),
            Self::Timestamp => places.timestamp.as_ref(),
            Self::Nonce => places.nonce.as_ref(),
            Self::KeyId => places.key_id.as_ref(),
        }
    }
}

/// Applies the edits in their order. `renewed` is the same request signed once more.
pub(crate) fn apply(edits: &[Edit], request: &mut Request, places: Option<&SignedPlaces>, renewed: Option<&Request>) {
    for edit in edits {
        match edit.clone() {
            Edit::Method(method) => request.method = method,
            Edit::Target(target) => request.target = target,
            Edit::Path(path) => *request = request.clone().with_path(&path),
            Edit::SetQuery(name, value) => Place::Query { name }.put(request, &value),
            Edit::RemoveQuery(name) => Place::Query { name }.clear(request),
            Edit::SetHeader(name, value) => request.headers.set(&name, value),
            Edit::AddHeader(name, value) => request.headers.push(&name, value),
            Edit::RemoveHeader(name) => request.headers.remove(&name),
            Edit::Body(body) => request.body = body,
            Edit::AuthorizationScheme(scheme) => {
                let stated = request.headers.first("authorization").and_then(|value| value.split_once(' '));
                if let Some((_, credential)) = stated {
                    let value = format!("{scheme} {credential}");
                    request.headers.set("Authorization", value);
                }
            }
            Edit::At(place, tamper) => change(&place, &tamper, request, renewed),
            Edit::Signed(signed, tamper) => {
                if let Some(place) = places.and_then(|places| signed.place(places)) {
                    change(place, &tamper, request, renewed);
                }
            }
        }
    }
}

fn change(place: &SignedPlace, tamper: &Tamper, request: &mut Request, renewed: Option<&Request>) {
    let Some(value) = place.read(request) else { return };
    let changed = match tamper {
        Tamper::Drop => return place.clear(request),
        Tamper::Label(label) => return place.relabel(request, label),
        Tamper::Move(to) => {
            place.clear(request);
            return to.put(request, &value);
        }
        Tamper::Corrupt => corrupt(&value),
        Tamper::Unlike => value.chars().map(another).collect(),
        Tamper::Empty => String::new(),
        Tamper::Keep(count) => value.chars().take(*count).collect(),
        Tamper::WrongTail => wrong_tail(&value),
        Tamper::Nudge => nudge(&value),
        Tamper::Append(more) => format!("{value}{more}"),
        Tamper::Set(other) => other.clone(),
        Tamper::Renewed => match renewed.and_then(|renewed| place.read(renewed)) {
            Some(renewed) => renewed,
            None => return,
        },
    };
    place.write(request, &changed);
}

/// The value with one letter or digit in its middle replaced.
fn corrupt(value: &str) -> String {
    let middle = value.len() / 2;
    let at = value.char_indices().find(|(at, c)| *at >= middle && c.is_ascii_alphanumeric()).map(|(at, _)| at);
    value.char_indices().map(|(own, c)| if Some(own) == at { another(c) } else { c }).collect()
}

fn wrong_tail(value: &str) -> String {
    let middle = value.len() / 2;
    value.char_indices().map(|(at, c)| if at >= middle { another(c) } else { c }).collect()
}

fn nudge(value: &str) -> String {
    let at = value.rfind(|c: char| c.is_ascii_digit());
    value.char_indices().map(|(own, c)| if Some(own) == at { another(c) } else { c }).collect()
}

/// Another letter or digit, in the alphabets of hex and base64 if the first one is; others as they are.
fn another(c: char) -> char {
    match c {
        '0'..='8' | 'b'..='e' | 'B'..='E' => char::from_u32(c as u32 + 1).unwrap_or(c),
        '9' => '8',
        'f'..='z' | 'a' => {
            if c == 'a' {
                'b'
            } else {
                'a'
            }
        }
        'F'..='Z' | 'A' => {
            if c == 'A' {
                'B'
            } else {
                'A'
            }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corrupted_signature_has_its_form_and_other_bits() {
        for value in ["00ff10", "FFFF", "q+8/AA==", "Zm9v_-8x", "9"] {
            let changed = corrupt(value);
            let differing = value.chars().zip(changed.chars()).filter(|(a, b)| a != b).count();
            assert_eq!((changed.len(), differing), (value.len(), 1), "{value} {changed}");
        }
        assert_eq!(corrupt("q+8/AA=="), "q+8/BA==");
        assert_eq!(wrong_tail("00112233"), "00113344");
        assert_eq!(
            (nudge("1700000009").as_str(), nudge("2026-01-01T00:00:00Z").as_str()),
            ("1700000008", "2026-01-01T00:00:01Z")
        );
    }

    #[test]
    fn edits_change_what_signing_put_into_header_and_query() {
        let places = SignedPlaces {
            signature: SignedPlace::query("sig"),
            timestamp: Some(SignedPlace::header("X-Time")),
            nonce: None,
            key_id: None,
            window: None,
        };
        let signed = |time: &str| Request::get("/a?b=1&sig=00ff").with_header("X-Time", time);
        let mut request = signed("100");
        let edits = [
            Edit::Signed(Signed::Signature, Tamper::Keep(2)),
            Edit::Signed(Signed::Timestamp, Tamper::Renewed),
            Edit::Signed(Signed::Nonce, Tamper::Drop),
            Edit::Path("/c".into()),
            Edit::RemoveQuery("b".into()),
            Edit::Signed(Signed::Timestamp, Tamper::Move(Place::Query { name: "ts".into() })),
            Edit::At(SignedPlace::query("sig"), Tamper::Append("ab".into())),
            Edit::At(SignedPlace::header("X-None"), Tamper::Set("1".into())),
        ];
        apply(&edits, &mut request, Some(&places), Some(&signed("200")));
        assert_eq!(request, Request::get("/c?sig=00ab&ts=200"));
    }
}
