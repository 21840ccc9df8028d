//! Names that an API may give to the algorithm, the version and the transport of a signature, from the
//! names that it gives to the signature itself.

use std::collections::BTreeSet;

use engine::{Edit, Tamper};
use model::{Place, Request, SignedPlace, SignedPlaces};

use crate::signature_coverage::asked::Asked;

/// Words behind the API's own prefix that say which algorithm signed.
///
/// **Source**: Alibaba Cloud `x-acs-signature-method`, PayPal `PAYPAL-AUTH-ALGO`, Apache APISIX
/// `X-HMAC-ALGORITHM`, AWS Signature Version 2 `SignatureMethod`, Alipay `sign_type`.
const ALGORITHM: [&str; 5] = ["Algorithm", "Alg", "Method", "Algo", "Type"];

/// Words behind the API's own prefix that say which version of the scheme signed.
///
/// **Source**: Alibaba Cloud `x-acs-signature-version`, AWS and Huobi `SignatureVersion`.
const VERSION: [&str; 1] = ["Version"];

/// Prefixes that are tried beside the API's own.
///
/// **Source**: as [`ALGORITHM`]; `X-Signature` is the most common name of a signature's header.
const PREFIXES: [&str; 6] = ["X-Signature", "Signature", "X-Sig", "X-Auth", "X-Hmac", "X-Signing"];

/// Words of a signature's name that may be followed by others as they are.
const SIGNATURE: [&str; 6] = ["signature", "sig", "sign", "hmac", "mac", "digest"];

/// What a word about a signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    Algorithm,
    Version,
}

impl Says {
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Algorithm => &ALGORITHM,
            Self::Version => &VERSION,
        }
    }

    /// Names of parameters beside a signature.
    fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Algorithm => &["algorithm", "alg", "signature_method", "SignatureMethod", "sign_type"],
            Self::Version => &["signature_version", "SignatureVersion", "sig_version"],
        }
    }

    /// True for a name such as `SignatureVersion`, `alg` or `X-HMAC-ALGORITHM`.
    fn is_said_by(self, name: &str) -> bool {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        match self {
            Self::Algorithm => {
                name.ends_with("algorithm") || name == "alg" || name == "algo" || name.ends_with("signaturemethod")
            }
            Self::Version => name.ends_with("signatureversion") || name.ends_with("sigversion"),
        }
    }
}

/// Everything that may say a thing about the signature, set to one value at once: headers under names
/// that the API may know, members of the list that holds the signature, and parameters beside it.
pub(super) fn stated(asked: &Asked<'_>, says: Says, value: &str) -> Vec<Edit> {
    let places = asked.places;
    let sent = &asked.baseline.exchange.request;
    let mut edits: Vec<Edit> =
        places_of(sent, places, says).into_iter().map(|place| Edit::At(place, Tamper::Set(value.into()))).collect();
    match &places.signature.place {
        Place::Header { .. } => {
            edits.extend(headers(places, says, sent).into_iter().map(|name| Edit::SetHeader(name, value.into())))
        }
        Place::Query { .. } => edits.extend(in_query(says, value)),
        Place::Cookie { .. } => {}
    }
    edits
}

/// The parameters that may say a thing about a signature, set to one value at once.
pub(super) fn in_query(says: Says, value: &str) -> Vec<Edit> {
    says.parameters().iter().map(|name| Edit::SetQuery((*name).into(), value.into())).collect()
}

/// Members, headers and parameters of a request as it was sent that say it by their names.
fn places_of(sent: &Request, places: &SignedPlaces, says: Says) -> Vec<SignedPlace> {
    let mut found = Vec::new();
    // The head of a JWT names its algorithm.
    if says == Says::Algorithm && places.signature.member.as_deref() == Some(".") {
        found.push(SignedPlace { member: Some("..alg".into()), ..places.signature.clone() });
    }
    // `Signature-Input` holds the parameters of RFC 9421's `Signature`.
    for header in [header_of(&places.signature), Some("Signature-Input")].into_iter().flatten() {
        for member in ["algorithm", "alg", "oauth_signature_method", "version", "oauth_version"] {
            let place = SignedPlace { member: Some(member.into()), ..SignedPlace::header(header) };
            let is_it = says.is_said_by(member) || (says == Says::Version && member.ends_with("version"));
            if is_it && place.read(sent).is_some() {
                found.push(place);
            }
        }
    }
    let pairs = sent.query().unwrap_or_default().split('&').filter_map(|pair| pair.split('=').next());
    found.extend(pairs.filter(|name| says.is_said_by(name)).map(SignedPlace::query));
    found
}

