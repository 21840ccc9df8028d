#![doc = include_str!("README.md")]

use std::collections::{BTreeMap, BTreeSet};

use engine::controls::{Standing, standing};
use engine::{AnyCheck, Check, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use inventory::{response_schema, undeclared};
use model::redact::End;
use model::sensitive::{FieldKind, Kind, detect, named_secrets, secret_of, sensitive_fields};
use model::{Category, Confidence, Flaw, Location, Meta, Mode, Owasp, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use caller::{Caller, caller, general, issues_credentials, persons, was_sent};

pub(crate) mod caller;
#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<SensitiveField>(), check::<UndeclaredField>()];

const OTHERS_TO_ANYONE: Variant = Variant {
    name: "others-to-anyone",
    when: "several people's secrets reach whoever asks",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const OTHERS: Variant = Variant {
    name: "others",
    when: "several people's secrets reach a caller with credentials",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const CLEAR_PASSWORD: Variant = Variant {
    name: "clear-password",
    when: "a password can be read back, so it is stored in clear",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const ONE_TO_ANYONE: Variant = Variant {
    name: "one-to-anyone",
    when: "one object's secret reaches whoever asks",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const ONE: Variant = Variant {
    name: "one",
    when: "one object's secret, perhaps the caller's own, can be read back",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const NOTE: Variant = Variant {
    name: "internal-note",
    when: "the answer holds remarks that are meant for the staff",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const DRIFT: Variant =
    Variant { name: "drift", when: "an answer has members that the description does not declare", cvss: None };

const META: Meta = Meta {
    id: "sensitive-field",
    title: "An answer holds members that no caller needs",
    category: Category::PropertyAuthorization,
    owasp: &[Owasp::Api3],
    cwe: &[213, 200, 256],
    variants: &[OTHERS_TO_ANYONE, OTHERS, CLEAR_PASSWORD, ONE_TO_ANYONE, ONE, NOTE],
    mode: Mode::Passive,
    needs: &[],
    remedy: Some(&crate::remedies::DECLARED_FIELDS),
    reference: &["KEY-007"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Does an answer hold members that no caller needs?
pub struct SensitiveField;

/// Does an answer hold members that the description does not declare?
pub struct UndeclaredField;

/// A member of an answer, wherever it repeats.
#[derive(Debug, Serialize, Deserialize)]
pub struct Held {
    /// JSON pointer, array indexes as `*`.
    pointer: String,
    /// What the member holds.
    kind: FieldKind,
    /// Objects that have it.
    objects: usize,
}

/// An answer, with its sensitive members.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The answer.
    answer: Recorded,
    /// Who got it.
    caller: Caller,
    /// Its sensitive members.
    #[serde(default)]
    held: Vec<Held>,
    /// Persons that it tells apart.
    #[serde(default)]
    persons: usize,
}

/// An answer, with the members that are not declared.
#[derive(Serialize, Deserialize)]
pub struct Drift {
    /// The answer.
    answer: Recorded,
    /// JSON pointers, array indexes as `*`.
    #[serde(default)]
    undeclared: Vec<String>,
}

impl Check for SensitiveField {
    const META: Meta = META;
    type Subject = subject::Exchange;
    type Observation = Observation;

    fn plan(exchange: &subject::Exchange, _: &Survey) -> Result<Requests, NotApplicable> {
        let operation = working(exchange)?;
        if exchange.json().is_none() && !is_data(&exchange.raw) {
            return Err(NotApplicable::new("the answer is no data"));
        }
        if issues_credentials(operation) {
            return Err(NotApplicable::new("it gives credentials to their owner"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(
        exchange: &subject::Exchange,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let own: BTreeSet<String> = survey
            .identities
            .iter()
            .flat_map(|identity| session.credentials(&identity.name))
            .map(|credential| credential.value.expose().to_owned())
            .collect();
        let is_known = |value: &str| own.contains(value) || was_sent(&exchange.recorded, value);
        let (held, persons) = match exchange.json() {
            Some(body) => (held(body, is_known), persons(body)),
            None => (held_in_text(&exchange.raw, is_known), 0),
        };
        Ok(Observation { caller: caller(&exchange.recorded, survey), held, persons, answer: exchange.recorded.clone() })
    }

    fn judge(seen: &Observation) -> Verdict {
        Verdict::of_flaws(seen.held.iter().filter_map(|held| flaw(seen, held)).collect())
    }
}

impl Check for UndeclaredField {
    const META: Meta = Meta {
        id: "undeclared-field",
        title: "Answers have members that the description does not declare",
        cwe: &[213],
        variants: &[DRIFT],
        needs: &[model::Need::Description],
        reference: &[],
        ..META
    };
    type Subject = subject::Exchange;
    type Observation = Drift;

    fn plan(exchange: &subject::Exchange, survey: &Survey) -> Result<Requests, NotApplicable> {
        let operation = working(exchange)?;
        if exchange.json().is_none() {
            return Err(NotApplicable::new("the answer is no JSON"));
        }
        let body = |recorded: &Recorded| recorded.response().map(|response| response.body.clone());
        if survey.unknown_path.as_ref().and_then(body) == body(&exchange.recorded) {
            return Err(NotApplicable::new("a path that cannot exist gets the same answer"));
        }
        let (exact, class) = (exchange.raw.status.to_string(), format!("{}XX", exchange.raw.status / 100));
        // `default` often stands for errors only.
        if !operation.responses.iter().any(|r| r.status == exact || r.status.eq_ignore_ascii_case(&class)) {
            return Err(NotApplicable::new("the description declares no answer of this status"));
        }
        if response_schema(operation, exchange.raw.status, &exchange.raw.media_type()).is_none() {
            return Err(NotApplicable::new("the description declares no schema for the answer"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(exchange: &subject::Exchange, survey: &Survey, _: &Session) -> Result<Drift, Unobserved> {
        let body = exchange.json().ok_or(NotApplicable::new("the answer is no JSON"))?;
        let operation = exchange.operation.as_ref().ok_or(NotApplicable::new("it belongs to no operation"))?;
        let schema = response_schema(operation, exchange.raw.status, &exchange.raw.media_type());
        let schema = schema.ok_or(NotApplicable::new("the description declares no schema for the answer"))?;
        let sensitive: Vec<String> =
            sensitive_fields(body).into_iter().filter(|f| is_withheld(f.kind)).map(|f| general(&f.pointer)).collect();
        let mut undeclared = undeclared(survey.inventory.schema(&schema), body);
        undeclared.retain(|pointer| {
            let below = format!("{pointer}/");
            !is_convention(pointer) && !sensitive.iter().any(|s| s == pointer || s.starts_with(&below))
        });
        Ok(Drift { answer: exchange.recorded.clone(), undeclared })
    }

    fn judge(seen: &Drift) -> Verdict {
        let Some(first) = seen.undeclared.first() else { return Verdict::pass() };
        let names: Vec<String> = seen.undeclared.iter().take(SHOWN).map(|p| format!("`{p}`")).collect();
        let more = seen.undeclared.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let message = format!("the answer has {}{more}, which the description does not declare", names.join(", "));
        let flaw = Flaw::new(&DRIFT, "drift", message).at(Location::ResponseBody(String::new()));
        Verdict::fail(flaw.mark("answer", quoted(first)))
    }
}

/// Names that a message lists. **Source**: chosen; one line.
const SHOWN: usize = 5;

fn working(exchange: &subject::Exchange) -> Result<&inventory::Operation, NotApplicable> {
    let operation = exchange.operation.as_deref().ok_or(NotApplicable::new("it belongs to no operation"))?;
    if !exchange.raw.is_success() || standing(&exchange.raw) != Standing::Works {
        return Err(NotApplicable::new("it is no working answer"));
    }
    Ok(operation)
}

/// True for what no caller needs to read. Cards, accounts and people's data are another check's.
fn is_withheld(kind: FieldKind) -> bool {
    match kind {
        FieldKind::Password
        | FieldKind::PasswordHash
        | FieldKind::PasswordSalt
        | FieldKind::ApiKey
        | FieldKind::Token
        | FieldKind::Secret
        | FieldKind::SecondFactor
        | FieldKind::SecurityAnswer
        | FieldKind::PrivateKey
        | FieldKind::CardVerification
        | FieldKind::InternalNote => true,
        FieldKind::PaymentCard
        | FieldKind::BankAccount
        | FieldKind::NationalId
        | FieldKind::RoleFlag
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::BirthDate
        | FieldKind::Address
        | FieldKind::Income => false,
    }
}

/// The sensitive members of a document, but for values that are known to the caller anyway and for
/// those whose own form says what they are: these belong to `secret-in-answer`.
fn held(body: &Value, is_known: impl Fn(&str) -> bool) -> Vec<Held> {
    let mut places: BTreeMap<(String, FieldKind), usize> = BTreeMap::new();
    for field in sensitive_fields(body).into_iter().filter(|f| is_withheld(f.kind)) {
        let text = body.pointer(&field.pointer).and_then(Value::as_str).unwrap_or_default();
        if (!text.is_empty() && is_known(text)) || has_own_form(text) {
            continue;
        }
        *places.entry((general(&field.pointer), field.kind)).or_default() += 1;
    }
    places.into_iter().map(|((pointer, kind), objects)| Held { pointer, kind, objects }).collect()
}

/// True for a response whose text is data: a table, lines, a document of another format than JSON.
fn is_data(response: &Response) -> bool {
    let media_type = response.media_type();
    let is_of = |part: &str| media_type.contains(part);
    ["csv", "tab-separated", "xml", "yaml", "ndjson", "jsonl", "json-seq", "x-www-form-urlencoded"]
        .into_iter()
        .any(is_of)
        || media_type == "text/plain"
}

/// The sensitive values of a text, by the names that they stand beside.
fn held_in_text(response: &Response, is_known: impl Fn(&str) -> bool) -> Vec<Held> {
    let mut places: BTreeMap<(String, FieldKind), usize> = BTreeMap::new();
    let end = if response.truncated { End::Cut } else { End::Whole };
    for named in named_secrets(response.body.bytes(), end) {
        let Some(kind) = secret_of(&named.name, &named.value).filter(|kind| is_withheld(*kind)) else { continue };
        if !is_known(&named.value) && !has_own_form(&named.value) {
            *places.entry((format!("/{}", named.name), kind)).or_default() += 1;
        }
    }
    places.into_iter().map(|((pointer, kind), objects)| Held { pointer, kind, objects }).collect()
}

/// Values of a document that `sensitive-field` reports, so that no other check repeats them.
pub(crate) fn covered(body: &Value) -> BTreeSet<String> {
    sensitive_fields(body)
        .into_iter()
        .filter(|field| is_withheld(field.kind))
        .filter_map(|field| body.pointer(&field.pointer)?.as_str().map(str::to_owned))
        .filter(|text| !has_own_form(text))
        .collect()
}

/// True for a value that is recognized by its form, wherever it stands.
fn has_own_form(text: &str) -> bool {
    detect(text.as_bytes()).iter().any(|d| !is_named(d.kind))
}

/// True for forms that say less than the name of the member that holds them.
fn is_named(kind: Kind) -> bool {
    match kind {
        Kind::Jwt | Kind::PasswordHash => true,
        Kind::ProviderKey
        | Kind::PrivateKey
        | Kind::ConnectionString
        | Kind::SecretUrl
        | Kind::ApplicationSecret
        | Kind::PaymentCard
        | Kind::Iban
        | Kind::NationalId => false,
    }
}

fn flaw(seen: &Observation, held: &Held) -> Option<Flaw> {
    let several = held.objects > 1;
    let to_anyone = seen.caller == Caller::Anonymous;
    let administrator = seen.caller == Caller::Administrator;
    let (cause, words, certain, stored_for_one) = words(held.kind);
    let others = several && (stored_for_one || seen.persons > 1);
    let is_note = held.kind == FieldKind::InternalNote;
    if administrator && !stored_for_one {
        return None;
    }
    let variant = match () {
        () if is_note => &NOTE,
        () if administrator => &ONE,
        () if others && to_anyone => &OTHERS_TO_ANYONE,
        () if others => &OTHERS,
        () if held.kind == FieldKind::Password => &CLEAR_PASSWORD,
        () if to_anyone => &ONE_TO_ANYONE,
        () => &ONE,
    };
    let whom = match seen.caller {
        Caller::Anonymous => "anyone",
        Caller::Ordinary => "a caller of no special role",
        Caller::Administrator => "an administrator",
    };
    let member = held.pointer.rsplit('/').find(|step| *step != "*").unwrap_or_default();
    let objects = if several { format!("{} objects", held.objects) } else { "one object".to_owned() };
    let message = format!("`{member}` gives {words} of {objects} to {whom}");
    let confidence = if certain { Confidence::Confirmed } else { Confidence::Likely };
    let is_json = seen.answer.response().is_some_and(|response| response.json().is_some());
    let mark = if is_json { quoted(&held.pointer) } else { member.to_owned() };
    Some(
        Flaw::new(variant, cause, message)
            .at(Location::ResponseBody(held.pointer.clone()))
            .with_confidence(confidence)
            .mark("answer", mark),
    )
}

/// A kind as a cause and in words; whether its value leaves no doubt; and whether it is what an
/// account holds once, for its owner alone.
fn words(kind: FieldKind) -> (&'static str, &'static str, bool, bool) {
    match kind {
        FieldKind::Password => ("password", "the clear password", true, true),
        FieldKind::PasswordHash => ("password-hash", "the hash of the password", true, true),
        FieldKind::PasswordSalt => ("password-salt", "the salt of the password", false, true),
        FieldKind::ApiKey => ("api-key", "the API key", false, false),
        FieldKind::Token => ("token", "a token", false, false),
        FieldKind::Secret => ("secret", "a shared secret", false, false),
        FieldKind::SecondFactor => ("second-factor", "the seed or codes of the second factor", false, true),
        FieldKind::SecurityAnswer => ("security-code", "a code or security answer", false, false),
        FieldKind::PrivateKey => ("private-key", "the private key", true, true),
        FieldKind::CardVerification => ("card-verification", "the card's verification code", false, false),
        FieldKind::InternalNote => ("internal-note", "the staff's remark", false, false),
        FieldKind::PaymentCard
        | FieldKind::BankAccount
        | FieldKind::NationalId
        | FieldKind::RoleFlag
        | FieldKind::Email
        | FieldKind::Phone
        | FieldKind::BirthDate
        | FieldKind::Address
        | FieldKind::Income => ("personal-detail", "a personal detail", false, false),
    }
}

/// The name of a pointer's last member, as it stands in JSON.
fn quoted(pointer: &str) -> String {
    let name = pointer.rsplit('/').find(|step| *step != "*").unwrap_or_default();
    format!("\"{}\"", name.replace("~1", "/").replace("~0", "~"))
}

/// Members that formats and frameworks add by convention.
///
/// **Source**: HAL, JSON:API "meta" and "links", OData 4.01, Google AIP-158, Mongoose.
const CONVENTIONS: [&str; 13] = [
    "meta",
    "links",
    "metadata",
    "pagination",
    "paging",
    "next_token",
    "nexttoken",
    "next_page_token",
    "nextpagetoken",
    "request_id",
    "requestid",
    "trace_id",
    "timestamp",
];

fn is_convention(pointer: &str) -> bool {
    pointer.split('/').any(|step| {
        let step = step.to_ascii_lowercase();
        step.starts_with(['_', '@', '$'])
            || step.contains("@odata.")
            || step.contains("csrf")
            || step.contains("xsrf")
            || CONVENTIONS.contains(&step.as_str())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn passwords_of_a_debug_listing_are_held_and_emails_are_not() {
        let body = json!({ "users": [
            { "admin": false, "email": "mail1@mail.com", "password": "pass1", "username": "name1" },
            { "admin": true, "email": "admin@mail.com", "password": "pass2", "username": "admin" },
        ] });
        let held = held(&body, |_| false);
        let seen: Vec<_> = held.iter().map(|h| (h.pointer.as_str(), h.kind, h.objects)).collect();
        assert_eq!(seen, [("/users/*/password", FieldKind::Password, 2)]);
        assert_eq!(persons(&body), 2);
    }

    #[test]
    fn passwords_of_a_table_are_held_too() {
        let response = |media_type: &str, body: &str| Response {
            status: 200,
            headers: [("Content-Type", media_type)].into_iter().collect(),
            body: body.to_owned().into(),
            body_bytes: 0,
            truncated: false,
        };
        for (media_type, body) in [
            ("text/csv", "id,email,password\n1,a@b.example,tulip-7-harbor\n2,c@d.example,amber-9-river\n"),
            ("application/xml", "<u><password>tulip-7-harbor</password></u><u><password>amber-9-river</password></u>"),
            ("application/x-ndjson", "{\"password\":\"tulip-7-harbor\"}\n{\"password\":\"amber-9-river\"}\n"),
        ] {
            let response = response(media_type, body);
            let held = held_in_text(&response, |_| false);
            let seen: Vec<_> = held.iter().map(|h| (h.pointer.as_str(), h.kind, h.objects)).collect();
            assert_eq!(seen, [("/password", FieldKind::Password, 2)], "{media_type}");
            assert!(is_data(&response));
            assert!(held_in_text(&response, |value| value.contains('-')).is_empty());
        }
        assert!(!is_data(&response("text/html", "<input name=password value=x>")));
    }

    #[test]
    fn what_the_caller_knows_and_what_has_a_form_of_its_own_is_not_held() {
        let key = concat!("sk_", "live_", "51Nq8ZtKcVb3LxWpR7mYhD2s");
        let body = json!({ "password": "tulip-7-harbor", "api_key": key, "token": null });
        assert!(held(&body, |value| value == "tulip-7-harbor").is_empty());
        assert_eq!(covered(&body), BTreeSet::from(["tulip-7-harbor".to_owned()]));
    }

    #[test]
    fn passwords_of_several_people_are_high_and_confirmed() {
        let examples = engine::examples::parse(META.examples).unwrap();
        let listing = examples.iter().find(|e| e.title.contains("everyone's passwords")).unwrap();
        let verdict = check::<SensitiveField>().judge(&listing.observation).unwrap();
        let [flaw] = verdict.flaws() else { panic!("{verdict:?}") };
        assert_eq!(META.variant(&flaw.variant).unwrap().severity(), model::Severity::High);
        assert_eq!(flaw.confidence, Confidence::Confirmed);
    }

    #[test]
    fn members_by_convention_are_no_drift() {
        for pointer in ["/_links", "/items/*/@odata.etag", "/meta", "/next_token", "/csrfToken", "/__v"] {
            assert!(is_convention(pointer), "{pointer}");
        }
        assert!(!is_convention("/users/*/shard"));
    }
}
