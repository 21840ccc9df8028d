//! Where one value of a signed request stands, so that it can be read and changed after signing.

use crate::http::Request;
use crate::identity::Place;

/// Where one value of a signed request stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedPlace {
    /// The header (its prefix stands before the value), query parameter or cookie.
    pub place: Place,
    /// Name of the member, where the place holds a list such as `t=…,v1=…` or `Signature=…`. With a
    /// slash at its end, the value ends at the first slash, as in `Credential=id/date/region`. Where the
    /// place holds a JWT, `.` is its signature, `.name` a claim and `..name` a member of its head. With `{}` it is
    /// the form of the whole, such as `HMAC {*}:{}`: the value stands at `{}`, another at each `{*}`.
    pub member: Option<String>,
}

impl SignedPlace {
    /// A header of its own.
    pub fn header(name: &str) -> Self {
        Self { place: Place::Header { name: name.into(), prefix: String::new() }, member: None }
    }

    /// A query parameter of its own.
    pub fn query(name: &str) -> Self {
        Self { place: Place::Query { name: name.into() }, member: None }
    }

    /// The value in this place, of a query parameter decoded.
    pub fn read(&self, request: &Request) -> Option<String> {
        let whole = self.place.read(request)?;
        match &self.member {
            Some(member) if member.starts_with('.') => jwt::read(&whole, &member[1..]),
            Some(member) => member_of(&whole, member).map(|range| whole[range].to_owned()),
            None => Some(whole),
        }
    }

    /// Puts a value where one stands.
    pub fn write(&self, request: &mut Request, value: &str) {
        let Some(mut whole) = self.place.read(request) else { return };
        match &self.member {
            Some(member) if member.starts_with('.') => {
                let Some(changed) = jwt::write(&whole, &member[1..], value) else { return };
                whole = changed;
            }
            Some(member) => {
                let Some(range) = member_of(&whole, member) else { return };
                whole.replace_range(range, value);
            }
            None => whole = value.to_owned(),
        }
        self.place.replace(request, &whole);
    }

    /// The word before the value that says what it is: a member's name, or the prefix in a header, such
    /// as `v1` of `v1=…` and `sha256` of `sha256=…`.
    pub fn label(&self) -> Option<&str> {
        match (&self.member, &self.place) {
            (Some(member), _) => Some(member),
            (None, Place::Header { prefix, .. }) => {
                Some(prefix.trim_end_matches(|c: char| !c.is_ascii_alphanumeric())).filter(|label| !label.is_empty())
            }
            (None, Place::Query { .. } | Place::Cookie { .. }) => None,
        }
    }

    /// Puts another word in place of the label; nothing where the value has none.
    pub fn relabel(&self, request: &mut Request, label: &str) {
        let Some(own) = self.label() else { return };
        let bare = Self { place: self.place.without_prefix(), member: None };
        let Some(mut whole) = bare.read(request) else { return };
        let at = match &self.member {
            Some(member) => member_of(&whole, member).and_then(|value| whole[..value.start].rfind(own)),
            None => whole.find(own),
        };
        if let Some(at) = at {
            whole.replace_range(at..at + own.len(), label);
            bare.write(request, &whole);
        }
    }

    /// Takes out the header, parameter or cookie; of a list only the member's value. A JWT goes as a
    /// whole.
    pub fn clear(&self, request: &mut Request) {
        match &self.member {
            Some(member) if !member.starts_with('.') => self.write(request, ""),
            Some(_) => self.place.clear(request),
            None => self.place.clear(request),
        }
    }
}

/// Where the value of a member stands in a list `name=value, name="value"`.
fn member_of(list: &str, member: &str) -> Option<std::ops::Range<usize>> {
    if let Some((before, after)) = member.split_once("{}") {
        return between(list, before, after);
    }
    let (member, ends) = match member.strip_suffix('/') {
        Some(member) => (member, "/"),
        None => (member, ",; "),
    };
    let name = format!("{member}=");
    let at = list
        .match_indices(&name)
        .map(|(at, _)| at)
        .find(|at| list[..*at].chars().next_back().is_none_or(|before| ", ;".contains(before)))?;
    let start = at + name.len();
    let rest = &list[start..];
    // A quoted text, or the byte sequence of RFC 8941, section 3.3.5.
    for quote in ['"', ':'] {
        if let Some(inner) = rest.strip_prefix(quote) {
            return inner.find(quote).map(|length| start + 1..start + 1 + length);
        }
    }
    Some(start..start + rest.find(|c| ends.contains(c)).unwrap_or(rest.len()))
}

/// Where a value stands between two forms, in which `{*}` is any text. The text that follows the value
/// ends it; without one it goes to the end.
fn between(whole: &str, before: &str, after: &str) -> Option<std::ops::Range<usize>> {
    let mut texts = before.split("{*}");
    let prefix = texts.next().unwrap_or_default();
    let mut start = whole.starts_with(prefix).then_some(prefix.len())?;
    for text in texts {
        start += whole[start..].find(text)? + text.len();
    }
    let rest = &whole[start..];
    let next = after.split("{*}").next().unwrap_or_default();
    let length = if next.is_empty() { rest.len() } else { rest.find(next)? };
    Some(start..start + length)
}

/// Signature and claims of a JWT in its compact form.
mod jwt {
    use base64::Engine as _;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::Value;

