//! Who sends a request, and how the request is signed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::Request;
use crate::secret::Secret;

/// Where a credential stands in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// A header; `prefix` stands before the value (`Bearer `), possibly empty.
    Header {
        /// Header name.
        name: String,
        /// Text before the credential.
        prefix: String,
    },
    /// A query parameter.
    Query {
        /// Parameter name.
        name: String,
    },
    /// A cookie.
    Cookie {
        /// Cookie name.
        name: String,
    },
}

impl Place {
    /// The place of `Authorization: Bearer …`.
    pub fn bearer() -> Self {
        Self::Header { name: "Authorization".into(), prefix: "Bearer ".into() }
    }

    /// The place of `Authorization: Basic …`; the credential is the base64 of `user:password`.
    pub fn basic() -> Self {
        Self::Header { name: "Authorization".into(), prefix: "Basic ".into() }
    }

    /// A short name for masks and messages, such as `X-API-Key` or `bearer`.
    pub fn label(&self) -> String {
        match self {
            Self::Header { name, prefix }
                if !prefix.trim().is_empty() && name.eq_ignore_ascii_case("authorization") =>
            {
                prefix.trim().to_ascii_lowercase()
            }
            Self::Header { name, .. } | Self::Query { name } | Self::Cookie { name } => name.clone(),
        }
    }

    /// Puts a credential into a request, replacing what stands in this place.
    pub fn put(&self, request: &mut Request, value: &str) {
        match self {
            Self::Header { name, prefix } => request.headers.set(name, format!("{prefix}{value}")),
            Self::Query { name } => {
                let kept: Vec<String> = request
                    .query()
                    .unwrap_or_default()
                    .split('&')
                    .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name))
                    .map(Into::into)
                    .collect();
                let path = request.path().to_owned();
                request.target = if kept.is_empty() { path } else { format!("{path}?{}", kept.join("&")) };
                *request = request.clone().with_query(name, value);
            }
            Self::Cookie { name } => {
                let mut cookies: Vec<String> = request
                    .headers
                    .first("cookie")
                    .unwrap_or_default()
                    .split("; ")
                    .filter(|c| !c.is_empty() && c.split('=').next() != Some(name))
                    .map(Into::into)
                    .collect();
                cookies.push(format!("{name}={value}"));
                request.headers.set("Cookie", cookies.join("; "));
            }
        }
    }
}

impl Place {
    /// The value in this place, without prefix, of a query parameter decoded.
    pub fn read(&self, request: &Request) -> Option<String> {
        match self {
            Self::Header { name, prefix } => {
                let value = request.headers.first(name)?;
                Some(value.strip_prefix(prefix.as_str()).unwrap_or(value).to_owned())
            }
            Self::Query { name } => {
                let mut pairs = url::form_urlencoded::parse(request.query().unwrap_or_default().as_bytes());
                pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
            }
            Self::Cookie { name } => {
                let mut cookies = request.headers.first("cookie")?.split("; ").filter_map(|c| c.split_once('='));
                cookies.find(|(own, _)| own == name).map(|(_, value)| value.to_owned())
            }
        }
    }

    /// Replaces the value in this place where it stands; a query keeps its order.
    pub fn replace(&self, request: &mut Request, value: &str) {
        match self {
            Self::Header { name, prefix } => {
                let own = request.headers.values_mut().find(|(own, _)| own.eq_ignore_ascii_case(name));
                if let Some((_, own)) = own {
                    *own = format!("{prefix}{value}");
                }
            }
            Self::Query { name } => {
                let new = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
                let pairs = request.query().unwrap_or_default().split('&');
                let pairs: Vec<&str> =
                    pairs.map(|pair| if is_pair_of(pair, name) { new.as_str() } else { pair }).collect();
                request.target = format!("{}?{}", request.path(), pairs.join("&"));
            }
            Self::Cookie { .. } => self.put(request, value),
        }
    }

