#![doc = include_str!("README.md")]

use engine::controls::{Standing, standing};
use engine::{AnyCheck, Check, NotApplicable, Requests, Session, Survey, SurveyedIdentity, Unobserved, check, subject};
use model::{Category, Confidence, Flaw, Meta, Mode, Need, Owasp, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<RepeatedToken>()];

const TWO_USERS: Variant = Variant {
    name: "two-users",
    when: "two users' sign-ins are answered with the same token, which opens what is closed without it",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N"),
};

/// Does sign-in give two users the same token?
pub struct RepeatedToken;

/// A sign-in, another that gave the same token, and what it opens.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// The sign-in of one user.
    first: Recorded,
    /// The sign-in of another, answered with the same token; absent where every other one differs.
    second: Option<Recorded>,
    /// True if the two sign in with different passwords or secrets.
    #[serde(default)]
    own_secrets: bool,
    /// A request with the token.
    with_token: Option<Recorded>,
    /// The same request without it.
    without_token: Option<Recorded>,
}

impl Check for RepeatedToken {
    const META: Meta = Meta {
        id: "repeated-token",
        title: "Sign-in gives two users the same token",
        category: Category::Authentication,
        owasp: &[Owasp::Api2],
        cwe: &[330, 340, 488],
        variants: &[TWO_USERS],
        mode: Mode::Safe,
        needs: &[Need::Identity],
        remedy: None,
        reference: &[],
        since: "0.2.0",
        disturbs: false,
        readme: include_str!("README.md"),
        examples: include_str!("examples.md"),
    };
    type Subject = subject::Identity;
    type Observation = Observation;

    fn plan(identity: &subject::Identity, survey: &Survey) -> Result<Requests, NotApplicable> {
        let identity = &identity.0;
        let first = identity.sign_in.as_ref().ok_or(NotApplicable::new("it does not sign in"))?;
        let others = survey.identities.iter().filter(|other| other.name != identity.name);
        let mut sign_ins = others.filter_map(|other| other.sign_in.as_ref()).chain(of_twins(identity));
        if !sign_ins.any(|other| !is_same_request(first, other)) {
            return Err(NotApplicable::new("no other user signs in"));
        }
        Ok(Requests { expected: 0, most: 2 })
    }

    async fn observe(
        identity: &subject::Identity,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let identity = &identity.0;
        let first = identity.sign_in.clone().ok_or(NotApplicable::new("it does not sign in"))?;
        let others = identity.same_as.iter().filter_map(|twin| Some((twin, twin.sign_in.as_ref()?)));
        let second =
            others.filter(|(_, second)| !is_same_request(&first, second)).max_by_key(|(twin, _)| twin.has_own_secret);
        let mut seen = Observation {
            first: first.clone(),
            second: second.map(|(_, second)| second.clone()),
            own_secrets: second.is_some_and(|(twin, _)| twin.has_own_secret),
            with_token: None,
            without_token: None,
        };
        let operation = identity.canary.as_ref().and_then(|key| survey.operation(key));
        let baseline = operation.and_then(|operation| operation.baseline_of(&identity.name));
        if let (Some(_), Some(operation), Some(baseline)) = (second, operation, baseline) {
            let draft = baseline.draft(&operation.key);
            seen.with_token = Some(session.recall(&draft).await?);
            seen.without_token = Some(session.recall(&draft.without_credentials()).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        if seen.second.is_none() {
            return Verdict::pass();
        }
        let [with, without] = [&seen.with_token, &seen.without_token].map(|e| e.as_ref()?.response().map(standing));
        if with != Some(Standing::Works) || without != Some(Standing::Refused) {
            return Verdict::inconclusive("nothing shows that the token is what opens an operation");
        }
        let (confidence, who) = match seen.own_secrets {
            true => (Confidence::Confirmed, "two users, who have different secrets,"),
            false => (Confidence::Likely, "two user names with the same secret"),
        };
        let message = format!("{who} were given the same token by sign-in");
        Verdict::fail(Flaw::new(&TWO_USERS, "repeated-token", message).with_confidence(confidence))
    }
}

fn of_twins(identity: &SurveyedIdentity) -> impl Iterator<Item = &Recorded> {
    identity.same_as.iter().filter_map(|twin| twin.sign_in.as_ref())
}

/// True if both are the same request: of one user then.
fn is_same_request(a: &Recorded, b: &Recorded) -> bool {
    let said = |sign_in: &Recorded| {
        let request = &sign_in.request;
        (request.target.clone(), request.headers.clone(), request.body.clone())
    };
    said(a) == said(b)
}
