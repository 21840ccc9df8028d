#![doc = include_str!("README.md")]

use engine::controls::{Sameness, Standing, content, standing};
use engine::effect::{Effect, effect, is_metered, reads_once};
use engine::{AnyCheck, Baseline, Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use inventory::{ParameterLocation, SecurityScheme};
use model::{Category, Flaw, Location, Meta, Mode, Owasp, Place, Recorded, Request, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

mod origins;
#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[
    check::<ReflectedOrigin>(),
    check::<NullOriginAllowed>(),
    check::<LookalikeOriginAllowed>(),
    check::<WildcardWithCredentials>(),
];

/// Operations that are asked for the rarer origins: a policy usually holds for a whole application.
///
/// **Source**: chosen.
const REPRESENTATIVES: usize = 10;

const AMBIENT: Variant = Variant {
    name: "ambient-credentials",
    when: "browsers send the credentials by themselves (cookie, Basic), and the answer needs them",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const DECLARED: Variant = Variant {
    name: "declared-ambient-credentials",
    when: "the description also takes credentials that browsers send by themselves, but the scan had others",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const EXPLICIT: Variant = Variant {
    name: "explicit-credentials",
    when: "a page of another origin has no credentials to send, or the answer needs none",
    cvss: None,
};

const META: Meta = Meta {
    id: "reflected-origin",
    title: "Pages of any origin may read answers with the user's credentials",
    category: Category::InputValidation,
    owasp: &[Owasp::Api8],
    cwe: &[942, 346],
    variants: &[AMBIENT, DECLARED, EXPLICIT],
    mode: Mode::Safe,
    needs: &[],
    remedy: Some(&crate::remedies::CORS_ALLOW_LIST),
    reference: &["KEY-009"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Is whatever origin asks allowed to read with credentials?
pub struct ReflectedOrigin;

/// Is the origin `null` allowed to read with credentials?
pub struct NullOriginAllowed;

/// Is an origin allowed whose name only begins or ends like one that may be?
pub struct LookalikeOriginAllowed;

/// Is every origin allowed together with credentials, which browsers refuse?
pub struct WildcardWithCredentials;

/// The owner's request from pages of several origins.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// From an origin that nobody knows.
    foreign: Recorded,
    /// From another one.
    another_foreign: Option<Recorded>,
    /// From the origin `null`: sandboxed frames and local files.
    null_origin: Option<Recorded>,
    /// From an origin whose name begins like an allowed one.
    name_as_prefix: Option<Recorded>,
    /// From an origin whose name ends like an allowed one.
    name_as_suffix: Option<Recorded>,
    /// The owner's request without `Origin`.
    owner: Recorded,
    /// The same without credentials.
    without_credentials: Option<Recorded>,
    /// Which of the identity's own credentials browsers send by themselves.
    ambient: Option<String>,
    /// Which credentials of that kind the description declares.
    declared_ambient: Option<String>,
}

impl Check for ReflectedOrigin {
    const META: Meta = META;
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        working(operation)?;
        Ok(Requests { expected: 2, most: 4 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let mut seen = observe(operation, survey, session).await?;
        let baseline = working(operation)?;
        seen.another_foreign =
            Some(ask(operation, baseline, survey, session, &origins::another_foreign(survey)).await?);
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(another) = &seen.another_foreign else { return Verdict::inconclusive("only one origin was tried") };
        let grants = match (grant(&seen.foreign), grant(another)) {
            (Ok(one), Ok(two)) => (one, two),
            (Err(why), _) | (_, Err(why)) => return Verdict::inconclusive(why),
        };
        match grants {
            (Grant::Credentials, Grant::Credentials) => Verdict::fail(flaw(
                seen,
                "any-origin",
                "two origins that nobody knows may both read the answer",
                "another_foreign",
                another,
            )),
            (Grant::Plain, Grant::Plain) => {
                Verdict::Pass { note: Some("any origin may read it, without credentials".into()) }
            }
            (Grant::None | Grant::Everyone, Grant::None | Grant::Everyone) => Verdict::pass(),
            _ => Verdict::inconclusive("two origins that nobody knows were answered differently"),
        }
    }
}

impl Check for NullOriginAllowed {
    const META: Meta = Meta {
        id: "null-origin-allowed",
        title: "Sandboxed frames and local files, whose origin is `null`, may read answers with the user's credentials",
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        working(operation)?;
        representative(operation, survey)?;
        Ok(Requests { expected: 1, most: 4 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let mut seen = observe(operation, survey, session).await?;
        seen.null_origin = Some(ask(operation, working(operation)?, survey, session, "null").await?);
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let Some(null) = &seen.null_origin else { return Verdict::inconclusive("the origin `null` was not tried") };
        judge_single(
            seen,
            &[("null-origin", "null_origin", null, "the origin `null`, which any page can take, may read the answer")],
        )
    }
}

impl Check for LookalikeOriginAllowed {
    const META: Meta = Meta {
        id: "lookalike-origin-allowed",
        title: "Pages of an origin that only looks like an allowed one may read answers with the user's credentials",
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, survey: &Survey) -> Result<Requests, NotApplicable> {
        working(operation)?;
        representative(operation, survey)?;
        Ok(Requests { expected: 2, most: 5 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let mut seen = observe(operation, survey, session).await?;
        let baseline = working(operation)?;
        let allowed = origins::allowed(seen.owner.response(), survey);
        seen.name_as_prefix =
            Some(ask(operation, baseline, survey, session, &origins::name_as_prefix(&allowed, survey)).await?);
        if let Some(origin) = origins::name_as_suffix(&allowed, survey) {
            seen.name_as_suffix = Some(ask(operation, baseline, survey, session, &origin).await?);
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        let tries = [
            (
                "name-as-prefix",
                "name_as_prefix",
                &seen.name_as_prefix,
                "an origin whose name only begins like an allowed one may read the answer",
            ),
            (
                "name-as-suffix",
                "name_as_suffix",
                &seen.name_as_suffix,
                "an origin whose name only ends like an allowed one may read the answer",
            ),
        ];
        let tries: Vec<_> = tries
            .into_iter()
            .filter_map(|(cause, role, tried, what)| Some((cause, role, tried.as_ref()?, what)))
            .collect();
        judge_single(seen, &tries)
    }
}

impl Check for WildcardWithCredentials {
    const META: Meta = Meta {
        id: "wildcard-origin-with-credentials",
        title: "Answers allow every origin together with credentials, which browsers refuse",
        variants: &[EXPLICIT],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        working(operation)?;
        Ok(Requests { expected: 0, most: 3 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        observe(operation, survey, session).await
    }

    fn judge(seen: &Observation) -> Verdict {
        match grant(&seen.foreign) {
            Err(why) => Verdict::inconclusive(why),
            Ok(Grant::Everyone) if allows_credentials(&seen.foreign) => {
                let message = "`*` stands beside `Access-Control-Allow-Credentials: true`, which browsers refuse: the policy is not what its author meant";
                Verdict::fail(
                    Flaw::new(&EXPLICIT, "wildcard-with-credentials", message)
                        .at(Location::ResponseHeader("Access-Control-Allow-Origin".into()))
                        .mark("foreign", "Access-Control-Allow-Credentials"),
                )
            }
            Ok(_) => Verdict::pass(),
        }
    }
}

fn working(operation: &subject::Operation) -> Result<&Baseline, NotApplicable> {
    if operation.key.method != "GET" {
        return Err(NotApplicable::new("only reading by GET is asked for from other origins"));
    }
    let path = &operation.key.path;
    if effect(&Request::get(path)) != Effect::Reads || is_metered(path) || reads_once(path) {
        return Err(NotApplicable::new("each call does, costs or takes something"));
    }
    operation.baseline().or(operation.any_baseline()).ok_or(NotApplicable::new("there is no working request for it"))
}

fn representative(operation: &subject::Operation, survey: &Survey) -> Result<(), NotApplicable> {
    let asked =
        survey.operations.iter().filter(|o| o.key.method == "GET" && o.any_baseline().is_some()).take(REPRESENTATIVES);
    if asked.into_iter().any(|o| o.key == operation.key) {
        return Ok(());
    }
    Err(NotApplicable::new("the first operations stand for all: a policy usually holds for a whole application"))
}

/// What all members need.
async fn observe(
    operation: &subject::Operation,
    survey: &Survey,
    session: &Session,
) -> Result<Observation, Unobserved> {
    let baseline = working(operation)?;
    let draft = baseline.draft(&operation.key);
    let owner = session.recall(&draft).await?;
    let without_credentials = match baseline.identity {
        Some(_) => Some(session.recall(&draft.without_credentials()).await?),
        None => None,
    };
    let foreign = ask(operation, baseline, survey, session, &origins::foreign(survey)).await?;
    let places = baseline.identity.as_ref().and_then(|name| survey.identity(name)).map(|i| i.places.as_slice());
    Ok(Observation {
        foreign,
        another_foreign: None,
        null_origin: None,
        name_as_prefix: None,
        name_as_suffix: None,
        ambient: places.unwrap_or_default().iter().find_map(|place| ambient(place, &owner)),
        declared_ambient: survey.inventory.security_schemes.values().find_map(declared_ambient),
        owner,
        without_credentials,
    })
}

/// The baseline's request from a page of this origin.
async fn ask(
    operation: &subject::Operation,
    baseline: &Baseline,
    survey: &Survey,
    session: &Session,
    origin: &str,
) -> Result<Recorded, Unobserved> {
    let draft = baseline.draft(&operation.key);
    let mut request: Request = draft.request.clone();
    // An answer for one origin must not reach others from a cache. What says that no cache stores it
    // needs no query of its own.
    if !baseline.exchange.response().is_some_and(is_never_shared) {
        request = request.with_query("mb", &origins::mark(origin, &survey.unknown_word));
    }
    request.headers.set("Origin", origin);
    session.recall(&Draft { request, ..draft }).await
}

/// **Source**: RFC 9111, sections 5.2.2.5 (no-store) and 5.2.2.7 (private).
fn is_never_shared(answer: &Response) -> bool {
    let directives = answer.headers.all("cache-control").flat_map(|value| value.split(','));
    directives.map(|d| d.trim().to_ascii_lowercase()).any(|d| d == "no-store" || d == "private")
}

/// What of a credential a browser sends by itself, also to a request that a page of another site makes.
fn ambient(place: &Place, answer: &Recorded) -> Option<String> {
    match place {
        Place::Cookie { name } if is_same_site(name, answer) => None,
        Place::Cookie { name } => Some(format!("the cookie `{name}`")),
        Place::Header { name, .. } if name.eq_ignore_ascii_case("cookie") => Some("a cookie".into()),
        Place::Header { .. } if place.label() == "basic" => Some("the password of Basic".into()),
        Place::Header { .. } | Place::Query { .. } => None,
    }
}

/// True if the answer sets the cookie for requests of its own site only.
///
/// **Source**: RFC 6265bis, section 5.6.7 (SameSite).
fn is_same_site(cookie: &str, answer: &Recorded) -> bool {
    let Some(response) = answer.response() else { return false };
    response.headers.all("set-cookie").any(|set| {
        let attributes = set.to_ascii_lowercase();
        set.split('=').next().is_some_and(|name| name.trim() == cookie)
            && (attributes.contains("samesite=lax") || attributes.contains("samesite=strict"))
    })
}

fn declared_ambient(scheme: &SecurityScheme) -> Option<String> {
    match scheme {
        SecurityScheme::ApiKey { location: ParameterLocation::Cookie, name } => Some(format!("the cookie `{name}`")),
        SecurityScheme::Http { scheme, .. } if scheme == "basic" || scheme == "digest" => {
            Some(format!("HTTP {scheme}"))
        }
        SecurityScheme::MutualTls => Some("a client certificate".into()),
        SecurityScheme::ApiKey { .. }
        | SecurityScheme::Http { .. }
        | SecurityScheme::OAuth2 { .. }
        | SecurityScheme::OpenIdConnect { .. }
        | SecurityScheme::Unknown => None,
    }
}

/// What an answer allows the origin that asked.
///
/// **Source**: Fetch standard, section 3.3.5 (CORS check): the origin byte for byte, in a single header;
/// `true` in lower case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Grant {
    /// Nothing.
    None,
    /// Every origin, without credentials.
    Everyone,
    /// This origin, without credentials.
    Plain,
    /// This origin, with credentials.
    Credentials,
}

fn grant(exchange: &Recorded) -> Result<Grant, String> {
    let Some(answer) = exchange.response() else { return Err("no response to a request from another origin".into()) };
    if standing(answer) == Standing::Refused {
        // A server that refuses foreign origins outright grants them nothing.
        return Ok(Grant::None);
    }
    if standing(answer) != Standing::Works {
        return Err(format!("the owner's request from another origin was answered with {}", answer.status));
    }
    if comes_from_cache(answer) {
        return Err("a cache answered: the query is no part of its key".into());
    }
    let mut allowed = answer.headers.all("access-control-allow-origin");
    let (first, second) = (allowed.next(), allowed.next());
    Ok(match (first, second, exchange.request.headers.first("origin")) {
        (Some("*"), None, _) => Grant::Everyone,
        (Some(allowed), None, Some(asked)) if allowed == asked => {
            if allows_credentials(exchange) {
                Grant::Credentials
            } else {
                Grant::Plain
            }
        }
        _ => Grant::None,
    })
}

fn allows_credentials(exchange: &Recorded) -> bool {
    exchange.response().is_some_and(|answer| answer.headers.first("access-control-allow-credentials") == Some("true"))
}

/// **Source**: RFC 9111, section 5.1 (Age); RFC 9211 (Cache-Status); `X-Cache` of Varnish, CloudFront
/// and Fastly, `CF-Cache-Status` of Cloudflare.
fn comes_from_cache(answer: &Response) -> bool {
    let aged = answer.headers.first("age").is_some_and(|age| age.trim().parse::<u64>().is_ok_and(|age| age > 0));
    let hit = ["x-cache", "cf-cache-status", "cache-status"]
        .iter()
        .filter_map(|name| answer.headers.first(name))
        .any(|value| value.to_ascii_lowercase().contains("hit"));
    aged || hit
}

/// Judges origins of which each must be refused, where one that nobody knows is.
fn judge_single(seen: &Observation, tries: &[(&str, &str, &Recorded, &str)]) -> Verdict {
    match grant(&seen.foreign) {
        Err(why) => return Verdict::inconclusive(why),
        Ok(Grant::Credentials | Grant::Plain | Grant::Everyone) => {
            return Verdict::NotApplicable { reason: "any origin is allowed".into() };
        }
        Ok(Grant::None) => {}
    }
    let mut flaws = Vec::new();
    let mut unclear = None;
    for (cause, role, tried, what) in tries {
        match grant(tried) {
            Ok(Grant::Credentials) => flaws.push(flaw(seen, cause, what, role, tried)),
            Ok(Grant::None | Grant::Plain | Grant::Everyone) => {}
            Err(why) => unclear = Some(why),
        }
    }
    match (flaws.is_empty(), unclear) {
        (true, Some(why)) => Verdict::inconclusive(why),
        (true, None) | (false, _) => Verdict::of_flaws(flaws),
    }
}

/// A flaw, as bad as what a page of another origin gets by it.
fn flaw(seen: &Observation, cause: &str, what: &str, role: &str, tried: &Recorded) -> Flaw {
    let (variant, why) = match (needs_credentials(seen), &seen.ambient, &seen.declared_ambient) {
        (false, ..) => (&EXPLICIT, "it needs no credentials that browsers could send".to_owned()),
        (true, Some(sent), _) => (&AMBIENT, format!("browsers send {sent} by themselves")),
        (true, None, Some(declared)) => {
            (&DECLARED, format!("the description declares {declared}, which browsers send by themselves"))
        }
        (true, None, None) => (&EXPLICIT, "its credentials are ones that no browser sends by itself".to_owned()),
    };
    let asked = tried.request.headers.first("origin").unwrap_or_default().to_owned();
    Flaw::new(variant, cause, format!("{what} with credentials, and {why}"))
        .at(Location::ResponseHeader("Access-Control-Allow-Origin".into()))
        .mark(role, asked)
}

/// True if the owner's content is not what comes back without credentials.
fn needs_credentials(seen: &Observation) -> bool {
    let Some(without) = seen.without_credentials.as_ref().and_then(|e| e.response()) else { return false };
    match (standing(without), seen.owner.response()) {
        (Standing::Refused, _) => true,
        (Standing::Works, Some(owner)) => content(owner, without, &Default::default()) == Sameness::Different,
        _ => false,
    }
}