    /// The same place, whose value is all that stands there.
    fn without_prefix(&self) -> Self {
        match self {
            Self::Header { name, .. } => Self::Header { name: name.clone(), prefix: String::new() },
            Self::Query { .. } | Self::Cookie { .. } => self.clone(),
        }
    }

    /// Takes out the header, parameter or cookie.
    pub fn clear(&self, request: &mut Request) {
        match self {
            Self::Header { name, .. } => request.headers.remove(name),
            Self::Query { name } => {
                let pairs = request.query().unwrap_or_default().split('&');
                let kept: Vec<&str> = pairs.filter(|pair| !pair.is_empty() && !is_pair_of(pair, name)).collect();
                let path = request.path();
                request.target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
            }
            Self::Cookie { name } => {
                let cookies = request.headers.first("cookie").unwrap_or_default().split("; ");
                let kept: Vec<&str> = cookies.filter(|c| c.split('=').next() != Some(name)).collect();
                let kept = kept.join("; ");
                request.headers.remove("cookie");
                if !kept.is_empty() {
                    request.headers.push("Cookie", kept);
                }
            }
        }
    }
}

fn is_pair_of(pair: &str, name: &str) -> bool {
    url::form_urlencoded::parse(pair.as_bytes()).next().is_some_and(|(own, _)| own == name)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { name, prefix } => {
                write!(f, "header {name}{}{}", if prefix.is_empty() { "" } else { ": " }, prefix.trim())
            }
            Self::Query { name } => write!(f, "query parameter {name}"),
            Self::Cookie { name } => write!(f, "cookie {name}"),
        }
    }
}

/// A credential and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Where it stands.
    pub place: Place,
    /// Its value.
    pub value: Secret,
}

/// A key that its owner has revoked: the API must refuse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedKey {
    /// Its value, without the text that stands before keys in their place.
    pub value: Secret,
    /// When it was revoked, in Unix milliseconds, where the user states it.
    pub at_ms: Option<i64>,
}

/// When and with which nonce a request is signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Unix milliseconds.
    pub unix_ms: i64,
    /// Used once.
    pub nonce: String,
}

/// What is known of how an identity's requests are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SigningMode {
    /// Nothing, or they are not signed.
    #[default]
    None,
    /// One captured request with its signature.
    Sample,
    /// The secret: anything can be signed.
    Secret,
}

impl SigningMode {
    /// The word used in JSON and in text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sample => "sample",
            Self::Secret => "secret",
        }
    }
}

impl fmt::Display for SigningMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A captured signed request. It holds credentials.
#[derive(Clone)]
pub struct Sample {
    /// As it was captured.
    pub captured: Request,
    /// Without its origin, what signing added, and other credentials.
    pub bare: Request,
}

/// Signs a finished request. Pure: the same request and stamp give the same signature.
pub trait Signer: Send + Sync + fmt::Debug {
    /// Adds the signature, and the headers that it needs. What is signed is read from the request
    /// alone: a `Host` header that stands in it counts, not the host that the signer knows.
    fn sign(&self, request: &mut Request, stamp: &Stamp);

    /// Where the signature and what belongs to it stand; `None` where they stand in no header and no
    /// query parameter of their own.
    fn places(&self) -> Option<SignedPlaces> {
        None
    }

    /// Where a digest of the body stands that the signature covers in its place; none where the body
    /// itself is signed.
    fn digest(&self) -> Option<SignedPlace> {
        None
    }

    /// The parts that a request of this scheme itself names as signed; `None` where the client has no
    /// choice. See [`Forgery::components`].
    fn components(&self) -> Option<Vec<String>> {
        None
    }

    /// A credential that signing adds to a request as it is, so that records must mask it.
    fn sent_secret(&self) -> Option<Secret> {
        None
    }

    /// True where the server wants each nonce to be greater than the one before, so that requests
    /// of the identity must go out one after the other.
    fn is_monotone(&self) -> bool {
        false
    }

