#![doc = include_str!("README.md")]

mod asked;
mod refusal;
#[cfg(any(test, feature = "targets"))]
pub mod target;

use std::collections::BTreeSet;

use engine::controls::{Standing, standing, volatile};
use engine::{
    AnyCheck, Authenticate, Baseline, Check, NotApplicable, Requests, Session, Survey, Unobserved, check, subject,
};
use model::{Category, Confidence, Flaw, Location, Meta, Mode, Owasp, Place, Recorded, Response, Variant, Verdict};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use asked::{Asked, asked, key_place};
pub(crate) use asked::{asked_names, is_suitable};
pub(crate) use refusal::{alike, said_apart};

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<KeyInQuery>()];

const ONLY_WAY: Variant = Variant {
    name: "declared",
    when: "callers are told to put the key into the query, or cannot put it elsewhere",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const ALSO: Variant = Variant {
    name: "also-accepted",
    when: "the key is read from the query too, although callers are told to put it elsewhere",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

/// Parameters that are tried although no description names them.
///
/// **Source**: RFC 6750, section 2.3 (`access_token`); parameters of Google, OpenWeather, TMDB and
/// NewsAPI keys; defaults of Kong `key-auth` and Flask snippets.
const GUESSED: [&str; 6] = ["api_key", "apikey", "key", "token", "access_token", "auth"];

/// Does the API read the key from the query?
pub struct KeyInQuery;

/// What is answered to no key, and to a random key in several places. The real key is in none of
/// them, unless the user put it into the query.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// Without any key.
    without_key: Option<Recorded>,
    /// The same a moment later.
    without_key_again: Option<Recorded>,
    /// A random key where the API takes its key outside the query.
    random_in_place: Option<Recorded>,
    /// Name of that place.
    place: Option<String>,
    /// A random key in a query parameter that cannot exist.
    random_in_unknown: Option<Recorded>,
    /// A random key in query parameters that may be read.
    tries: Vec<Try>,
    /// An identity whose key the user put into the query.
    configured: Option<Configured>,
}

#[derive(Serialize, Deserialize)]
struct Try {
    parameter: String,
    declared: bool,
    answer: Recorded,
}

#[derive(Serialize, Deserialize)]
struct Configured {
    parameter: String,
    owner: Recorded,
    dropped: Recorded,
}

impl Check for KeyInQuery {
    const META: Meta = Meta {
        id: "key-in-query",
        title: "The API key travels in the query string",
        category: Category::ApiKeys,
        owasp: &[Owasp::Api2, Owasp::Api8],
        cwe: &[598],
        variants: &[ONLY_WAY, ALSO],
        mode: Mode::Safe,
        needs: &[],
        remedy: Some(&crate::remedies::API_KEY_LOOKUP),
        reference: &["KEY-001"],
        since: "0.1.0",
        disturbs: false,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        let asked = asked(operation, survey);
        if asked.is_nothing() {
            return Err(NotApplicable::new("another operation stands for it, or none takes a key"));
        }
        let controls = 4;
        let guesses = if asked.guesses { GUESSED.len() } else { 0 };
        let tries = u32::try_from(asked.declared.len() + guesses).unwrap_or(u32::MAX);
        Ok(Requests::at_most(controls + tries + if asked.configured.is_some() { 2 } else { 0 }))
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        observe(operation, survey, session).await
    }

    fn judge(seen: &Observation) -> Verdict {
        judge(seen)
    }
}

async fn observe(
    operation: &subject::Operation,
    survey: &Survey,
    session: &Session,
) -> Result<Observation, Unobserved> {
    let asked = asked(operation, survey);
    let mut seen = Observation {
        without_key: None,
        without_key_again: None,
        random_in_place: None,
        place: None,
        random_in_unknown: None,
        tries: Vec::new(),
        configured: None,
    };
    if let Some((baseline, position, parameter)) = &asked.configured {
        let draft = baseline.draft(&operation.key);
        let owner = session.recall(&draft).await?;
        let dropped = session.recall(&draft.authenticate(Authenticate::Dropping(*position))).await?;
        seen.configured = Some(Configured { parameter: parameter.clone(), owner, dropped });
    }
    if !asked.declared.is_empty() || asked.guesses {
        compare(operation, &asked, survey, session, &mut seen).await?;
    }
    Ok(seen)
}

/// Sends no key, a random key in its place, and a random key in each query parameter in question.
async fn compare(
    operation: &subject::Operation,
    asked: &Asked<'_>,
    survey: &Survey,
    session: &Session,
    seen: &mut Observation,
) -> Result<(), Unobserved> {
    let baseline =
        operation.baseline().or(operation.baselines.first()).ok_or(NotApplicable::new("no request is known"))?;
    let without = baseline.draft(&operation.key).without_credentials();
    let place = key_place(baseline, survey);
    let key = random_key(place.as_ref(), baseline, session);
    session.mask_made_up(&key, "random-key");
    let with = |place: &Place| {
        let mut draft = without.clone();
        place.put(&mut draft.request, &key);
        draft
    };
    seen.without_key = Some(session.recall(&without).await?);
    seen.without_key_again = Some(session.send(&without).await?);
    if let Some(place) = &place {
        seen.random_in_place = Some(session.recall(&with(place)).await?);
        seen.place = Some(place.label());
    }
    let unknown = Place::Query { name: survey.unknown_word.clone() };
    seen.random_in_unknown = Some(session.recall(&with(&unknown)).await?);
    let declared = asked.declared.iter().map(|name| (name.as_str(), true));
    let guesses = GUESSED.iter().filter(|_| asked.guesses && place.is_some()).map(|name| (*name, false));
    for (name, declared) in declared.chain(guesses) {
        let again = seen.tries.iter().any(|earlier| earlier.parameter == name);
        // Where a wrong key is refused like none, a guess would tell nothing.
        if again || (!declared && !told_apart(seen)) {
            continue;
        }
        let answer = session.recall(&with(&Place::Query { name: name.into() })).await?;
        seen.tries.push(Try { parameter: name.into(), declared, answer });
    }
    Ok(())
}

/// A key of the same form as the identity's: equal prefix, length and alphabet, so that it is
/// looked up, and unknown.
fn random_key(place: Option<&Place>, baseline: &Baseline, session: &Session) -> String {
    let own = baseline.identity.as_ref().map(|name| session.credentials(name)).unwrap_or_default();
    let own = own.iter().find(|credential| Some(&credential.place) == place).or(own.first());
    let mut random = session.random();
    // Without a key to go by: 128 bits in hexadecimal digits, the form of many keys.
    let template = own.map_or_else(|| "a0".repeat(16), |credential| credential.value.expose().to_owned());
    let prefix = prefix_length(&template);
    let hexadecimal =
        template[prefix..].chars().all(|c| !c.is_ascii_alphabetic() || matches!(c, 'a'..='f' | 'A'..='F'));
    let last = if hexadecimal { 5 } else { 25 };
    let fresh = template[prefix..].chars().map(|c| match c {
        'a'..='z' => char::from(b'a' + random.random_range(0..=last)),
        'A'..='Z' => char::from(b'A' + random.random_range(0..=last)),
        '0'..='9' => char::from(random.random_range(b'0'..=b'9')),
        other => other,
    });
    format!("{}{}", &template[..prefix], fresh.collect::<String>())
}

/// Bytes of the words before a key, such as `sk_live_`: letters, each word closed by `_` or `-`.
fn prefix_length(key: &str) -> usize {
    let mut length = 0;
    while let Some(at) = key[length..].find(['_', '-']) {
        let word = &key[length..length + at];
        // The rest must stay long enough to be random.
        let is_word = (1..=10).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic());
        if !is_word || key.len() - (length + at + 1) < 8 {
            break;
        }
        length += at + 1;
    }
    length
}

