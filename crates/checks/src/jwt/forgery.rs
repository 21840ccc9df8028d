//! What the members share that send tokens of their own: which operations are asked, what is sent
//! beside the forged tokens, and how the answers are read.

use std::collections::{BTreeMap, BTreeSet};

use engine::controls::{Sameness, Standing, content, form, standing};
use engine::effect::{Effect, effect, is_metered, reads_once};
use engine::{Baseline, NotApplicable, Protection, Requests, Session, Survey, SurveyedOperation, Unobserved, subject};
use model::{Flaw, Place, Recorded, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::token::Token;

/// An operation with the user's own token, with none, with wrong ones, and with forged ones. Exchanges
/// of several operations stand side by side; each knows its operation.
#[derive(Serialize, Deserialize, Default)]
pub struct Observation {
    /// With the user's own token.
    owner: Vec<Recorded>,
    /// Without credentials; where a forged token is let in, once more after it.
    without_credentials: Vec<Recorded>,
    /// With a value in the token's place that is no token at all.
    #[serde(default)]
    no_token: Vec<Recorded>,
    /// With the user's own claims under a signature that cannot be right.
    #[serde(default)]
    wrong_signature: Vec<Recorded>,
    /// With the header of the forged tokens and a signature that cannot be right.
    #[serde(default)]
    twin: Vec<Recorded>,
    /// With forged tokens, for each operation up to the first that is let in.
    #[serde(default)]
    forged: Vec<Recorded>,
    /// With the one that is let in, once more: chance opens a door seldom twice.
    #[serde(default)]
    again: Vec<Recorded>,
    /// What is wrong with each forged token, in words.
    #[serde(default)]
    forgeries: Vec<String>,
    /// Where public keys are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) published_keys: Option<Recorded>,
    /// What differs at every request, by operation.
    #[serde(default)]
    volatile: BTreeMap<String, BTreeSet<String>>,
}

/// A token to send.
pub(super) struct Forged {
    /// What is wrong with it, in words: "a token whose …".
    pub(super) how: String,
    /// Short name for its mask.
    pub(super) label: &'static str,
    /// The token.
    pub(super) text: String,
}

impl Forged {
    pub(super) fn new(label: &'static str, how: impl Into<String>, text: String) -> Self {
        Self { how: how.into(), label, text }
    }
}

/// The tokens that a member sends.
#[derive(Default)]
pub(super) struct Tokens {
    /// See [`Observation::wrong_signature`].
    pub(super) wrong_signature: Vec<Forged>,
    /// See [`Observation::twin`].
    pub(super) twin: Vec<Forged>,
    /// See [`Observation::forged`].
    pub(super) forged: Vec<Forged>,
}

/// The token of an identity, and where it stands.
pub(super) struct Held {
    /// Position among the identity's credentials.
    position: usize,
    place: Place,
    /// The token.
    pub(super) token: Token,
}

/// The token that an identity sends.
pub(super) fn held(identity: &subject::Identity, session: &Session) -> Result<Held, NotApplicable> {
    session
        .credentials(&identity.0.name)
        .into_iter()
        .enumerate()
        .find_map(|(position, credential)| {
            let token = Token::parse(credential.value.expose())?;
            Some(Held { position, place: credential.place, token })
        })
        .ok_or(NotApplicable::new("no credential of this identity is a signed JSON Web Token"))
}

/// Times that one request may be sent: the session repeats it where the target asks to slow down.
const SENDINGS: u32 = 3;

/// Requests beside the tokens: with the user's own, without credentials before and after, with no token,
/// and once more with the one that is let in.
const CONTROLS: usize = 5;

/// Requests that `tokens` tokens on up to `most` operations take, or why the question does not arise.
pub(super) fn plan(
    identity: &subject::Identity,
    survey: &Survey,
    most: usize,
    tokens: usize,
) -> Result<Requests, NotApplicable> {
    if identity.0.canary.is_none() {
        return Err(NotApplicable::new("no operation shows whether this identity's credential is accepted"));
    }
    let operations = operations(identity, survey, most).len();
    if operations == 0 {
        return Err(NotApplicable::new("no operation answers this identity with content to compare"));
    }
    let expected = u32::try_from(operations * (tokens + CONTROLS)).unwrap_or(u32::MAX);
    Ok(Requests { expected, most: expected.saturating_mul(SENDINGS) })
}

/// Up to `most` operations that answer the identity with content and are safe to repeat: the one that
/// is known to need its credential first, then declared ones of different resources.
fn operations<'s>(
    identity: &subject::Identity,
    survey: &'s Survey,
    most: usize,
) -> Vec<(&'s SurveyedOperation, &'s Baseline)> {
    let name = &identity.0.name;
    let canary = identity.0.canary.as_ref();
    let mut candidates: Vec<(&SurveyedOperation, &Baseline)> = survey
        .operations
        .iter()
        .filter_map(|operation| Some((&**operation, operation.baseline_of(name)?)))
        .filter(|(operation, baseline)| {
            let is_canary = canary == Some(&operation.key);
            let answer = baseline.exchange.response();
            baseline.standing == Standing::Works
                && answer.is_some_and(|own| content(own, own, &baseline.volatile) == Sameness::Same)
                && !baseline.volatile.contains(WHOLE_BODY)
                && (is_canary || (operation.protection == Protection::Declared && is_repeatable(operation, baseline)))
        })
        .collect();
    let mut seen = BTreeSet::new();
    candidates.sort_by_key(|(operation, _)| (canary != Some(&operation.key), operation.operation.index));
    candidates.sort_by_cached_key(|(operation, _)| !seen.insert(resource(&operation.key.path)));
    candidates.truncate(most);
    candidates
}

