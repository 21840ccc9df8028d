//! Answers for one caller that a shared cache may keep.

use engine::controls::{Sameness, Standing, content, standing};
use engine::{Check, NotApplicable, Protection, Requests, Session, Survey, Unobserved, subject};
use model::sensitive::sensitive_fields;
use model::{Category, Confidence, Flaw, Headers, Location, Meta, Owasp, Place, Recorded, Variant, Verdict};
use serde::{Deserialize, Serialize};

use super::{LOW, META};

const SHARED: Variant = Variant {
    name: "declared-shared",
    when: "the headers allow shared caches to keep an answer that is not for everyone",
    cvss: Some(LOW),
};

const UNSTATED: Variant =
    Variant { name: "unstated", when: "the headers do not say whether caches may keep the answer", cvss: None };

/// May a shared cache keep what only one caller may see?
pub struct CacheablePrivateAnswer;

/// An answer to a request with credentials.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// With its headers as recorded.
    exchange: Recorded,
    /// Name of the header or cookie in which the credential went.
    credential: String,
    /// Why the content is not for everyone.
    private: Option<String>,
}

impl Check for CacheablePrivateAnswer {
    const META: Meta = Meta {
        id: "cacheable-private-answer",
        title: "A shared cache may keep an answer that is not for everyone",
        category: Category::ApiKeys,
        owasp: &[Owasp::Api8],
        cwe: &[524, 525],
        variants: &[SHARED, UNSTATED],
        needs: &[model::Need::Identity],
        reference: &["KEY-008"],
        remedy: Some(&crate::remedies::NO_STORE_ANSWERS),
        ..META
    };
    type Subject = subject::Exchange;
    type Observation = Observation;

    fn plan(subject: &subject::Exchange, survey: &Survey) -> Result<Requests, NotApplicable> {
        let recorded = &subject.recorded;
        if recorded.identity.is_none() || recorded.request.method != "GET" || !subject.raw.is_success() {
            return Err(NotApplicable::new("it is no answer to a reading request with credentials"));
        }
        if credential(subject, survey).is_none() {
            return Err(NotApplicable::new("the credential stands in the URL"));
        }
        let operation = recorded.operation.as_ref().and_then(|key| survey.operation(key));
        if operation.is_none_or(|operation| operation.protection != Protection::Declared || operation.shared) {
            return Err(NotApplicable::new("the operation is not declared protected"));
        }
        Ok(Requests::NONE)
    }

    async fn observe(subject: &subject::Exchange, survey: &Survey, _: &Session) -> Result<Observation, Unobserved> {
        let credential = credential(subject, survey).ok_or(NotApplicable::new("the credential stands in the URL"))?;
        Ok(Observation { exchange: subject.recorded.clone(), credential, private: private(subject, survey) })
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(response) = seen.exchange.response().filter(|r| standing(r) == Standing::Works) else {
            return Verdict::NotApplicable { reason: "it is no working answer".into() };
        };
        let directives = Directives::of(&response.headers);
        if directives.forbids() || directives.varies(&response.headers, &seen.credential) {
            return Verdict::pass();
        }
        let authorization = seen.credential.eq_ignore_ascii_case("authorization");
        let location = Location::ResponseHeader("Cache-Control".into());
        if let Some(directive) = directives.allows(authorization) {
            let Some(private) = &seen.private else {
                return Verdict::Pass { note: Some("nothing in the answer is private".into()) };
            };
            let message = format!("`{directive}` lets shared caches keep it, and {private}");
            let flaw = Flaw::new(&SHARED, "declared-shared", message).with_confidence(Confidence::Likely);
            return Verdict::fail(flaw.at(location).mark("exchange", directive));
        }
        if authorization || directives.present {
            return Verdict::pass();
        }
        let message = format!("the answer to a request with {} has no Cache-Control", seen.credential);
        Verdict::fail(Flaw::new(&UNSTATED, "cache-control-absent", message).at(location))
    }
}

/// The header in which the caller's credential goes. `Authorization` counts first: caches know it.
fn credential(subject: &subject::Exchange, survey: &Survey) -> Option<String> {
    let identity = survey.identity(subject.recorded.identity.as_deref()?)?;
    let headers = identity.places.iter().filter_map(|place| match place {
        Place::Header { name, .. } => Some(name.as_str()),
        Place::Cookie { .. } => Some("Cookie"),
        Place::Query { .. } => None,
    });
    headers.min_by_key(|name| !name.eq_ignore_ascii_case("authorization")).map(Into::into)
}

/// Why content is not for everyone: it holds a secret, or another identity gets other content.
fn private(subject: &subject::Exchange, survey: &Survey) -> Option<String> {
    let secret = subject.json().map(sensitive_fields).unwrap_or_default().into_iter().find(|f| f.kind.is_secret());
    if let Some(field) = secret {
        let member = field.pointer.rsplit('/').next().unwrap_or_default().to_owned();
        return Some(format!("it holds `{member}`"));
    }
    let own = subject.recorded.response()?;
    let operation = survey.operation(subject.recorded.operation.as_ref()?)?;
    let others = operation.baselines.iter().filter(|b| {
        b.standing == Standing::Works
            && b.identity.as_deref() != subject.recorded.identity.as_deref()
            && b.request.target == subject.recorded.request.target
    });
    for other in others {
        let Some(answer) = other.exchange.response() else { continue };
        if content(own, answer, &other.volatile) == Sameness::Different {
            return Some(format!("{} gets other content", other.identity.as_deref().unwrap_or("everybody else")));
        }
    }
    None
}

/// What `Cache-Control` says to shared caches.
///
/// **Source**: RFC 9111, sections 3.5 and 5.2.2.
struct Directives {
    present: bool,
    stated: Vec<(String, Option<u64>)>,
}

impl Directives {
    fn of(headers: &Headers) -> Self {
        let values: Vec<&str> = headers.all("cache-control").collect();
        let stated = values.iter().flat_map(|value| value.split(',')).filter_map(|directive| {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            let name = name.trim().to_ascii_lowercase();
            (!name.is_empty()).then(|| (name, argument.trim().trim_matches('"').parse().ok()))
        });
        Self { present: !values.is_empty() || headers.contains("pragma"), stated: stated.collect() }
    }

    fn has(&self, name: &str) -> bool {
        self.stated.iter().any(|(stated, _)| stated == name)
    }

    fn seconds(&self, name: &str) -> Option<u64> {
        self.stated.iter().find(|(stated, _)| stated == name)?.1
    }

    /// True if no shared cache may answer others from it.
    fn forbids(&self) -> bool {
        ["no-store", "private", "no-cache"].iter().any(|name| self.has(name))
            || (self.seconds("max-age") == Some(0) && self.seconds("s-maxage").is_none_or(|seconds| seconds == 0))
    }

    /// True if a cache keeps the answers to different credentials apart.
    fn varies(&self, headers: &Headers, credential: &str) -> bool {
        let names = headers.all("vary").flat_map(|value| value.split(',')).map(str::trim);
        names.into_iter().any(|name| name == "*" || name.eq_ignore_ascii_case(credential))
    }

    /// The directive that lets shared caches keep it.
    fn allows(&self, authorization: bool) -> Option<&'static str> {
        if self.has("public") {
            return Some("public");
        }
        if self.seconds("s-maxage").is_some_and(|seconds| seconds > 0) {
            return Some("s-maxage");
        }
        let lives = self.seconds("max-age").is_some_and(|seconds| seconds > 0);
        (authorization && lives && self.has("must-revalidate")).then_some("must-revalidate")
    }
}