/// The answers to a request without a key, if the other controls say that answers can be compared.
fn controls(seen: &Observation) -> Result<(&Response, BTreeSet<String>), &'static str> {
    let response = |recorded: &'_ Option<Recorded>| recorded.as_ref().and_then(|r| r.response().cloned());
    let without =
        seen.without_key.as_ref().and_then(|r| r.response()).ok_or("no response to a request without a key")?;
    match standing(without) {
        Standing::Refused | Standing::Invalid => {}
        Standing::Works => return Err("it answers without a key"),
        Standing::Missing | Standing::Limited | Standing::Failed | Standing::Redirected | Standing::Unclear => {
            return Err("a request without a key is not refused as such");
        }
    }
    let again = response(&seen.without_key_again).ok_or("no response to a request without a key")?;
    let changes = volatile(without, &again);
    if !alike(without, &again, &changes) {
        return Err("each refusal is another text");
    }
    let unknown = response(&seen.random_in_unknown).ok_or("no response to an unknown parameter")?;
    if !alike(without, &unknown, &changes) {
        return Err("an unknown parameter changes the refusal");
    }
    Ok((without, changes))
}

/// True if a wrong key in its place is refused in other words than none.
fn told_apart(seen: &Observation) -> bool {
    let in_place = seen.random_in_place.as_ref().and_then(|r| r.response());
    controls(seen).is_ok_and(|(without, changes)| in_place.is_some_and(|answer| !alike(without, answer, &changes)))
}

