//! Does the caller say how the signature is checked?

use engine::{Check, Draft, Edit, NotApplicable, Requests, Session, Signed, Survey, Tamper, Unobserved, subject};
use model::{Forgery, Meta, Secret, Variant, Verdict};

use super::names::{Says, in_query, stated};
use super::tries::{self, Tries, Try};
use super::{BESIDE, META, ONLY};
use crate::signature_coverage::asked::{Asked, of_identity};

/// Values that a library or a switch may read as "do not check".
///
/// **Source**: RFC 7518, section 3.1 (`none`); CVE-2015-9235; a default branch for unknown names.
const NO_ALGORITHM: [&str; 3] = ["none", "null", "unknown"];

/// Names of versions before the one in use.
///
/// **Source**: Stripe's and Slack's labels `v0` and `v1`, bare numbers as in `SignatureVersion=1`.
const OLD_VERSIONS: [&str; 5] = ["v0", "v1", "0", "1", "legacy"];

/// Signatures that need no secret: algorithm and canonical string, the identity's own where absent.
/// A hash with an empty secret in front is the plain hash.
const KEYLESS: [(Option<&str>, Option<&str>, &str); 5] = [
    (Some("sha256-secret-first"), Some("{body}"), "the SHA-256 of the body"),
    (Some("sha256-secret-first"), None, "the SHA-256 of the signed text"),
    (None, None, "a signature under an empty secret"),
    (None, Some("{body}"), "a signature of the body under an empty secret"),
    (Some("md5-secret-first"), None, "the MD5 of the signed text"),
];

/// Is the comparison switched off by a name for the algorithm or an older version?
pub(super) struct SignatureCheckSwitchedOff;

impl Check for SignatureCheckSwitchedOff {
    const META: Meta = META;
    type Subject = subject::Identity;
    type Observation = Tries;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = of_identity(&identity.0, survey)?;
        Ok(Requests::at_most(tries::requests(switched_off(&asked).len())))
    }

    async fn observe(identity: &subject::Identity, survey: &Survey, session: &Session) -> Result<Tries, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        tries::observe(&asked, session, switched_off(&asked)).await
    }

    fn judge(seen: &Tries) -> Verdict {
        tries::forgeable(seen, &Self::META)
    }
}

fn switched_off(asked: &Asked<'_>) -> Vec<Try> {
    let draft = asked.draft.clone();
    let mut list = Vec::new();
    for value in NO_ALGORITHM {
        let edits = stated(asked, Says::Algorithm, value);
        if !edits.is_empty() {
            let what = format!("a corrupted signature with the algorithm named `{value}`");
            list.push(Try::wrong(draft.clone(), Tamper::Corrupt, &edits, what));
        }
    }
    for value in OLD_VERSIONS {
        let edits = stated(asked, Says::Version, value);
        if !edits.is_empty() {
            let what = format!("a corrupted signature with the version named `{value}`");
            list.push(Try::wrong(draft.clone(), Tamper::Corrupt, &edits, what));
        }
    }
    let in_query = in_query(Says::Algorithm, NO_ALGORITHM[0]);
    let what = "a corrupted signature with the algorithm named `none` in the query";
    list.push(Try::wrong(draft.clone(), Tamper::Corrupt, &in_query, what));
    for label in other_labels(asked).into_iter().chain(names_an_algorithm(asked).then_some("none")) {
        let edit = Edit::Signed(Signed::Signature, Tamper::Label(label.into()));
        list.push(Try::wrong(
            draft.clone(),
            Tamper::Corrupt,
            &[edit],
            format!("a corrupted signature labeled `{label}`"),
        ));
    }
    let none = stated(asked, Says::Algorithm, NO_ALGORITHM[0]);
    if !none.is_empty() {
        list.push(Try::wrong(
            draft.clone(),
            Tamper::Empty,
            &none,
            "an empty signature with the algorithm named `none`",
        ));
    }
    list
}

/// Is a signature accepted that everybody can make?
pub(super) struct KeylessSignatureAccepted;

impl Check for KeylessSignatureAccepted {
    const META: Meta = Meta {
        id: "keyless-signature-accepted",
        title: "A signature that needs no secret is accepted",
        variants: &[ONLY, BESIDE],
        cwe: &[327, 757, 347],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Tries;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = of_identity(&identity.0, survey)?;
        match keyless(&asked).len() {
            0 => Err(NotApplicable::new("its scheme signs with a key pair")),
            count => Ok(Requests::at_most(tries::requests(count))),
        }
    }

    async fn observe(identity: &subject::Identity, survey: &Survey, session: &Session) -> Result<Tries, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        tries::observe(&asked, session, keyless(&asked)).await
    }

    fn judge(seen: &Tries) -> Verdict {
        tries::forgeable(seen, &Self::META)
    }
}

fn keyless(asked: &Asked<'_>) -> Vec<Try> {
    let named = [("sha256", "SHA-256"), ("md5", "MD5")]
        .map(|(v, name)| (stated(asked, Says::Algorithm, v), format!(", with the algorithm named {name},")));
    let mut ways = vec![(Vec::new(), String::new())];
    ways.extend(older(asked));
    ways.extend(named.into_iter().filter(|(edits, _)| !edits.is_empty()));
    let mut list = Vec::new();
    for (edits, named) in &ways {
        // The own form under an empty secret, with nothing named, is a question of its own.
        let forms = KEYLESS.into_iter().filter(|(algorithm, ..)| algorithm.is_some() || !edits.is_empty());
        for (algorithm, canonical, what) in forms {
            let forgery = Forgery {
                secret: Some(Secret::new("")),
                algorithm: algorithm.map(Into::into),
                canonical: canonical.map(Into::into),
                ..Forgery::default()
            };
            // Where the scheme signs the body alone, two forms are one; where the own secret is empty,
            // the forgery is the identity's own signature.
            let is_new = canonical.is_none() || !signs_body_alone(asked, &forgery);
            if asked.identity.can_forge(&forgery) && !asked.identity.signs_as(&forgery) && is_new {
                let draft: Draft = asked.draft.clone().forged(forgery);
                list.push(Try::signed(draft, edits, format!("{what}{named}")));
            }
        }
    }
    list
}

