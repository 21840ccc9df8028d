#![doc = include_str!("README.md")]

use engine::controls::{Standing, standing};
use engine::{AnyCheck, Check, Draft, NotApplicable, Requests, Session, Survey, Unobserved, check, subject};
use model::sensitive::{Certainty, Detection, Kind, detect};
use model::{Category, Confidence, Flaw, Meta, Mode, Owasp, Recorded, Request, Response, Variant, Verdict};
use serde::{Deserialize, Serialize};

mod cookie;
mod html;
mod referrer;
#[cfg(any(test, feature = "targets"))]
pub mod target;

/// The checks of this folder.
pub const CHECKS: &[&dyn AnyCheck] =
    &[check::<KeyInScript>(), check::<referrer::KeySentByReferrer>(), check::<cookie::KeyInCookie>()];

/// Scripts that are read, and source maps.
///
/// **Source**: chosen; pages of single-page applications load fewer from their own host.
const MOST_SCRIPTS: usize = 6;
const MOST_MAPS: usize = 3;

/// CVSS vector of what helps an attacker a little.
const LOW: &str = "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N";

const LIVE: Variant = Variant {
    name: "live-format",
    when: "a script that anyone can read holds a key that works by itself",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const TEST: Variant = Variant {
    name: "for-tests",
    when: "a script that anyone can read holds a key for tests",
    cvss: Some("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N"),
};

const PUBLISHABLE: Variant = Variant { name: "publishable", when: "the vendor means the key to be public", cvss: None };

const META: Meta = Meta {
    id: "key-in-script",
    title: "A script that anyone can read holds a key",
    category: Category::DataExposure,
    owasp: &[Owasp::Api8],
    cwe: &[540, 312],
    variants: &[LIVE, TEST, PUBLISHABLE],
    mode: Mode::Safe,
    needs: &[],
    remedy: None,
    reference: &["KEY-012"],
    since: "0.1.0",
    disturbs: false,
    readme: include_str!("README.md"),
    examples: include_str!("examples.md"),
};

/// Do the pages of the host, or their scripts and source maps, hold a key?
pub struct KeyInScript;

/// Pages, scripts and source maps that anyone can read, and the keys in them.
#[derive(Serialize, Deserialize)]
pub struct Observation {
    /// What was read.
    files: Vec<Recorded>,
    /// The keys in it.
    #[serde(default)]
    leaks: Vec<Leak>,
}

/// A key in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leak {
    /// Path of the file.
    path: String,
    /// Id of the rule that recognizes the key, or `own-key`.
    rule: String,
    /// Its name for people.
    name: String,
    /// True if its vendor means it to be public.
    #[serde(default)]
    publishable: bool,
    /// True where its form leaves no doubt.
    #[serde(default)]
    proven: bool,
}

impl Check for KeyInScript {
    const META: Meta = META;
    type Subject = subject::Target;
    type Observation = Observation;

    fn plan(_: &subject::Target, survey: &Survey) -> Result<Requests, NotApplicable> {
        let count = pages(survey).len() + MOST_SCRIPTS + MOST_MAPS;
        Ok(Requests { expected: 1, most: u32::try_from(count).unwrap_or(u32::MAX) })
    }

    async fn observe(_: &subject::Target, survey: &Survey, session: &Session) -> Result<Observation, Unobserved> {
        let mut seen = Observation { files: Vec::new(), leaks: Vec::new() };
        let mut scripts: Vec<String> = Vec::new();
        for page in pages(survey) {
            let Some(raw) = seen.read(&page, survey, session).await? else { continue };
            if raw.media_type().contains("html") {
                let text = raw.body.text();
                scripts.extend(html::scripts(&text).iter().filter_map(|url| html::path(url, &page, &survey.origin)));
            }
        }
        scripts.sort();
        scripts.dedup();
        let mut maps: Vec<String> = Vec::new();
        for script in scripts.iter().take(MOST_SCRIPTS) {
            let Some(raw) = seen.read(script, survey, session).await? else { continue };
            let map = html::source_map(&raw.body.text()).and_then(|url| html::path(url, script, &survey.origin));
            maps.extend(map);
        }
        for map in maps.iter().take(MOST_MAPS) {
            seen.read(map, survey, session).await?;
        }
        Ok(seen)
    }