    /// The signature as written where the name is empty, else a claim, or after a `.` a member of the
    /// head, that is a text or a number.
    pub(super) fn read(token: &str, name: &str) -> Option<String> {
        let [head, claims, signature] = parts(token)?;
        let (part, name) = match name.strip_prefix('.') {
            _ if name.is_empty() => return Some(signature.to_owned()),
            Some(name) => (head, name),
            None => (claims, name),
        };
        match decode(part)?.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The token with another value there, under the old signature. A number stays a number where the
    /// value is one.
    pub(super) fn write(token: &str, name: &str, value: &str) -> Option<String> {
        let [head, claims, signature] = parts(token)?;
        if name.is_empty() {
            return Some(format!("{head}.{claims}.{value}"));
        }
        let changed = |part: &str, name: &str| {
            let mut members = decode(part)?;
            let member = members.get_mut(name)?;
            *member = match value.parse::<i64>() {
                Ok(number) if member.is_number() => number.into(),
                _ => value.into(),
            };
            Some(BASE64_URL_SAFE_NO_PAD.encode(members.to_string()))
        };
        Some(match name.strip_prefix('.') {
            Some(name) => format!("{}.{claims}.{signature}", changed(head, name)?),
            None => format!("{head}.{}.{signature}", changed(claims, name)?),
        })
    }

    fn parts(token: &str) -> Option<[&str; 3]> {
        token.split('.').collect::<Vec<_>>().try_into().ok()
    }

    fn decode(part: &str) -> Option<Value> {
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signing_added_is_read_changed_and_taken_out() {
        let mut request = Request::get("/a?x=1&sig=a%2Bb&y=2")
            .with_header("Stripe-Signature", "t=1700000000,v1=0a1b")
            .with_header("Signature", "sig1=:q+8=:")
            .with_header("Authorization", "HMAC kid=\"k 1\", s=\"0a=\"");
        let member =
            |header: &str, member: &str| SignedPlace { member: Some(member.into()), ..SignedPlace::header(header) };
        let query = SignedPlace::query("sig");
        assert_eq!(query.read(&request).as_deref(), Some("a+b"));
        assert_eq!(member("stripe-signature", "v1").read(&request).as_deref(), Some("0a1b"));
        assert_eq!(member("signature", "sig1").read(&request).as_deref(), Some("q+8="));
        assert_eq!(member("authorization", "s").read(&request).as_deref(), Some("0a="));
        assert_eq!(member("authorization", "d").read(&request), None);
        let mut signed = Request::get("/").with_header("Authorization", "A Credential=k1/20260101/eu, Signature=ab");
        member("authorization", "Credential/").write(&mut signed, "k2");
        assert_eq!(signed.headers.first("authorization"), Some("A Credential=k2/20260101/eu, Signature=ab"));
        query.write(&mut request, "c+d");
        member("stripe-signature", "t").write(&mut request, "5");
        assert_eq!(request.target, "/a?x=1&sig=c%2Bd&y=2");
        assert_eq!(request.headers.first("stripe-signature"), Some("t=5,v1=0a1b"));
        query.clear(&mut request);
        SignedPlace::header("Signature").clear(&mut request);
        assert_eq!((request.target.as_str(), request.headers.contains("signature")), ("/a?x=1&y=2", false));
    }

    #[test]
    fn the_parts_of_a_json_web_token_are_places_of_their_own() {
        // {"alg":"ES256"} and {"iat":5,"jti":"a"}
        let mut request = Request::get("/").with_header("DPoP", "eyJhbGciOiJFUzI1NiJ9.eyJpYXQiOjUsImp0aSI6ImEifQ.c2ln");
        let part = |member: &str| SignedPlace { member: Some(member.into()), ..SignedPlace::header("DPoP") };
        let read = |request: &Request| [".", ".iat", ".jti", "..alg", ".ath"].map(|name| part(name).read(request));
        let texts = |values: [&str; 4]| {
            let [signature, iat, jti, alg] = values.map(|value| Some(value.to_owned()));
            [signature, iat, jti, alg, None]
        };
        assert_eq!(read(&request), texts(["c2ln", "5", "a", "ES256"]));
        for (member, value) in [(".", "AAAA"), (".iat", "7"), (".jti", "8"), ("..alg", "none"), (".ath", "x")] {
            part(member).write(&mut request, value);
        }
        assert_eq!(read(&request), texts(["AAAA", "7", "8", "none"]));
        let token = request.headers.first("dpop").unwrap_or_default();
        assert!(token.contains(".eyJpYXQiOjcsImp0aSI6IjgifQ."), "the number stays a number: {token}");
        part(".").clear(&mut request);
        assert!(!request.headers.contains("dpop"));
    }

    #[test]
    fn the_word_before_a_value_may_be_another_one() {
        let prefix = |name: &str, prefix: &str| SignedPlace {
            place: Place::Header { name: name.into(), prefix: prefix.into() },
            member: None,
        };
        let cases = [
            (SignedPlace { member: Some("v1".into()), ..SignedPlace::header("S") }, "t=5,v1=0a1b", "t=5,v0=0a1b"),
            (prefix("S", "v1,"), "v1,q+8=", "v0,q+8="),
            (prefix("S", "sha256="), "sha256=00ff", "v0=00ff"),
            (SignedPlace::header("S"), "00ff", "00ff"),
        ];
        for (place, before, after) in cases {
            let mut request = Request::get("/").with_header("S", before);
            place.relabel(&mut request, "v0");
            assert_eq!(request.headers.first("s"), Some(after));
        }
    }
}
