#![doc = include_str!("README.md")]

use std::collections::BTreeSet;
use std::time::Duration;

use engine::controls::{Standing, standing};
use engine::{
    AnyCheck, Authenticate, Baseline, Check, Draft, NotApplicable, Requests, Session, Survey, SurveyedIdentity,
    SurveyedOperation, Unobserved, check, subject,
};
use model::{Category, Confidence, Flaw, Meta, Mode, Need, Owasp, Recorded, RevokedKey, Secret, Variant, Verdict};
use serde::{Deserialize, Serialize};

use crate::key_comparison::{How, form, how, is_refused};
use crate::key_refusal::key_position;

#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<RevokedKeyAccepted>()];

/// Seconds for which a gateway may keep what it knows of a key by default, and at most.
///
/// **Source**: AWS API Gateway, `authorizerResultTtlInSeconds`: 300 by default, 3,600 at most.
const KEPT_S: i64 = 300;
const KEPT_AT_MOST_S: i64 = 3_600;

/// Seconds after the first try at which a key is tried again that was revoked not long ago.
///
/// **Source**: KEY-027 of docs/rows.md; later ones are left to the next scan.
const TRIED_AGAIN_S: [u64; 2] = [10, 60];

/// Time that the rest of the scan keeps.
///
/// **Source**: chosen.
const RESERVE: Duration = Duration::from_secs(15);

/// How far the clocks of whoever revoked the key and of this machine may be apart, in seconds.
///
/// **Source**: chosen; a machine that keeps time is off by less.
const CLOCKS_APART_S: i64 = 5;

const STILL: Variant = Variant {
    name: "still-works",
    when: "a key works although it is revoked, an hour after the stated time or with no time stated",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const LATE: Variant = Variant {
    name: "late",
    when: "a key works for more than five minutes after it is revoked",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:L/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const RECENT: Variant =
    Variant { name: "recent", when: "a key works that was revoked less than five minutes before", cvss: None };

/// Does a revoked key still work?
pub struct RevokedKeyAccepted;

/// A working request, and the same with the key that its owner says is revoked.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// With the key.
    owner: Recorded,
    /// Without any.
    without_key: Recorded,
    /// With a random key of the form of the revoked one.
    random: Option<Recorded>,
    /// With the revoked key, one after the other.
    #[serde(default)]
    revoked: Vec<Recorded>,
    /// Seconds from the stated time of revocation to each of them; empty where no time is stated.
    #[serde(default)]
    ages_s: Vec<i64>,
    /// With the key, after a revoked one that was accepted.
    #[serde(default)]
    controls: Vec<Recorded>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for RevokedKeyAccepted {
    const META: Meta = Meta {
        id: "revoked-key-accepted",
        title: "A revoked API key still works",
        category: Category::ApiKeys,
        owasp: &[Owasp::Api2],
        cwe: &[613, 672],
        variants: &[STILL, LATE, RECENT],
        mode: Mode::Safe,
        needs: &[Need::RevokedKey],
        remedy: Some(&crate::remedies::API_KEY_LOOKUP),
        reference: &["KEY-027"],
        since: "0.1.0",
        disturbs: false,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        asked(&identity.0, survey)?;
        let again = u32::try_from(TRIED_AGAIN_S.len()).unwrap_or(u32::MAX);
        Ok(Requests { expected: 2, most: 7 + 2 * again })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let asked = asked(&identity.0, survey)?;
        let revoked = session.revoked_key(&identity.0.name).ok_or(NotApplicable::new("it has no revoked key"))?;
        if revoked.value.expose().is_empty() {
            return Err(Unobserved::Inconclusive("the key that is said to be revoked is empty".into()));
        }
        let in_use = session.credentials(&identity.0.name);
        if in_use.iter().any(|credential| credential.value == revoked.value) {
            return Err(Unobserved::Inconclusive("the key that is said to be revoked is the one in use".into()));
        }
        let mut seen = Observation {
            owner: session.recall(&asked.draft).await?,
            without_key: session.recall(&asked.draft.clone().without_credentials()).await?,
            random: None,
            revoked: Vec::new(),
            ages_s: Vec::new(),
            controls: Vec::new(),
            volatile: asked.baseline.volatile.clone(),
        };
        if is_refused(&seen.without_key) {
            try_revoked(&asked, &revoked, session, &mut seen).await?;
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        judge(seen)
    }
}

/// The request that the revoked key is put into.
struct Asked<'a> {
    baseline: &'a Baseline,
    draft: Draft,
    position: usize,
}

impl Asked<'_> {
    fn with(&self, value: &Secret) -> Draft {
        let (value, position) = (value.clone(), self.position);
        self.draft.clone().authenticate(Authenticate::Replacing { position, value, label: None })
    }
}

fn asked<'a>(identity: &SurveyedIdentity, survey: &'a Survey) -> Result<Asked<'a>, NotApplicable> {
    if !identity.has_revoked_key {
        return Err(NotApplicable::new("no revoked key of it is given (--revoked-key)"));
    }
    if identity.signs {
        return Err(NotApplicable::new("its requests are signed: another key is refused for the signature"));
    }
    let operation: &SurveyedOperation = identity
        .canary
        .as_ref()
        .and_then(|key| survey.operation(key))
        .ok_or(NotApplicable::new("no operation answers it and refuses a request without credentials"))?;
    let baseline = operation.baseline_of(&identity.name).filter(|baseline| baseline.standing == Standing::Works);
    let baseline = baseline.ok_or(NotApplicable::new("no request of it works"))?;
    let position = key_position(identity).ok_or(NotApplicable::new("its credential is no API key"))?;
    Ok(Asked { baseline, draft: baseline.draft(&operation.key), position })
}