    fn judge(seen: &Observation) -> Verdict {
        if seen.files.is_empty() {
            return Verdict::NotApplicable { reason: "the host has no page at its root".into() };
        }
        let answered = |file: &Recorded| {
            let standing = file.response().map(standing);
            !matches!(standing, None | Some(Standing::Limited | Standing::Failed))
        };
        if seen.leaks.is_empty() && !seen.files.iter().all(answered) {
            return Verdict::inconclusive("a page or a script was not answered");
        }
        Verdict::of_flaws(seen.leaks.iter().map(flaw).collect())
    }
}

impl Observation {
    /// Reads a file as anyone can. Its response as it came where it works.
    async fn read(
        &mut self,
        path: &str,
        survey: &Survey,
        session: &Session,
    ) -> Result<Option<std::sync::Arc<Response>>, Unobserved> {
        let answer = match session.recall(&Draft::anonymous(Request::get(path))).await {
            Ok(answer) => answer,
            Err(Unobserved::Inconclusive(_)) => return Ok(None),
            Err(other) => return Err(other),
        };
        let raw = session.raw(&answer).filter(|raw| standing(raw) == Standing::Works);
        if let (Some(raw), Some(recorded)) = (&raw, answer.response()) {
            let path = answer.request.path().to_owned();
            let known = |leak: &Leak| self.leaks.iter().any(|other| other.rule == leak.rule && other.path == leak.path);
            let found: Vec<Leak> =
                leaks(&path, raw, recorded, survey).into_iter().filter(|leak| !known(leak)).collect();
            self.leaks.extend(found);
        }
        self.files.push(answer);
        Ok(raw)
    }
}

/// Pages at the root, and below the base path where there is one. What is declared is the matter of other
/// checks.
fn pages(survey: &Survey) -> Vec<String> {
    let mut pages = vec!["/".to_owned()];
    if !survey.base_path.is_empty() {
        pages.push(survey.path("/"));
    }
    pages.retain(|path| !survey.operations.iter().any(|operation| survey.path(&operation.key.path) == *path));
    pages
}

/// The keys in a file: those that a vendor's form shows, and those of the scan's identities.
fn leaks(path: &str, raw: &Response, recorded: &Response, survey: &Survey) -> Vec<Leak> {
    let mut leaks: Vec<Leak> = Vec::new();
    for detection in detect(raw.body.bytes()).into_iter().filter(is_key) {
        let Detection { rule, name, publishable, certainty, .. } = detection;
        if !leaks.iter().any(|leak| leak.rule == rule) {
            let proven = certainty == Certainty::Proven;
            leaks.push(Leak { path: path.to_owned(), rule, name, publishable, proven });
        }
    }
    let text = recorded.body.text();
    for identity in &survey.identities {
        let is_shown =
            identity.places.iter().any(|place| text.contains(&format!("{{{{{}.{}}}}}", identity.name, place.label())));
        if is_shown {
            let name = format!("the key of `{}`", identity.name);
            leaks.push(Leak { path: path.to_owned(), rule: "own-key".into(), name, publishable: false, proven: true });
        }
    }
    leaks
}

fn is_key(detection: &Detection) -> bool {
    match detection.kind {
        Kind::ProviderKey | Kind::PrivateKey | Kind::ConnectionString => true,
        Kind::SecretUrl
        | Kind::Jwt
        | Kind::PasswordHash
        | Kind::ApplicationSecret
        | Kind::PaymentCard
        | Kind::Iban
        | Kind::NationalId => false,
    }
}

fn flaw(leak: &Leak) -> Flaw {
    let variant = match (leak.publishable, leak.rule.contains("-test-")) {
        (true, _) => &PUBLISHABLE,
        (false, true) => &TEST,
        (false, false) => &LIVE,
    };
    let confidence = if leak.rule == "own-key" { Confidence::Confirmed } else { Confidence::Likely };
    let confidence = if leak.proven { confidence } else { Confidence::Likely };
    let flaw = Flaw::new(variant, leak.rule.clone(), format!("`{}` holds {}", leak.path, leak.name));
    flaw.with_confidence(confidence).mark("files", leak.path.clone())
}