/// The JSON pointer to the whole body: where that differs at every request, all bodies look the same.
const WHOLE_BODY: &str = "";

fn is_repeatable(operation: &SurveyedOperation, baseline: &Baseline) -> bool {
    let path = &operation.key.path;
    effect(&baseline.request) == Effect::Reads && !reads_once(path) && !is_metered(path)
}

/// The first segment of a path that names a thing: not `api`, no version, no parameter.
fn resource(path: &str) -> &str {
    let is_version =
        |segment: &str| segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    path.split('/')
        .find(|segment| !segment.is_empty() && *segment != "api" && !is_version(segment) && !segment.starts_with('{'))
        .unwrap_or_default()
}

/// Sends the tokens to up to `most` operations.
pub(super) async fn observe(
    identity: &subject::Identity,
    survey: &Survey,
    session: &Session,
    held: &Held,
    tokens: &Tokens,
    most: usize,
) -> Result<Observation, Unobserved> {
    let mut seen = Observation::default();
    for (operation, baseline) in operations(identity, survey, most) {
        let own = baseline.draft(&operation.key);
        let name = format!("{}.{}", identity.0.name, held.place.label());
        let with = |token: &Forged| {
            own.clone().replacing(held.position, &token.text, Some(&format!("{name}:{}", token.label)))
        };
        let owner = session.recall(&own).await?;
        let without = session.recall(&own.clone().without_credentials()).await?;
        let no_token = own.clone().replacing(held.position, &held.token.scrambled(), None);
        seen.no_token.push(session.recall(&no_token).await?);
        for token in &tokens.wrong_signature {
            seen.wrong_signature.push(session.recall(&with(token)).await?);
        }
        for token in &tokens.twin {
            seen.twin.push(session.recall(&with(token)).await?);
        }
        for token in &tokens.forged {
            let exchange = session.recall(&with(token)).await?;
            let answers =
                Answers { owner: owner.response(), without: without.response(), volatile: &baseline.volatile };
            let admitted = answers.read(&exchange) == Reading::Admitted;
            seen.forged.push(exchange);
            seen.forgeries.push(token.how.clone());
            if admitted {
                // A cache may have begun to answer everybody since.
                let afterwards = own.clone().without_credentials();
                seen.without_credentials.push(session.send(&afterwards).await?);
                seen.again.push(session.send(&with(token)).await?);
                break;
            }
        }
        seen.volatile.insert(operation.key.to_string(), baseline.volatile.clone());
        seen.owner.push(owner);
        seen.without_credentials.push(without);
    }
    Ok(seen)
}

/// The token under a signature that cannot be right: of the same length, and the same in every check,
/// so that its exchange is shared.
pub(super) fn wrongly_signed(token: &Token) -> Forged {
    let length = if token.signature.is_empty() { 32 } else { token.signature.len() };
    let text = token.with_signature(&token.invented_signature(length));
    Forged::new("wrong-signature", "a token with an invented signature", text)
}

/// Fails where a forged token reaches the owner's content and nothing else does that should not.
pub(super) fn judge(seen: &Observation, variant: &Variant, cause: &'static str) -> Verdict {
    let mut let_in = Vec::new();
    let (mut refused, mut undecided, mut not_asked) = (false, None, None);
    for owner in &seen.owner {
        match seen.of_operation(owner) {
            Operation::LetsIn { how, status } => let_in.push((owner, how, status)),
            Operation::Refuses => refused = true,
            Operation::Undecided(why) => undecided = Some(why),
            Operation::NotAsked(why) => not_asked = Some(why),
        }
    }
    let Some((first, how, status)) = let_in.first() else {
        return match (undecided, refused, not_asked) {
            (Some(why), ..) => Verdict::inconclusive(why),
            (None, true, _) => Verdict::pass(),
            (None, false, Some(why)) => Verdict::NotApplicable { reason: why.into() },
            (None, false, None) => Verdict::inconclusive("there is no answer to the user's own token"),
        };
    };
    let place = first.operation.as_ref().map_or_else(|| "the operation".to_owned(), ToString::to_string);
    let others = match let_in.len() - 1 {
        0 => String::new(),
        1 => ", and so does one other operation".to_owned(),
        many => format!(", and so do {many} other operations"),
    };
    let message = format!("{place} gives the owner's content for {how}{others}");
    Verdict::fail(Flaw::new(variant, cause, message).mark("forged", format!("HTTP {status}")))
}