/// Sends a random key, then the revoked one: again where it is accepted, and again some time later where
/// it was revoked not long ago.
async fn try_revoked(
    asked: &Asked<'_>,
    revoked: &RevokedKey,
    session: &Session,
    seen: &mut Observation,
) -> Result<(), Unobserved> {
    let random = form::twin(revoked.value.expose(), &mut session.random());
    let random = session.recall(&asked.with(&Secret::new(random))).await?;
    let can_tell = is_refused(&random);
    seen.random = Some(random);
    if !can_tell || !seen.tries(asked, revoked, session).await? || !seen.tries(asked, revoked, session).await? {
        return Ok(());
    }
    if !seen.ages_s.first().is_some_and(|age| (0..KEPT_AT_MOST_S).contains(age)) {
        return Ok(());
    }
    let mut waited = 0;
    for after in TRIED_AGAIN_S {
        let wait = Duration::from_secs(after - waited);
        if session.time_left() < wait + RESERVE {
            break;
        }
        session.pause(wait).await;
        waited = after;
        if !seen.tries(asked, revoked, session).await? {
            break;
        }
    }
    Ok(())
}

impl Observation {
    /// Sends the revoked key once; where it is accepted, the key in use too. True if it was accepted.
    async fn tries(&mut self, asked: &Asked<'_>, revoked: &RevokedKey, session: &Session) -> Result<bool, Unobserved> {
        let now_ms = session.unix_ms();
        let answer = session.send(&asked.with(&revoked.value)).await?;
        if let Some(at_ms) = revoked.at_ms {
            // By the scan's own clock from the first try on, which nobody sets meanwhile.
            let later_ms = self.revoked.first().map_or(0, |first| answer.started_ms.saturating_sub(first.started_ms));
            let first_s = self.ages_s.first().copied().unwrap_or((now_ms - at_ms) / 1000);
            self.ages_s.push(first_s + i64::try_from(later_ms / 1000).unwrap_or(i64::MAX));
        }
        let accepted = self.how(&answer) == How::Accepted;
        self.revoked.push(answer);
        if accepted {
            self.controls.push(session.send(&asked.draft).await?);
        }
        Ok(accepted)
    }

    fn how(&self, answer: &Recorded) -> How {
        how(answer, &self.owner, &self.volatile)
    }
}

fn judge(seen: &Observation) -> Verdict {
    let Some(without) = seen.without_key.response() else {
        return Verdict::inconclusive("no response to a request without a key");
    };
    if standing(without) == Standing::Works {
        return Verdict::NotApplicable { reason: "it answers without a key too".into() };
    }
    if !is_refused(&seen.without_key) {
        return Verdict::inconclusive(format!("a request without a key was answered with {}", without.status));
    }
    if !seen.random.as_ref().is_some_and(is_refused) {
        return Verdict::inconclusive("a random key of the same form is not plainly refused");
    }
    if seen.controls.iter().any(|control| seen.how(control) != How::Accepted) {
        return Verdict::inconclusive("the key in use stopped working between the tries");
    }
    match seen.revoked.first().map(|first| seen.how(first)) {
        Some(How::Refused) => Verdict::pass(),
        Some(How::Accepted) => judge_accepted(seen),
        Some(How::Unclear) | None => Verdict::inconclusive("the revoked key is neither accepted nor refused"),
    }
}

fn judge_accepted(seen: &Observation) -> Verdict {
    let accepted = seen.revoked.iter().take_while(|answer| seen.how(answer) == How::Accepted).count();
    let ended = seen.revoked.get(accepted);
    if ended.is_some_and(|answer| seen.how(answer) != How::Refused) {
        return Verdict::inconclusive("the revoked key is neither accepted nor refused");
    }
    let Some(age_s) = seen.ages_s.get(accepted - 1) else {
        if ended.is_some() || accepted < 2 {
            return Verdict::inconclusive("the revoked key was accepted once only");
        }
        let message = "a key that was revoked is accepted; a random key of the same form is refused";
        return Verdict::fail(seen.flaw(&STILL, Confidence::Likely, message.into()));
    };
    if *age_s < -CLOCKS_APART_S {
        return Verdict::inconclusive("the stated time of revocation is still to come");
    }
    let span = span(*age_s);
    let (variant, message) = match (*age_s, ended) {
        (..=KEPT_S, None) => {
            let ask = "some gateways keep keys for five minutes, so ask again then";
            (&RECENT, format!("a key is accepted {span} after it was revoked; {ask}"))
        }
        (..=KEPT_S, Some(_)) => (&RECENT, format!("a key was accepted for {span} after it was revoked, then refused")),
        (_, Some(_)) => (&LATE, format!("a key was accepted for {span} after it was revoked, then refused")),
        (..KEPT_AT_MOST_S, None) => (&LATE, format!("a key is accepted {span} after it was revoked")),
        (_, None) => (&STILL, format!("a key is accepted {span} after it was revoked")),
    };
    Verdict::fail(seen.flaw(variant, Confidence::Confirmed, message))
}

impl Observation {
    fn flaw(&self, variant: &Variant, confidence: Confidence, message: String) -> Flaw {
        let status = self.revoked.first().and_then(|answer| answer.status()).unwrap_or_default();
        Flaw::new(variant, "revoked-key-accepted", message)
            .with_confidence(confidence)
            .mark("revoked", format!("HTTP {status}"))
    }
}

/// A time in the largest unit of which it holds two at least.
fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..120 => format!("{s} seconds"),
        s @ 120..7_200 => format!("{} minutes", s / 60),
        s @ 7_200..172_800 => format!("{} hours", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}