fn judge(seen: &Observation) -> Verdict {
    let mut flaws: Vec<Flaw> = seen.configured.iter().filter_map(configured).collect();
    let declared = seen.tries.iter().any(|one| one.declared);
    let (without, changes) = match controls(seen) {
        Ok(controls) => controls,
        Err(_) if !flaws.is_empty() => return Verdict::of_flaws(flaws),
        Err(reason) if declared => return Verdict::inconclusive(reason),
        Err(reason) => return Verdict::NotApplicable { reason: reason.into() },
    };
    let in_place = seen.random_in_place.as_ref().and_then(|r| r.response());
    let in_place = in_place.filter(|answer| !alike(without, answer, &changes));
    let mut undecided = None;
    for one in &seen.tries {
        if flaws.iter().any(|flaw| flaw.location == Location::Parameter(one.parameter.clone())) {
            continue;
        }
        let Some(answer) = one.answer.response() else {
            undecided = Some("no response to a random key in the query".to_owned());
            continue;
        };
        if matches!(standing(answer), Standing::Limited | Standing::Failed | Standing::Redirected) {
            undecided = Some(format!("a random key in the query was answered with {}", answer.status));
            continue;
        }
        let as_without = alike(without, answer, &changes);
        let as_in_place = in_place.is_some_and(|other| alike(other, answer, &changes));
        if as_without {
            if in_place.is_none() && one.declared {
                undecided = Some("a random key and none are refused alike".into());
            }
            continue;
        }
        if as_in_place || one.declared {
            flaws.push(read(one, answer, without, as_in_place || in_place.is_none(), seen));
        }
    }
    if let (true, Some(reason)) = (flaws.is_empty(), undecided) {
        return Verdict::inconclusive(reason);
    }
    if flaws.is_empty() && in_place.is_none() && !declared && seen.configured.is_none() {
        return Verdict::NotApplicable { reason: "a random key and none are refused alike".into() };
    }
    Verdict::of_flaws(flaws)
}

/// The key that the user put into the query works there, and is needed.
fn configured(seen: &Configured) -> Option<Flaw> {
    let works = standing(seen.owner.response()?) == Standing::Works;
    let refused = matches!(standing(seen.dropped.response()?), Standing::Refused | Standing::Invalid);
    let message = format!("the key in `{}` is accepted, and without it the request is refused", seen.parameter);
    let flaw = Flaw::new(&ONLY_WAY, "key-in-query", message).at(Location::Parameter(seen.parameter.clone()));
    (works && refused).then(|| flaw.mark("configured", format!("{}=", seen.parameter)))
}

/// A random key in this parameter is refused as a key.
fn read(one: &Try, answer: &Response, without: &Response, sure: bool, seen: &Observation) -> Flaw {
    let (wrong, none) = said_apart(answer, without);
    let (variant, message) = if one.declared {
        (&ONLY_WAY, format!("declared in: query; a random key there gives {wrong}, none gives {none}"))
    } else {
        let place = seen.place.as_deref().unwrap_or("its place");
        (&ALSO, format!("a random key in `{}` gives {wrong}, as in {place}; none gives {none}", one.parameter))
    };
    let confidence = if sure { Confidence::Confirmed } else { Confidence::Likely };
    Flaw::new(variant, "key-in-query", message)
        .with_confidence(confidence)
        .at(Location::Parameter(one.parameter.clone()))
        .mark("tries", format!("{}=", one.parameter))
}

#[cfg(test)]
mod tests {
    use super::prefix_length;

    #[test]
    fn a_prefix_is_made_of_words() {
        for (key, length) in [
            ("sk_live_9f86d081884c7d65", 8),
            ("ak_7f3e91d0c4b2", 3),
            ("9f86d081-884c-7d65-9a2f-eaa0c55ad015", 0),
            ("key-short", 0),
            ("9f86d081884c7d659a2f", 0),
        ] {
            assert_eq!(prefix_length(key), length, "{key}");
        }
    }
}
