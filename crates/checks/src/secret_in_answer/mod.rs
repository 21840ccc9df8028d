#![doc = include_str!("README.md")]

use std::collections::{BTreeMap, BTreeSet};

use engine::controls::{Standing, standing};
use engine::{AnyCheck, Check, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use model::sensitive::{Certainty, Detection, Kind, detect};
use model::{Category, Confidence, Flaw, Location, Meta, Mode, Need, Owasp, Purpose, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sensitive_field::caller::{Caller, caller, general, issues_credentials, was_sent};
use crate::sensitive_field::covered;

use own::{Known, beyond, credentials};

mod link;
mod own;
pub(crate) mod personal;
#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] =
    &[check::<SecretInAnswer>(), check::<OwnKeyInAnswer>(), check::<PersonalDataInAnswer>()];

const TO_ANYONE: Variant = Variant {
    name: "to-anyone",
    when: "a secret that works by itself reaches whoever asks",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const TO_CALLERS: Variant = Variant {
    name: "to-callers",
    when: "a secret that works by itself reaches callers with credentials",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const LIMITED: Variant = Variant {
    name: "limited",
    when: "a token, a hash or a key for tests: it may be the caller's own, or open little",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const PUBLISHABLE: Variant = Variant { name: "publishable", when: "the vendor means the key to be public", cvss: None };

const OWN: Variant = Variant {
    name: "own-key",
    when: "the caller gets back the key that it sent",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const OTHERS_KEY: Variant = Variant {
    name: "others-key",
    when: "somebody gets the key of another caller",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const NUMBERS_TO_ANYONE: Variant = Variant {
    name: "numbers-to-anyone",
    when: "card numbers, bank accounts or national ids of several people reach whoever asks",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const PEOPLE_TO_ANYONE: Variant = Variant {
    name: "people-to-anyone",
    when: "data of several people reach whoever asks",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const PEOPLE: Variant = Variant {
    name: "people-to-callers",
    when: "more than the e-mail addresses of several people reaches a caller of no special role",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const ADDRESSES: Variant = Variant {
    name: "addresses-to-callers",
    when: "e-mail addresses of several people reach a caller of no special role",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const META: Meta = Meta {
    id: "secret-in-answer",
    title: "An answer holds a secret",
    category: Category::DataExposure,
    owasp: &[Owasp::Api3, Owasp::Api8],
    cwe: &[200, 312],
    variants: &[TO_ANYONE, TO_CALLERS, LIMITED, PUBLISHABLE],
    mode: Mode::Passive,
    needs: &[],
    remedy: Some(&crate::remedies::DECLARED_FIELDS),
    reference: &["KEY-007"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Does an answer hold a secret?
pub struct SecretInAnswer;

/// Does the key that a caller signed in with come back in an answer?
pub struct OwnKeyInAnswer;

/// Does an answer hold data of several people?
pub struct PersonalDataInAnswer;

/// A secret in an answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Leak {
    /// Id of the rule that recognizes it.
    rule: String,
    /// Its name for people.
    name: String,
    /// What sort of value it is.
    kind: Kind,
    /// How sure that is.
    certainty: Certainty,
    /// True if its vendor means it to be public.
    publishable: bool,
    /// Where it stands.
    place: Location,
    /// How often.
    count: usize,
    /// True if it is part of a URL.
    #[serde(default)]
    in_url: bool,
}

/// An answer, with its secrets.
#[derive(Serialize, Deserialize)]
pub struct Leaking {
    /// The answer.
    answer: Recorded,
    /// Who got it.
    caller: Caller,
    /// Its secrets.
    #[serde(default)]
    leaks: Vec<Leak>,
}

/// An answer, and the credentials that may stand in it.
#[derive(Serialize, Deserialize)]
pub struct Returning {
    /// The answer.
    answer: Recorded,
    /// The credentials of the scan.
    credentials: Vec<Known>,
    /// Labels of those that stand in the part of the body that is not recorded.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    beyond: BTreeSet<String>,
}

/// Numbers of one sort in an answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Numbers {
    /// Id of the rule that recognizes them.
    rule: String,
    /// Their name for people.
    name: String,
    /// How many different ones there are.
    distinct: usize,
}

/// An answer, with the people in it.
#[derive(Serialize, Deserialize)]
pub struct People {
    /// The answer.
    answer: Recorded,
    /// Who got it.
    caller: Caller,
    /// Different e-mail addresses of people.
    addresses: usize,
    /// Where the first one stands.
    pointer: Option<String>,
    /// What else it tells of people.
    #[serde(default)]
    details: BTreeSet<String>,
    /// Cards, accounts and national ids.
    #[serde(default)]
    numbers: Vec<Numbers>,
}

impl Check for SecretInAnswer {
    const META: Meta = META;
    type Subject = subject::Exchange;
    type Observation = Leaking;

    fn plan(exchange: &subject::Exchange, _: &Survey) -> Result<Requests, NotApplicable> {
        readable(exchange)?;
        if exchange.operation.is_none() && exchange.recorded.purpose == Purpose::Check {
            return Err(NotApplicable::new("another check asked for it, and reports it"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(exchange: &subject::Exchange, survey: &Survey, session: &Session) -> Result<Leaking, Unobserved> {
        Ok(Leaking {
            caller: caller(&exchange.recorded, survey),
            leaks: leaks(exchange, survey, session),
            answer: exchange.recorded.clone(),
        })
    }

    fn judge(seen: &Leaking) -> Verdict {
        let leaks = seen.leaks.iter().filter(|leak| !is_link_to_hand_over(seen.caller, leak));
        Verdict::of_flaws(leaks.map(|leak| leak_flaw(seen.caller, leak)).collect())
    }
}

impl Check for OwnKeyInAnswer {
    const META: Meta = Meta {
        id: "own-key-in-answer",
        title: "An answer holds the key that a caller signs in with",
        category: Category::ApiKeys,
        variants: &[OWN, OTHERS_KEY],
        needs: &[Need::Identity],
        cwe: &[200, 213],
        reference: &["KEY-006"],
        ..META
    };
    type Subject = subject::Exchange;
    type Observation = Returning;

    fn plan(exchange: &subject::Exchange, survey: &Survey) -> Result<Requests, NotApplicable> {
        readable(exchange)?;
        if survey.identities.is_empty() {
            return Err(NotApplicable::new("there is no identity"));
        }
        if exchange.operation.is_none() || !exchange.raw.is_success() || standing(&exchange.raw) != Standing::Works {
            return Err(NotApplicable::new("it is no working answer of an operation"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(
        exchange: &subject::Exchange,
        survey: &Survey,
        session: &Session,
    ) -> Result<Returning, Unobserved> {
        let credentials = credentials(exchange, survey, session);
        let beyond = beyond(exchange, &credentials, session);
        Ok(Returning { answer: exchange.recorded.clone(), credentials, beyond })
    }

    fn judge(seen: &Returning) -> Verdict {
        Verdict::of_flaws(seen.credentials.iter().filter_map(|known| key_flaw(seen, known)).collect())
    }
}

impl Check for PersonalDataInAnswer {
    const META: Meta = Meta {
        id: "personal-data-in-answer",
        title: "An answer holds data of several people",
        cwe: &[359, 200],
        variants: &[NUMBERS_TO_ANYONE, PEOPLE_TO_ANYONE, PEOPLE, ADDRESSES],
        reference: &[],
        ..META
    };
    type Subject = subject::Exchange;
    type Observation = People;

    fn plan(exchange: &subject::Exchange, survey: &Survey) -> Result<Requests, NotApplicable> {
        readable(exchange)?;
        if exchange.operation.is_none() || !exchange.raw.is_success() || standing(&exchange.raw) != Standing::Works {
            return Err(NotApplicable::new("it is no working answer of an operation"));
        }
        if caller(&exchange.recorded, survey) == Caller::Administrator {
            return Err(NotApplicable::new("an administrator may read it"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(exchange: &subject::Exchange, survey: &Survey, _: &Session) -> Result<People, Unobserved> {
        let nothing = Value::Null;
        let body = exchange.json().unwrap_or(&nothing);
        Ok(People {
            caller: caller(&exchange.recorded, survey),
            addresses: personal::addresses(body).len(),
            pointer: personal::first_address(body).map(|pointer| general(&pointer)),
            details: personal::details(body),
            numbers: numbers(exchange),
            answer: exchange.recorded.clone(),
        })
    }

    fn judge(seen: &People) -> Verdict {
        let to_anyone = match seen.caller {
            Caller::Administrator => return Verdict::NotApplicable { reason: "an administrator may read it".into() },
            Caller::Anonymous => true,
            Caller::Ordinary => false,
        };
        let whom = if to_anyone { "anyone" } else { "a caller of no special role" };
        let mut flaws = Vec::new();
        for numbers in seen.numbers.iter().filter(|n| n.distinct > 1) {
            // Two cards may be one person's own; two national ids are two people.
            let several = to_anyone || seen.addresses > 1 || is_one_per_person(&numbers.rule);
            if several {
                let variant = if to_anyone { &NUMBERS_TO_ANYONE } else { &PEOPLE };
                let message =
                    format!("{} different values of the sort {} reach {whom}", numbers.distinct, numbers.name);
                let flaw = Flaw::new(variant, numbers.rule.clone(), message).with_confidence(Confidence::Likely);
                flaws.push(flaw.mark("answer", format!("{{{{masked:{}:", numbers.rule)));
            }
        }
        if seen.addresses > 1 {
            let variant = match (to_anyone, seen.details.is_empty()) {
                (true, _) => &PEOPLE_TO_ANYONE,
                (false, false) => &PEOPLE,
                (false, true) => &ADDRESSES,
            };
            let details: String = seen.details.iter().map(|detail| format!(" and {detail}")).collect();
            let message = format!("e-mail addresses{details} of {} people reach {whom}", seen.addresses);
            let pointer = seen.pointer.clone().unwrap_or_default();
            let name = pointer.rsplit('/').find(|step| *step != "*").unwrap_or_default().to_owned();
            let flaw = Flaw::new(variant, "people", message).at(Location::ResponseBody(pointer));
            flaws.push(flaw.with_confidence(Confidence::Likely).mark("answer", format!("\"{name}\"")));
        }
        Verdict::of_flaws(flaws)
    }
}

/// Whether an answer is one that may be searched.
fn readable(exchange: &subject::Exchange) -> Result<(), NotApplicable> {
    if inventory::looks_like_description(exchange.raw.body.bytes()) {
        return Err(NotApplicable::new("it is an API description: other checks read it"));
    }
    let issues = exchange.operation.as_deref().is_some_and(issues_credentials);
    if issues && exchange.raw.is_success() {
        return Err(NotApplicable::new("it gives credentials to their owner"));
    }
    Ok(())
}

/// Secrets of an answer that neither the scan's own credentials nor the request explain.
fn leaks(exchange: &subject::Exchange, survey: &Survey, session: &Session) -> Vec<Leak> {
    let works = exchange.operation.is_some() && standing(&exchange.raw) == Standing::Works;
    let named = if works { exchange.json().map(covered).unwrap_or_default() } else { BTreeSet::new() };
    let mut found: Vec<Leak> = Vec::new();
    let mut add = |detection: Detection, text: &[u8], place: &dyn Fn(&str) -> Location| {
        let Some(value) = text.get(detection.start..detection.end).map(String::from_utf8_lossy) else { return };
        if session.knows(&value)
            || !is_secret(&detection)
            || named.contains(&*value)
            || was_sent(&exchange.recorded, &value)
        {
            return;
        }
        let url = link::around(text, detection.start, detection.end);
        if detection.kind == Kind::Jwt && url.as_ref().is_some_and(|url| link::is_of_another_host(url, &survey.origin))
        {
            return;
        }
        let in_url = url.is_some();
        let place = place(&value);
        let is_alike = |leak: &&mut Leak| leak.rule == detection.rule && leak.place == place && leak.in_url == in_url;
        match found.iter_mut().find(is_alike) {
            Some(leak) => leak.count += 1,
            None => found.push(Leak {
                rule: detection.rule,
                name: detection.name,
                kind: detection.kind,
                certainty: detection.certainty,
                publishable: detection.publishable,
                place,
                count: 1,
                in_url,
            }),
        }
    };
    let body = exchange.raw.body.bytes();
    let in_body = |value: &str| {
        let pointer = exchange.json().and_then(|json| pointer_of(json, value)).unwrap_or_default();
        Location::ResponseBody(general(&pointer))
    };
    detect(body).into_iter().for_each(|detection| add(detection, body, &in_body));
    for (name, value) in exchange.raw.headers.iter() {
        if name.eq_ignore_ascii_case("set-cookie") {
            continue;
        }
        let in_header = |_: &str| Location::ResponseHeader(name.to_ascii_lowercase());
        detect(value.as_bytes()).into_iter().for_each(|detection| add(detection, value.as_bytes(), &in_header));
    }
    found
}

/// True for what is a secret by itself. Links that are signed for one download are by design, and a
/// debugger's secret is the fact of another check.
fn is_secret(detection: &Detection) -> bool {
    match detection.kind {
        Kind::ProviderKey | Kind::PrivateKey | Kind::ConnectionString | Kind::Jwt | Kind::PasswordHash => true,
        Kind::SecretUrl => detection.rule != "azure-sas-url",
        Kind::ApplicationSecret => detection.rule != "werkzeug-debugger-secret",
        Kind::PaymentCard | Kind::Iban | Kind::NationalId => false,
    }
}

/// True for a one-time link that an administrator gets to hand over: to a new user, for a new password.
fn is_link_to_hand_over(caller: Caller, leak: &Leak) -> bool {
    caller == Caller::Administrator && leak.in_url && matches!(leak.kind, Kind::Jwt | Kind::PasswordHash)
}

fn leak_flaw(caller: Caller, leak: &Leak) -> Flaw {
    let limited = matches!(leak.kind, Kind::Jwt | Kind::PasswordHash) || leak.rule.contains("-test-");
    let variant = match (leak.publishable, limited, caller) {
        (true, ..) => &PUBLISHABLE,
        (false, true, _) => &LIMITED,
        (false, false, Caller::Anonymous) => &TO_ANYONE,
        (false, false, Caller::Ordinary | Caller::Administrator) => &TO_CALLERS,
    };
    let confidence = match leak.certainty {
        Certainty::Proven => Confidence::Confirmed,
        Certainty::Likely => Confidence::Likely,
    };
    let times = if leak.count > 1 { format!(", {} times", leak.count) } else { String::new() };
    let message = match leak.publishable {
        true => format!("the answer holds {}, which its vendor means to be public{times}", leak.name),
        false => format!("the answer holds {}{times}", leak.name),
    };
    let flaw = Flaw::new(variant, leak.rule.clone(), message).at(leak.place.clone()).with_confidence(confidence);
    if leak.publishable { flaw } else { flaw.mark("answer", format!("{{{{masked:{}:", leak.rule)) }
}

/// Where a text stands in a document.
fn pointer_of(value: &Value, text: &str) -> Option<String> {
    match value {
        Value::String(string) => string.contains(text).then(String::new),
        Value::Object(members) => members.iter().find_map(|(name, member)| {
            let below = pointer_of(member, text)?;
            Some(format!("/{}{below}", name.replace('~', "~0").replace('/', "~1")))
        }),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| Some(format!("/{index}{}", pointer_of(item, text)?)))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn key_flaw(seen: &Returning, known: &Known) -> Option<Flaw> {
    let answer = &seen.answer;
    let response = answer.response()?;
    let header = response
        .headers
        .iter()
        .find(|(name, value)| !name.eq_ignore_ascii_case("set-cookie") && value.contains(&known.label));
    let place = match header {
        Some((name, _)) => Location::ResponseHeader(name.to_ascii_lowercase()),
        None if response.body.text().contains(&known.label) => {
            let pointer = response.json().and_then(|json| pointer_of(&json, &known.label)).unwrap_or_default();
            Location::ResponseBody(general(&pointer))
        }
        None if seen.beyond.contains(&known.label) => Location::ResponseBody(String::new()),
        None => return None,
    };
    let is_own = answer.identity.as_ref().is_some_and(|name| known.holders.contains(name));
    let flaw = match (is_own, &answer.identity) {
        (true, _) => Flaw::new(&OWN, "own-key", "the key that the caller sent comes back in the answer"),
        (false, Some(_)) => Flaw::new(&OTHERS_KEY, "others-key", "the key of another caller stands in the answer"),
        (false, None) => {
            Flaw::new(&OTHERS_KEY, "others-key", "a caller's key stands in an answer to nobody in particular")
        }
    };
    Some(flaw.at(place).mark("answer", known.label.clone()))
}

/// Numbers that belong to people, counted by sort.
fn numbers(exchange: &subject::Exchange) -> Vec<Numbers> {
    let body = exchange.raw.body.bytes();
    let mut by_rule: BTreeMap<String, (String, BTreeSet<Vec<u8>>)> = BTreeMap::new();
    for detection in detect(body) {
        let Some(value) = body.get(detection.start..detection.end) else { continue };
        if is_persons(detection.kind) && !was_sent(&exchange.recorded, &String::from_utf8_lossy(value)) {
            let entry = by_rule.entry(detection.rule).or_insert((detection.name, BTreeSet::new()));
            entry.1.insert(value.to_vec());
        }
    }
    by_rule.into_iter().map(|(rule, (name, values))| Numbers { rule, name, distinct: values.len() }).collect()
}

fn is_persons(kind: Kind) -> bool {
    match kind {
        Kind::PaymentCard | Kind::Iban | Kind::NationalId => true,
        Kind::ProviderKey
        | Kind::PrivateKey
        | Kind::ConnectionString
        | Kind::SecretUrl
        | Kind::Jwt
        | Kind::PasswordHash
        | Kind::ApplicationSecret => false,
    }
}

/// True for numbers of which a person has one.
fn is_one_per_person(rule: &str) -> bool {
    !matches!(rule, "payment-card" | "iban")
}