/// What came of one operation.
enum Operation {
    /// A token with this flaw reaches the owner's content, in an answer of this status.
    LetsIn { how: String, status: u16 },
    /// No forged token does.
    Refuses,
    /// Neither can be told.
    Undecided(String),
    /// It lets in what is no forgery either.
    NotAsked(&'static str),
}

impl Observation {
    fn of_operation(&self, owner: &Recorded) -> Operation {
        let same = |exchange: &&Recorded| exchange.operation == owner.operation;
        let name = owner.operation.as_ref().map(ToString::to_string).unwrap_or_default();
        let nothing = BTreeSet::new();
        let answers = Answers {
            owner: owner.response().filter(|own| standing(own) == Standing::Works),
            without: self.without_credentials.iter().find(same).and_then(|e| e.response()),
            volatile: self.volatile.get(&name).unwrap_or(&nothing),
        };
        if answers.owner.is_none() {
            return Operation::Undecided("there is no answer to the user's own token".into());
        }
        let controls: [(&[Recorded], &str, &'static str); 3] = [
            (&self.without_credentials, "a request without credentials", "nothing is needed to get the content"),
            (&self.no_token, "a value that is no token", "a value that is no token at all is accepted too"),
            (&self.wrong_signature, "a wrong signature", "the signature is not verified in the first place"),
        ];
        for (exchanges, what, open) in controls {
            for exchange in exchanges.iter().filter(same) {
                match answers.read(exchange) {
                    Reading::Refused => {}
                    Reading::Admitted => return Operation::NotAsked(open),
                    Reading::Unclear(why) => return Operation::Undecided(format!("{what} was answered with {why}")),
                }
            }
        }
        for exchange in self.twin.iter().filter(same) {
            match answers.read(exchange) {
                Reading::Refused => {}
                Reading::Admitted => {
                    return Operation::Undecided(
                        "the same header under a signature that cannot be right is accepted too".into(),
                    );
                }
                Reading::Unclear(why) => {
                    return Operation::Undecided(format!("the forged header was answered with {why}"));
                }
            }
        }
        let mut undecided = None;
        for (position, exchange) in self.forged.iter().enumerate().filter(|(_, e)| same(e)) {
            let how = self.forgeries.get(position).map_or("a forged token", String::as_str);
            match answers.read(exchange) {
                Reading::Refused => {}
                Reading::Admitted => {
                    let again = self.again.iter().find(same).map(|exchange| answers.read(exchange));
                    if again != Some(Reading::Admitted) {
                        return Operation::Undecided(format!("{how} is let in only sometimes"));
                    }
                    let status = exchange.status().unwrap_or_default();
                    return Operation::LetsIn { how: how.to_owned(), status };
                }
                Reading::Unclear(why) => undecided = Some(format!("{how} was answered with {why}")),
            }
        }
        undecided.map_or(Operation::Refuses, Operation::Undecided)
    }
}

/// What other answers are compared with.
struct Answers<'a> {
    owner: Option<&'a Response>,
    without: Option<&'a Response>,
    volatile: &'a BTreeSet<String>,
}

/// How an answer is to be read.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    /// It holds the owner's content.
    Admitted,
    /// It does not let the caller in.
    Refused,
    /// It fits neither class, and what it is.
    Unclear(String),
}

impl Answers<'_> {
    fn read(&self, exchange: &Recorded) -> Reading {
        let (Some(owner), Some(answer)) = (self.owner, exchange.response()) else {
            return Reading::Unclear("no response".into());
        };
        match standing(answer) {
            Standing::Works => match content(owner, answer, self.volatile) {
                Sameness::Same if form(owner) == form(answer) => Reading::Admitted,
                Sameness::Same | Sameness::Different | Sameness::Empty if self.is_like_without(answer) => {
                    Reading::Refused
                }
                Sameness::Same | Sameness::Different => Reading::Unclear("other content than the owner gets".into()),
                Sameness::Empty => Reading::Unclear("no content to compare".into()),
            },
            Standing::Refused | Standing::Missing | Standing::Invalid => Reading::Refused,
            // A server that fails over a bad token admits nobody; a gateway's error says nothing.
            Standing::Failed if answer.status == 500 => Reading::Refused,
            Standing::Failed | Standing::Limited | Standing::Redirected | Standing::Unclear => {
                Reading::Unclear(format!("status {}", answer.status))
            }
        }
    }

    /// True for what a caller without credentials gets: a public form, or an error that only its form
    /// tells from content.
    fn is_like_without(&self, answer: &Response) -> bool {
        let Some(without) = self.without.filter(|without| without.status == answer.status) else { return false };
        let is_of_its_form =
            form(without) == form(answer) && self.owner.is_some_and(|owner| form(owner) != form(answer));
        is_of_its_form || content(without, answer, self.volatile) == Sameness::Same
    }
}
