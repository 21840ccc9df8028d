#![doc = include_str!("README.md")]

use engine::controls::{Standing, standing};
use engine::{
    AnyCheck, Check, Draft, Intent, NotApplicable, RANDOM_SIGN_INS, Requests, Session, Survey, Unobserved, check,
    subject,
};
use model::{Category, Confidence, Flaw, Meta, Mode, Need, Owasp, Place, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

pub(crate) mod key;
pub(crate) mod sign_in;
#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<UnlimitedGuessing>(), check::<UnlimitedKeyGuessing>()];

/// Random keys that are tried, and the time that they may take.
///
/// **Source**: KEY-023 of docs/rows.md; docs/safety.md (bursts of 30).
const KEYS: u32 = 30;
const KEYS_WITHIN_MS: u64 = 10_000;

/// Random keys below which nothing is said.
///
/// **Source**: chosen; a slow server takes fewer in the same time.
const FEWEST_KEYS: usize = 20;

/// Tries to sign in below which nothing is said: one of the scan's is another check's, where there is a log
/// to read.
const FEWEST_SIGN_INS: u32 = RANDOM_SIGN_INS - 1;

/// Bits from which a random key cannot be guessed over a network.
///
/// **Source**: docs/rows.md, KEY-023.
const UNGUESSABLE_BITS: u32 = 96;

/// An answer counts as delayed where the last tries take this many times the first ones, and this much more.
///
/// **Source**: chosen; beyond the noise of a network.
const DELAY_FACTOR: u64 = 2;
const DELAY_MS: u64 = 300;

const REMOTE: Variant = Variant {
    name: "no-limit-seen",
    when: "guesses are answered at full speed",
    cvss: Some("CVSS:4.0/AV:N/AC:H/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const LOOPBACK: Variant = Variant {
    name: "no-limit-seen-on-loopback",
    when: "the target is this machine, where limits often stand in front of the deployed application",
    cvss: None,
};

const LONG_KEY: Variant = Variant { name: "unguessable-key", when: "the key is too long to be guessed", cvss: None };

const META: Meta = Meta {
    id: "unlimited-guessing",
    title: "Passwords can be guessed without a limit",
    category: Category::RateLimiting,
    owasp: &[Owasp::Api2, Owasp::Api4],
    cwe: &[307, 799],
    variants: &[REMOTE, LOOPBACK],
    mode: Mode::Safe,
    needs: &[Need::Description],
    remedy: Some(&crate::remedies::RATE_LIMIT),
    reference: &[],
    since: "0.1.0",
    disturbs: true,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Is there a limit on guessing passwords?
pub struct UnlimitedGuessing;

/// Is there a limit on guessing keys?
pub struct UnlimitedKeyGuessing;

/// Guesses in a row, and a request that works afterwards.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The guesses, in their order.
    guesses: Vec<Recorded>,
    /// A working request, sent after them.
    works_after: Option<Recorded>,
    /// The answer to a path that cannot exist.
    unknown_path: Option<Recorded>,
    /// Bits of randomness in the key that was to be guessed; absent where two users have it, which says
    /// more of its randomness than its characters do.
    key_bits: Option<u32>,
    /// True if the target is this machine.
    loopback: bool,
}

impl Check for UnlimitedGuessing {
    const META: Meta = META;
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        if !sign_in::is_sign_in(&operation.operation, &survey.inventory) {
            return Err(NotApplicable::new("it is no sign-in with a user and a password"));
        }
        let first = survey.operations.iter().find(|o| sign_in::is_sign_in(&o.operation, &survey.inventory));
        if first.is_some_and(|first| first.key != operation.key) {
            return Err(NotApplicable::new("another sign-in operation is asked: the tries are few"));
        }
        Ok(Requests { expected: tries(survey) + 1, most: 2 * tries(survey) + 4 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let mut guesses: Vec<Recorded> = Vec::new();
        let tried = sign_in::guesses(&operation.operation, survey, session, tries(survey))
            .ok_or(NotApplicable::new("the description does not say what a sign-in looks like"))?;
        for guess in tried {
            let mut draft = Draft::anonymous(guess.request).for_operation(&operation.key);
            draft.intent = Intent::RandomSignIn;
            draft.burst = true;
            let guess = session.send(&draft).await?;
            let answered_otherwise = guess.response().is_none_or(|answer| !sign_in::is_failed(answer));
            guesses.push(guess);
            // A limit that was reached is known, and a random user that gets in must not get in again.
            if answered_otherwise {
                break;
            }
        }
        Ok(Observation {
            guesses,
            works_after: works_after(survey, session).await?,
            unknown_path: survey.unknown_path.clone(),
            key_bits: None,
            loopback: survey.is_loopback(),
        })
    }

    fn judge(seen: &Observation) -> Verdict {
        let failed = |answer: &Response| sign_in::is_failed(answer);
        let alike = seen.unknown_path.as_ref().and_then(|e| e.response());
        if let (Some(first), Some(unknown)) = (seen.guesses.first().and_then(|e| e.response()), alike)
            && first.status == unknown.status
            && first.body == unknown.body
        {
            return Verdict::inconclusive("a path that cannot exist is answered like a failed sign-in");
        }
        judge(seen, FEWEST_SIGN_INS as usize, failed, |spent| {
            let variant = if seen.loopback { &LOOPBACK } else { &REMOTE };
            Flaw::new(
                variant,
                "no-limit-on-passwords",
                format!("no limit seen in {spent}: each failed sign-in was answered like the first"),
            )
        })
    }
}

impl Check for UnlimitedKeyGuessing {
    const META: Meta = Meta {
        id: "unlimited-key-guessing",
        title: "Keys can be guessed without a limit",
        variants: &[REMOTE, LOOPBACK, LONG_KEY],
        needs: &[Need::Identity],
        reference: &["KEY-023"],
        ..META
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let identity = &identity.0;
        if !identity.alive || canary(&identity.name, survey).is_none() {
            return Err(NotApplicable::new("no operation answers it and refuses a request without credentials"));
        }
        if identity.signs {
            return Err(NotApplicable::new("its requests are signed: the key alone opens nothing"));
        }
        match identity.places.first() {
            Some(place) if is_key(place) => Ok(Requests { expected: KEYS + 1, most: 2 * KEYS + 4 }),
            Some(_) => Err(NotApplicable::new("its credential is a user's password or a session")),
            None => Err(NotApplicable::new("it has no credential")),
        }
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let name = &identity.0.name;
        let canary = canary(name, survey).ok_or(NotApplicable::new("there is no operation to guess at"))?;
        let credentials = session.credentials(name);
        let own = credentials.first().ok_or(NotApplicable::new("it has no credential"))?.value.expose();
        if key::is_token(own) {
            return Err(NotApplicable::new("its credential is a signed token, which nobody guesses").into());
        }
        let mut random = session.random();
        let mut guesses: Vec<Recorded> = Vec::new();
        while guesses.len() < KEYS as usize && spent_ms(&guesses) < KEYS_WITHIN_MS {
            let mut draft = canary.clone().replacing(0, &key::twin(own, &mut random), None);
            draft.burst = true;
            let guess = session.send(&draft).await?;
            let refused = guess.response().is_some_and(is_refused);
            guesses.push(guess);
            if !refused {
                break;
            }
        }
        Ok(Observation {
            guesses,
            works_after: Some(session.send(&canary).await?),
            unknown_path: None,
            key_bits: identity.0.same_as.is_empty().then(|| key::bits(own)),
            loopback: survey.is_loopback(),
        })
    }

    fn judge(seen: &Observation) -> Verdict {
        judge(seen, FEWEST_KEYS, is_refused, |spent| {
            let (variant, why) = match (seen.loopback, seen.key_bits) {
                (_, Some(bits)) if bits >= UNGUESSABLE_BITS => {
                    (&LONG_KEY, format!("; with about {bits} random bits the key is out of reach all the same"))
                }
                (true, _) => (&LOOPBACK, String::new()),
                (false, Some(bits)) => (&REMOTE, format!("; the key has about {bits} random bits")),
                (false, None) => (&REMOTE, "; several users have the key".to_owned()),
            };
            Flaw::new(
                variant,
                "no-limit-on-keys",
                format!("no limit seen in {spent}: each random key was refused like the first{why}"),
            )
        })
    }
}

/// How often it is tried to sign in.
fn tries(survey: &Survey) -> u32 {
    if survey.has_log { FEWEST_SIGN_INS } else { RANDOM_SIGN_INS }
}

fn is_key(place: &Place) -> bool {
    match place {
        Place::Header { name, .. } => !name.eq_ignore_ascii_case("cookie") && place.label() != "basic",
        Place::Query { .. } => true,
        Place::Cookie { .. } => false,
    }
}

/// The request that shows whether an identity works.
fn canary(name: &str, survey: &Survey) -> Option<Draft> {
    let key = survey.identity(name)?.canary.as_ref()?;
    Some(survey.operation(key)?.baseline_of(name)?.draft(key))
}

/// A request that works, if there is one.
async fn works_after(survey: &Survey, session: &Session) -> Result<Option<Recorded>, Unobserved> {
    let canaries = survey.identities.iter().find_map(|identity| canary(&identity.name, survey));
    let any = || survey.operations.iter().find_map(|o| Some(o.any_baseline()?.draft(&o.key)));
    match canaries.or_else(any) {
        Some(draft) => Ok(Some(session.send(&draft).await?)),
        None => Ok(None),
    }
}

/// Judges guesses of which each must have failed in the same way.
fn judge(
    seen: &Observation,
    fewest: usize,
    failed: impl Fn(&Response) -> bool,
    flaw: impl Fn(&str) -> Flaw,
) -> Verdict {
    let mut answers: Vec<&Response> = Vec::new();
    for guess in &seen.guesses {
        let Some(answer) = guess.response() else { return Verdict::inconclusive("a guess got no response") };
        if let Some(sign) = sign_of_limit(answer) {
            return Verdict::Pass { note: Some(format!("after {} guesses: {sign}", answers.len() + 1)) };
        }
        answers.push(answer);
    }
    let Some(first) = answers.first() else { return Verdict::inconclusive("no guess was sent") };
    if !failed(first) {
        return Verdict::inconclusive(format!("a guess was answered with {}, which is no plain refusal", first.status));
    }
    if let Some(other) = answers.iter().find(|answer| answer.status != first.status || !failed(answer)) {
        return Verdict::inconclusive(format!(
            "guesses were answered with {}, then with {}",
            first.status, other.status
        ));
    }
    if let Some(name) = announced_limit(first) {
        return Verdict::Pass { note: Some(format!("`{name}` announces a limit")) };
    }
    if is_delayed(&seen.guesses) {
        return Verdict::Pass { note: Some("answers grow slower".into()) };
    }
    if answers.len() < fewest {
        return Verdict::inconclusive(format!("only {} guesses were made", answers.len()));
    }
    let confidence = match seen.works_after.as_ref().map(|e| e.response().map(standing)) {
        Some(Some(Standing::Works)) => Confidence::Likely,
        Some(_) => return Verdict::inconclusive("a request that worked before the guesses fails after them"),
        None => Confidence::Possible,
    };
    let spent = format!("{} requests and {:.2} seconds", answers.len(), spent_ms(&seen.guesses) as f64 / 1000.0);
    Verdict::fail(flaw(&spent).with_confidence(confidence).mark("guesses", format!("HTTP {}", first.status)))
}

fn is_refused(answer: &Response) -> bool {
    standing(answer) == Standing::Refused
}

/// Milliseconds from the first guess to the end of the last answer.
fn spent_ms(guesses: &[Recorded]) -> u64 {
    match (guesses.first(), guesses.last()) {
        (Some(first), Some(last)) => (last.started_ms + last.duration_ms).saturating_sub(first.started_ms),
        _ => 0,
    }
}

/// What in an answer says that there were too many guesses.
///
/// **Source**: RFC 6585, section 4 (429); RFC 4918, section 11.3 (423); RFC 9110, section 10.2.3
/// (Retry-After); texts of Django axes, Devise, Auth0 and Keycloak, as their documents state them.
fn sign_of_limit(answer: &Response) -> Option<&'static str> {
    match answer.status {
        429 => return Some("429 Too Many Requests"),
        423 => return Some("423 Locked"),
        _ => {}
    }
    if answer.headers.contains("retry-after") {
        return Some("`Retry-After`");
    }
    let text = answer.body.text().to_ascii_lowercase();
    [
        "captcha",
        "too many",
        "too_many",
        "temporarily locked",
        "account locked",
        "account is locked",
        "try again later",
        "rate limit",
        "slow down",
    ]
    .into_iter()
    .find(|words| text.contains(words))
    .map(|_| "a text that speaks of a limit")
}

/// The header that announces a limit which was not reached.
///
/// **Source**: draft-ietf-httpapi-ratelimit-headers; the `X-RateLimit-` names of GitHub and Kong.
fn announced_limit(answer: &Response) -> Option<&'static str> {
    [
        "RateLimit",
        "RateLimit-Limit",
        "RateLimit-Remaining",
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-Rate-Limit-Limit",
    ]
    .into_iter()
    .find(|name| answer.headers.contains(name))
}

/// True if the last third of the guesses took much longer than the first third.
fn is_delayed(guesses: &[Recorded]) -> bool {
    let third = guesses.len() / 3;
    let median = |part: &[Recorded]| {
        let mut times: Vec<u64> = part.iter().map(|e| e.duration_ms).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let (before, after) = (median(&guesses[..third]), median(&guesses[guesses.len() - third..]));
    after >= before * DELAY_FACTOR && after >= before + DELAY_MS
}