fn header_of(place: &SignedPlace) -> Option<&str> {
    match &place.place {
        Place::Header { name, .. } => Some(name),
        Place::Query { .. } | Place::Cookie { .. } => None,
    }
}

/// Names of headers, the API's own first.
fn headers(places: &SignedPlaces, says: Says, sent: &Request) -> Vec<String> {
    let own = sent.headers.iter().map(|(name, _)| name.to_owned()).filter(|name| says.is_said_by(name));
    let mut names: Vec<String> = own.collect();
    for prefix in prefixes(places) {
        names.extend(says.words().iter().map(|word| format!("{prefix}-{word}")));
    }
    for prefix in PREFIXES {
        names.extend(says.words().iter().take(3).map(|word| format!("{prefix}-{word}")));
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.to_ascii_lowercase()));
    names
}

/// What the headers of a signature's parts have in common, such as `X-Mac` of `X-Mac-Value` and
/// `X-Mac-Id`, and the whole name where it ends in a word for a signature.
fn prefixes(places: &SignedPlaces) -> Vec<String> {
    let mut prefixes = Vec::new();
    if let Some(name) = header_of(&places.signature) {
        let last = name.rsplit('-').next().unwrap_or(name);
        if SIGNATURE.contains(&last.to_ascii_lowercase().as_str()) {
            prefixes.push(name.to_owned());
        }
    }
    let parts = [Some(&places.signature), places.timestamp.as_ref(), places.nonce.as_ref(), places.key_id.as_ref()];
    for (before, _) in parts.into_iter().flatten().filter_map(header_of).filter_map(|name| name.rsplit_once('-')) {
        let is_new = !prefixes.iter().any(|own| own.eq_ignore_ascii_case(before));
        if is_new && !before.eq_ignore_ascii_case("x") {
            prefixes.push(before.to_owned());
        }
    }
    prefixes
}

/// The name of a header without `X-`, its words joined by `_` in lower case, such as `mac_value`.
pub(super) fn snake(header: &str) -> String {
    let lower = header.to_ascii_lowercase();
    lower.strip_prefix("x-").unwrap_or(&lower).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(signature: &str) -> SignedPlaces {
        SignedPlaces {
            signature: SignedPlace::header(signature),
            timestamp: None,
            nonce: None,
            key_id: None,
            window: None,
        }
    }

    #[test]
    fn names_follow_the_names_of_the_api() {
        let request = Request::get("/").with_header("X-HMAC-ALGORITHM", "sha256");
        let acme = SignedPlaces { key_id: Some(SignedPlace::header("Acme-Key")), ..places("Check") };
        assert!(headers(&acme, Says::Version, &request).contains(&"Acme-Version".to_owned()));
        let of = |signature: &str, says| headers(&places(signature), says, &request);
        assert!(of("X-Mac-Value", Says::Algorithm).contains(&"X-Mac-Algorithm".to_owned()));
        assert!(of("Acme-Signature", Says::Version).contains(&"Acme-Signature-Version".to_owned()));
        assert!(of("Acme-Signature", Says::Version).contains(&"Acme-Version".to_owned()));
        assert_eq!(of("S", Says::Algorithm)[0], "X-HMAC-ALGORITHM");
        assert_eq!(of("X-Sig", Says::Version).iter().filter(|n| *n == "X-Sig-Version").count(), 1);
        assert_eq!((snake("X-Mac-Value").as_str(), snake("S").as_str()), ("mac_value", "s"));
    }

    #[test]
    fn a_member_that_names_the_algorithm_is_found_where_it_stands() {
        let sent = Request::get("/?SignatureMethod=HmacSHA256&a=1")
            .with_header("Authorization", "Signature keyId=\"k\",algorithm=\"hmac-sha256\",signature=\"q+8=\"");
        let place = SignedPlace { member: Some("signature".into()), ..SignedPlace::header("Authorization") };
        let found = places_of(&sent, &SignedPlaces { signature: place, ..places("S") }, Says::Algorithm);
        let member = SignedPlace { member: Some("algorithm".into()), ..SignedPlace::header("Authorization") };
        assert_eq!(found, [member, SignedPlace::query("SignatureMethod")]);
    }
}
