#![doc = include_str!("README.md")]

use std::collections::BTreeSet;

use engine::controls::{Sameness, Standing, content, form, sibling, standing};

use engine::{
    AnyCheck, Baseline, Check, Draft, NotApplicable, Protection, Requests, Session, Survey, Unobserved, check, subject,
};
use model::{Category, Confidence, Flaw, Meta, Mode, Need, Owasp, Recorded, Request, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

mod method;
mod spelling;
#[cfg(any(test, feature = "targets"))]
pub mod target;

use method::Form as MethodForm;
use spelling::Spelling;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] = &[check::<UnprotectedMethod>(), check::<UnprotectedPath>()];

const CONTENT: Variant = Variant {
    name: "content",
    when: "the content that is refused by the plain request comes back",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const SIZE: Variant = Variant {
    name: "size",
    when: "only the existence and the size of the content come back, by HEAD",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const HANDLER: Variant = Variant {
    name: "handler",
    when: "an unknown method runs a handler that the plain request does not reach (active mode)",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N"),
};

const META: Meta = Meta {
    id: "unprotected-method",
    title: "A protected operation answers without credentials by another method",
    category: Category::Authentication,
    owasp: &[Owasp::Api2, Owasp::Api5],
    cwe: &[306, 650],
    variants: &[CONTENT, HANDLER, SIZE],
    mode: Mode::Safe,
    needs: &[Need::Identity],
    remedy: Some(&crate::remedies::API_KEY_LOOKUP),
    reference: &["KEY-028"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Does an operation that refuses a plain GET without credentials answer another method?
pub struct UnprotectedMethod;

/// Does an operation that refuses a request without credentials answer another spelling of its path?
pub struct UnprotectedPath;

/// The owner's request, the same without credentials, and variants of it without credentials.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// With the owner's credentials.
    owner: Recorded,
    /// The plain request without credentials.
    without_credentials: Recorded,
    /// The variants, without credentials.
    variants: Vec<Recorded>,
    /// What each variant is, in their order.
    forms: Vec<String>,
    /// For each variant, the same variant of a sibling path that cannot exist; only where the variant
    /// was answered.
    unknown_paths: Vec<Option<Recorded>>,
    /// What differs at every request.
    #[serde(default)]
    volatile: BTreeSet<String>,
}

impl Check for UnprotectedMethod {
    const META: Meta = META;
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        plan(operation)?;
        Ok(Requests { expected: 3, most: 10 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let baseline = working(operation)?;
        let unknown = sibling(&operation.key.path, baseline.request.path(), &survey.unknown_word);
        let unknown = baseline.request.clone().with_path(&unknown);
        let variants = MethodForm::of_mode(session.mode()).map(|form| Variation {
            form: form.words(),
            request: form.of(&baseline.request, &survey.unknown_word),
            unknown_path: form.of(&unknown, &survey.unknown_word),
        });
        observe(operation, baseline, session, variants.collect()).await
    }

    fn judge(seen: &Observation) -> Verdict {
        judge(seen, |forms| {
            Flaw::new(
                &CONTENT,
                "another-method",
                format!("the owner's content comes back without credentials by {forms}"),
            )
        })
    }
}

impl Check for UnprotectedPath {
    const META: Meta = Meta {
        id: "unprotected-path",
        title: "A protected operation answers without credentials under another spelling of its path",
        cwe: &[288, 647],
        variants: &[CONTENT],
        reference: &["KEY-029"],
        ..META
    };
    type Subject = subject::Operation;
    type Observation = Observation;

    fn plan(operation: &subject::Operation, _: &Survey) -> Result<Requests, NotApplicable> {
        plan(operation)?;
        Ok(Requests { expected: 7, most: 14 })
    }

    async fn observe(
        operation: &subject::Operation,
        survey: &Survey,
        session: &Session,
    ) -> Result<Observation, Unobserved> {
        let baseline = working(operation)?;
        let (template, path) = (operation.key.path.as_str(), baseline.request.path());
        let unknown = sibling(template, path, &survey.unknown_word);
        let variants = Spelling::ALL.into_iter().filter_map(|spelling| {
            Some(Variation {
                form: spelling.words(),
                request: spelling.of(&baseline.request, template, path, &survey.unknown_word)?,
                unknown_path: spelling.of(&baseline.request, template, &unknown, &survey.unknown_word)?,
            })
        });
        observe(operation, baseline, session, variants.collect()).await
    }

    fn judge(seen: &Observation) -> Verdict {
        judge(seen, |forms| {
            let message =
                format!("the owner's content comes back without credentials where the path is written with {forms}");
            Flaw::new(&CONTENT, "path-spelling", message)
        })
    }
}

/// One variant of a request, and the same variant of a path that cannot exist.
struct Variation {
    form: &'static str,
    request: Request,
    unknown_path: Request,
}

fn plan(operation: &subject::Operation) -> Result<(), NotApplicable> {
    if operation.protection == Protection::Public {
        return Err(NotApplicable::new("it is open by design"));
    }
    if operation.key.method != "GET" {
        return Err(NotApplicable::new("only reading by GET is asked for in other ways"));
    }
    if operation.is_costly() {
        return Err(NotApplicable::new("each call costs or takes something"));
    }
    working(operation).map(|_| ())
}

fn working(operation: &subject::Operation) -> Result<&Baseline, NotApplicable> {
    operation.baseline().ok_or(NotApplicable::new("no identity gets an answer"))
}

async fn observe(
    operation: &subject::Operation,
    baseline: &Baseline,
    session: &Session,
    variations: Vec<Variation>,
) -> Result<Observation, Unobserved> {
    let draft = baseline.draft(&operation.key);
    let owner = session.recall(&draft).await?;
    let without_credentials = session.recall(&draft.clone().without_credentials()).await?;
    if without_credentials.response().is_some_and(|answer| standing(answer) == Standing::Works) {
        return Err(NotApplicable::new("it answers without credentials as it is").into());
    }
    let anonymous = |request: Request| Draft { request, ..draft.clone() }.without_credentials();
    let (mut variants, mut forms, mut unknown_paths) = (Vec::new(), Vec::new(), Vec::new());
    for variation in variations {
        let variant = session.recall(&anonymous(variation.request)).await?;
        let answered = variant.response().is_some_and(|answer| standing(answer) == Standing::Works);
        let unknown_path = match answered {
            true => Some(session.recall(&anonymous(variation.unknown_path)).await?),
            false => None,
        };
        variants.push(variant);
        forms.push(variation.form.to_owned());
        unknown_paths.push(unknown_path);
    }
    Ok(Observation { owner, without_credentials, variants, forms, unknown_paths, volatile: baseline.volatile.clone() })
}

/// What a variant's answer says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Admission {
    /// The owner's content came back.
    Content,
    /// HEAD told the size or the entity tag of the owner's content.
    Size,
    /// Nobody was admitted.
    None,
    /// That cannot be told.
    Unclear,
}

fn judge(seen: &Observation, flaw: impl Fn(String) -> Flaw) -> Verdict {
    let (Some(owner), Some(without)) = (seen.owner.response(), seen.without_credentials.response()) else {
        return Verdict::inconclusive("no response to the plain request");
    };
    if standing(owner) != Standing::Works {
        return Verdict::inconclusive(format!("the owner's own request was answered with {}", owner.status));
    }
    match standing(without) {
        Standing::Refused => {}
        Standing::Works => return Verdict::NotApplicable { reason: "it answers without credentials as it is".into() },
        _ => {
            return Verdict::inconclusive(format!(
                "the plain request without credentials was answered with {}",
                without.status
            ));
        }
    }
    let mut admitted = Vec::new();
    let (mut size, mut handler) = (None, None);
    let mut unclear = None;
    for (index, variant) in seen.variants.iter().enumerate() {
        let form = seen.forms.get(index).map(String::as_str).unwrap_or_default();
        let unknown = seen.unknown_paths.get(index).and_then(Option::as_ref).and_then(|e| e.response());
        let unknown_method = form == method::INVENTED_WORDS;
        match admission(owner, without, variant, unknown, &seen.volatile) {
            Admission::Unclear if unknown_method && ran_a_handler(owner, variant, unknown) => {
                handler = variant.response().map(|response| response.status);
            }
            Admission::Content => admitted.push((form, variant)),
            Admission::Size => size = Some(variant),
            Admission::None => {}
            Admission::Unclear => _ = unclear.get_or_insert(form),
        }
    }
    let mut flaws = Vec::new();
    if let Some((_, first)) = admitted.first() {
        let forms: Vec<&str> = admitted.iter().map(|(form, _)| *form).collect();
        flaws.push(flaw(forms.join(", ")).mark("variants", first.request.target.clone()));
    }
    if size.is_some() {
        let message = "HEAD without credentials tells the size or the entity tag of the owner's content";
        flaws.push(Flaw::new(&SIZE, "head", message).with_confidence(Confidence::Confirmed).mark("variants", "HEAD"));
    }
    if let Some(status) = handler {
        let message =
            format!("an invented method without credentials is answered with {status}, a plain GET is refused");
        flaws.push(
            Flaw::new(&HANDLER, "unknown-method", message)
                .with_confidence(Confidence::Likely)
                .mark("variants", "X-READ"),
        );
    }
    match (flaws.is_empty(), unclear) {
        (true, Some(form)) => Verdict::inconclusive(format!("with {form} it was answered in a way that fits no class")),
        (true, None) | (false, _) => Verdict::of_flaws(flaws),
    }
}

fn admission(
    owner: &Response,
    without: &Response,
    variant: &Recorded,
    unknown: Option<&Response>,
    volatile: &BTreeSet<String>,
) -> Admission {
    // A server that hangs up on an odd request has admitted nobody.
    let Some(answer) = variant.response() else { return Admission::None };
    match standing(answer) {
        Standing::Works => {}
        // A followed redirect proves nothing, and whoever dislikes the request admits nobody.
        Standing::Refused | Standing::Missing | Standing::Invalid | Standing::Redirected => return Admission::None,
        Standing::Limited | Standing::Failed | Standing::Unclear => return Admission::Unclear,
    }
    let Some(unknown) = unknown else { return Admission::Unclear };
    if variant.request.method == "HEAD" {
        return if describes(answer, owner) && !describes(answer, without) && !describes(answer, unknown) {
            Admission::Size
        } else {
            Admission::None
        };
    }
    // What a path that cannot exist gets too is a page for everything.
    if standing(unknown) == Standing::Works && form(unknown) == form(answer) {
        return Admission::None;
    }
    match content(owner, answer, volatile) {
        Sameness::Same => Admission::Content,
        // An empty 200 or 204 holds nothing of the owner.
        Sameness::Empty => Admission::None,
        Sameness::Different => Admission::Unclear,
    }
}

/// True if the response to an unknown method is that of a handler: something was created, or an object of
/// the operation's own form comes back; and a path that cannot exist does not get it.
fn ran_a_handler(owner: &Response, variant: &Recorded, unknown: Option<&Response>) -> bool {
    let (Some(answer), Some(unknown)) = (variant.response(), unknown) else { return false };
    if standing(answer) != Standing::Works || standing(unknown) == Standing::Works {
        return false;
    }
    let names = |value: &serde_json::Value| -> Option<BTreeSet<String>> {
        let object = value.as_array().and_then(|items| items.first()).unwrap_or(value).as_object()?;
        Some(object.keys().cloned().collect())
    };
    let of = |response: &Response| response.json().as_ref().and_then(names).filter(|names| !names.is_empty());
    matches!(answer.status, 201 | 202) || (of(answer).is_some() && of(answer) == of(owner))
}

/// True if a HEAD's entity tag or length is that of this answer to GET.
///
/// **Source**: RFC 9110, sections 9.3.2 (HEAD), 8.8.3 (ETag), 8.6 (Content-Length).
fn describes(head: &Response, get: &Response) -> bool {
    if let (Some(a), Some(b)) = (head.headers.first("etag"), get.headers.first("etag")) {
        return a == b;
    }
    let Some(length) = head.headers.first("content-length").and_then(|v| v.trim().parse::<u64>().ok()) else {
        return false;
    };
    let stated = get.headers.first("content-length").and_then(|v| v.trim().parse::<u64>().ok());
    let counted = (!get.headers.contains("content-encoding")).then_some(get.body_bytes);
    length > 0 && stated.or(counted) == Some(length)
}