    /// True where whoever holds one signature can sign a longer text without the secret.
    fn is_length_extensible(&self) -> bool {
        false
    }

    /// What it signs with, so that it is masked wherever it turns up.
    fn secret(&self) -> Option<&Secret> {
        None
    }

    /// The only request that it can sign, where it has a captured signature and no secret: whatever it
    /// is asked to sign gets that signature.
    fn sample(&self) -> Option<&Sample> {
        None
    }

    /// The text that the signature of a signed request is made over, as bytes; `None` where that cannot
    /// be said.
    fn canonical(&self, _: &Request) -> Option<Vec<u8>> {
        None
    }

    /// A signer of the same scheme with something else in place of what this one signs with; `None`
    /// where the scheme has no such thing.
    fn forged(&self, _: &Forgery) -> Option<Arc<dyn Signer>> {
        None
    }
}

/// What an attacker signs with in place of what the identity has; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Forgery {
    /// Another secret.
    pub secret: Option<Secret>,
    /// Another key id.
    pub key_id: Option<String>,
    /// Other parts of the request, where the request itself names what is signed.
    pub components: Option<Vec<String>>,
    /// A text in place of the timestamp, signed as the timestamp would be.
    pub timestamp: Option<String>,
    /// Another algorithm, by its name in the configuration.
    pub algorithm: Option<String>,
    /// Another text to sign, as a formula of the configuration.
    pub canonical: Option<String>,
    /// These bytes behind the body, under a signature that is continued from a valid one: of the
    /// secret only the length is used.
    pub extension: Option<Vec<u8>>,
}

/// Where a signed request holds what signing added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedPlaces {
    /// The signature.
    pub signature: SignedPlace,
    /// When it was signed; none where the scheme has no time.
    pub timestamp: Option<SignedPlace>,
    /// What is used once; none where the scheme has no nonce.
    pub nonce: Option<SignedPlace>,
    /// Which secret signed; none where there is only one.
    pub key_id: Option<SignedPlace>,
    /// How far a timestamp may be from the server's clock by the scheme's own document.
    pub window: Option<Duration>,
}

impl SignedPlaces {
    /// Every place that holds something, each once.
    pub fn all(&self) -> Vec<&Place> {
        let others = [&self.timestamp, &self.nonce, &self.key_id].into_iter().flatten();
        let mut places: Vec<&Place> = Vec::new();
        for SignedPlace { place, .. } in others.chain([&self.signature]) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }
}

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

/// One named set of credentials.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Name in the configuration and in findings.
    pub name: String,
    /// Role, such as `admin`, where the user states one.
    pub role: Option<String>,
    /// Tenant, where the user states one.
    pub tenant: Option<String>,
    /// What is sent with each request.
    pub credentials: Vec<Credential>,
    /// How to get credentials by a request.
    pub login: Option<Login>,
    /// Signs each request, after credentials are in place.
    pub signer: Option<Arc<dyn Signer>>,
    /// An earlier key of it, which must not work any more.
    pub revoked_key: Option<RevokedKey>,
}

/// A sign-in request, and where the credential stands in its answer.
#[derive(Clone, Debug)]
pub struct Login {
    /// The request; its body holds secrets.
    pub request: Request,
    /// Secrets inside the request, to be masked in recordings.
    pub secrets: Vec<Secret>,
    /// What to take out of the answer.
    pub extract: Vec<Extract>,
}

/// One credential to take out of a sign-in answer.
#[derive(Clone, Debug)]
pub struct Extract {
    /// Where it is found.
    pub from: ExtractFrom,
    /// Where it goes in the requests that follow.
    pub place: Place,
}

/// Where a credential stands in a sign-in answer.
#[derive(Clone, Debug)]
pub enum ExtractFrom {
    /// A JSON member, as a path such as `$.data.token`.
    Json(String),
    /// A response header.
    Header(String),
    /// A cookie set by the answer.
    Cookie(String),
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