/// Ways to say that an older version signed, and how they read behind the signature.
fn older(asked: &Asked<'_>) -> Vec<(Vec<Edit>, String)> {
    let labels = other_labels(asked).into_iter().map(|label| {
        (vec![Edit::Signed(Signed::Signature, Tamper::Label(label.into()))], format!(", labeled `{label}`,"))
    });
    let versions = OLD_VERSIONS
        .into_iter()
        .map(|version| (stated(asked, Says::Version, version), format!(", with the version named `{version}`,")));
    labels.chain(versions.filter(|(edits, _)| !edits.is_empty())).collect()
}

fn signs_body_alone(asked: &Asked<'_>, body: &Forgery) -> bool {
    let own = Forgery { canonical: None, ..body.clone() };
    let body_alone = Forgery { canonical: Some("{body}".into()), ..Forgery::default() };
    asked.identity.can_forge(&own) && asked.identity.signs_as(&body_alone)
}

/// Is the right secret accepted in a form that the scheme has left behind?
pub(super) struct WeakerSignatureAccepted;

const DOWNGRADE: Variant = Variant {
    name: "downgrade",
    when: "the caller may choose an older form; the signature still needs the secret",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// What older versions signed.
///
/// **Source**: GitHub and Shopify (the body), Stripe (time and body).
const OLDER_TEXTS: [(&str, &str); 2] = [("{body}", "the body alone"), ("{ts}.{body}", "time and body alone")];

impl Check for WeakerSignatureAccepted {
    const META: Meta = Meta {
        id: "weaker-signature-accepted",
        title: "A signature of an older, weaker form is accepted",
        variants: &[DOWNGRADE],
        cwe: &[757, 327],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Tries;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = of_identity(&identity.0, survey)?;
        match weaker(&asked).len() {
            0 => Err(NotApplicable::new("its scheme has no older form")),
            count => Ok(Requests::at_most(tries::requests(count))),
        }
    }

    async fn observe(identity: &subject::Identity, survey: &Survey, session: &Session) -> Result<Tries, Unobserved> {
        let asked = of_identity(&identity.0, survey)?;
        tries::observe(&asked, session, weaker(&asked)).await
    }

    fn judge(seen: &Tries) -> Verdict {
        tries::single(seen, &Self::META)
    }
}

fn weaker(asked: &Asked<'_>) -> Vec<Try> {
    let hashes = ["sha1", "md5"].map(|hash| (hash, hmac(hash)));
    let is_own = |forgery: &Forgery| asked.identity.signs_as(forgery);
    let is_old = hashes.iter().any(|(_, forgery)| is_own(forgery));
    let mut list = Vec::new();
    for (hash, forgery) in hashes.into_iter().filter(|(_, forgery)| !is_old && asked.identity.can_forge(forgery)) {
        let draft = asked.draft.clone().forged(forgery);
        let what = format!("HMAC-{}", hash.to_ascii_uppercase());
        list.push(Try::signed(draft.clone(), &[], what.clone()));
        for name in [hash.to_owned(), format!("hmac-{hash}")] {
            let edits = stated(asked, Says::Algorithm, &name);
            if !edits.is_empty() {
                list.push(Try::signed(draft.clone(), &edits, format!("{what} with the algorithm named `{name}`")));
            }
        }
        if names_an_algorithm(asked) {
            let edit = Edit::Signed(Signed::Signature, Tamper::Label(hash.into()));
            list.push(Try::signed(draft, &[edit], format!("{what} labeled `{hash}`")));
        }
    }
    let texts = OLDER_TEXTS.map(|(canonical, what)| {
        (Forgery { canonical: Some(canonical.into()), ..Forgery::default() }, format!("a signature of {what}"))
    });
    let hash = (!is_old).then(|| (hmac("sha1"), "HMAC-SHA1".to_owned()));
    let is_new = |forgery: &Forgery| asked.identity.can_forge(forgery) && !is_own(forgery);
    let forms: Vec<_> = texts.into_iter().chain(hash).filter(|(forgery, _)| is_new(forgery)).collect();
    for (edits, named) in older(asked) {
        for (forgery, what) in &forms {
            list.push(Try::signed(asked.draft.clone().forged(forgery.clone()), &edits, format!("{what}{named}")));
        }
    }
    list
}

fn hmac(hash: &str) -> Forgery {
    Forgery { algorithm: Some(format!("hmac-{hash}")), ..Forgery::default() }
}

/// Versions other than the one that stands before the signature, where one does.
fn other_labels(asked: &Asked<'_>) -> Vec<&'static str> {
    let Some(own) = asked.places.signature.label() else { return Vec::new() };
    let is_version = own.strip_prefix('v').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    if !is_version {
        return Vec::new();
    }
    ["v0", "v1"].into_iter().filter(|label| *label != own).collect()
}

/// True where the word before the signature is a hash, as in `sha256=…`.
fn names_an_algorithm(asked: &Asked<'_>) -> bool {
    asked.places.signature.label().is_some_and(|own| own.to_ascii_lowercase().contains("sha"))
}
