//! Looks for the description: the typed URL, what a documentation page names, the usual places beside it.
//!
//! Sends `GET` requests without credentials, to the typed origin only, under the rules of every other
//! request: what a name says that it does, the mode, the budget, the pace, the record.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inventory::{Folder, Inventory, NoLoader, NotADescription, description_links, parse, usual_places};
use model::scan::Warning;
use model::{Answer, Body, Exchange, Mode, Origin, Purpose, Request, Response, TransportError};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{TargetError, warning};
use crate::budget::Budget;
use crate::check::Unobserved;
use crate::effect::{self, Effect};
use crate::transport::{Settings, Transport};

/// Redirects followed when a description is fetched, within one origin.
///
/// **Source**: chosen; documentation pages redirect once or twice.
const REDIRECTS: usize = 3;

/// Links of a page that are followed.
///
/// **Source**: chosen; pages that list several descriptions list a handful.
const LINKS: usize = 10;

/// Time for the whole look-up.
///
/// **Source**: chosen; a document of 100 MB takes most of it, and a silent host must not hold up a scan.
const LONGEST: Duration = Duration::from_secs(60);

/// Places in a row that time out or refuse the connection, after which no other is tried.
///
/// **Source**: chosen.
const SILENT: usize = 3;

/// Bytes of a fetched document that its exchange keeps: a description is no evidence.
///
/// **Source**: chosen; enough to see what it was.
const KEPT: usize = 1024;

/// What a look-up sent, and the budget that it left.
#[derive(Clone, Debug)]
pub struct LookedUp {
    /// The budget of the scan, of which the look-up took its part.
    pub budget: Arc<Budget>,
    /// What was fetched; bodies hold their first bytes only.
    pub(crate) exchanges: Vec<Exchange>,
}

/// A look-up under way.
pub(super) struct LookUp {
    transport: Transport,
    budget: Arc<Budget>,
    until: Instant,
    most: u32,
    exchanges: Mutex<Vec<Exchange>>,
}

/// A description and where it was read.
type Found = (Inventory, String);

impl LookUp {
    pub(super) fn new(settings: &Settings, budget: Arc<Budget>) -> Result<Self, TargetError> {
        let whole = inventory::MAX_DOCUMENT_BYTES;
        let settings = Settings { read_limit: whole, keep_limit: whole, ..settings.clone() };
        let transport =
            Transport::new(settings).map_err(|reason| TargetError::Unreachable { url: "the target".into(), reason })?;
        let until = budget.end().min(Instant::now() + LONGEST);
        // At least half of the requests are the scan's own.
        let most = budget.requests().saturating_add((budget.limits.max_requests / 2).max(1));
        Ok(Self { transport, budget, until, most, exchanges: Mutex::default() })
    }

    pub(super) fn done(self) -> LookedUp {
        LookedUp { budget: self.budget, exchanges: self.exchanges.into_inner().expect("no holder panics") }
    }

    /// The target is the description, an HTML page that links to it, or a base URL beside which it
    /// stands at a usual place. In description mode nothing but the typed URL is fetched.
    pub(super) async fn discover(&self, url: &Url, warnings: &mut Vec<Warning>) -> Result<Option<Found>, TargetError> {
        if let Err(reason) = self.may_type(url) {
            return Err(TargetError::KeptBack { url: shown(url), reason });
        }
        let (at, response) = self.get(url).await?;
        let refused = (response.status >= 400).then_some(response.status);
        let parsed = parse(at.as_str(), response.body.bytes(), &mut NoLoader);
        let reason = match parsed {
            Ok((inventory, odd)) if refused.is_none() => return Ok(Some((take(inventory, odd, warnings), at.into()))),
            Ok(_) => None,
            Err(reason) => Some(reason),
        };
        if self.budget.limits.mode > Mode::Description
            && let Some(found) = self.beside(url, &at, &response, warnings).await?
        {
            return Ok(Some(found));
        }
        if looks_like_a_description(url) || self.budget.limits.mode == Mode::Description {
            return Err(match (reason, refused) {
                (Some(reason), None) => TargetError::NotADescription { place: shown(url), reason },
                _ => TargetError::Refused { url: shown(url), status: response.status },
            });
        }
        warnings.push(warning("no description was found; only the one URL is scanned: add --spec".into()));
        Ok(None)
    }

    /// A description that the page names, or that stands at a usual place beside or above it.
    async fn beside(
        &self,
        typed: &Url,
        at: &Url,
        page: &Response,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Found>, TargetError> {
        let mut candidates: Vec<Url> = Vec::new();
        if page.media_type() == "text/html" {
            let links = description_links(&page.body.text());
            let links = links.iter().filter_map(|link| at.join(link).ok()).filter(names_a_description);
            candidates.extend(links.take(LINKS));
        }
        let below = at.path().trim_end_matches('/');
        for place in usual_places() {
            candidates.extend(at.join(&format!("{below}{place}")).ok());
            candidates.extend(at.join(place).ok());
        }
        let mut seen = BTreeSet::from([at.to_string()]);
        let mut silent = 0;
        for candidate in candidates {
            if Origin::of(&candidate) != Origin::of(typed) || !seen.insert(candidate.to_string()) {
                continue;
            }
            let (at, response) = match self.get(&candidate).await {
                Ok(fetched) => fetched,
                Err(TargetError::Interrupted) => return Err(TargetError::Interrupted),
                Err(TargetError::OutOfBudget(_)) => return Ok(None),
                Err(TargetError::Unreachable { .. }) if silent + 1 < SILENT => {
                    silent += 1;
                    continue;
                }
                Err(TargetError::Unreachable { .. }) => return Ok(None),
                Err(_) => continue,
            };
            silent = 0;
            if response.status >= 300 {
                continue;
            }
            if let Ok((inventory, odd)) = parse(at.as_str(), response.body.bytes(), &mut NoLoader) {
                warnings.push(warning(format!("the description was found at {}", shown(&at))));
                return Ok(Some((take(inventory, odd, warnings), at.into())));
            }
        }
        Ok(None)
    }

    /// Reads a description from a file or a URL.
    pub(super) async fn read(&self, place: &str, warnings: &mut Vec<Warning>) -> Result<Found, TargetError> {
        if let Ok(url) = Url::parse(place)
            && url.has_host()
        {
            let not = |reason: NotADescription| TargetError::NotADescription { place: shown(&url), reason };
            let (at, response) = self.get(&url).await?;
            if response.status >= 300 {
                return Err(TargetError::Refused { url: shown(&url), status: response.status });
            }
            let (inventory, odd) = parse(at.as_str(), response.body.bytes(), &mut NoLoader).map_err(not)?;
            return Ok((take(inventory, odd, warnings), at.into()));
        }
        let not = |reason| TargetError::NotADescription { place: place.into(), reason };
        let path = Path::new(place);
        if !path.exists() {
            return Err(TargetError::Neither(place.into()));
        }
        let bytes = std::fs::read(path).map_err(|source| TargetError::Unreadable { path: path.into(), source })?;
        let (inventory, odd) = parse(place, &bytes, &mut Folder::of(path)).map_err(not)?;
        Ok((take(inventory, odd, warnings), place.into()))
    }

    /// What was typed is fetched, unless its last name says that it does more.
    fn may_type(&self, url: &Url) -> Result<(), &'static str> {
        let last = url.path().rsplit('/').find(|segment| !segment.is_empty()).unwrap_or_default();
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let effect = effect::effect(&Request::get(&format!("/{last}{query}")));
        if looks_like_a_description(url) || effect == Effect::Reads {
            return Ok(());
        }
        effect::permit(self.budget.limits.mode.max(Mode::Safe), effect).map_err(|not_sent| not_sent.reason)
    }

    /// Gets a document without credentials, following redirects within its origin.
    async fn get(&self, url: &Url) -> Result<(Url, Response), TargetError> {
        let mut at = url.clone();
        for _ in 0..=REDIRECTS {
            let origin = Origin::of(&at).ok_or_else(|| TargetError::NotAUrl(shown(&at)))?;
            let target = at[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
            let request = Request::get(&target).with_header("Accept", "application/json, application/yaml, */*;q=0.5");
            let response = match self.send(&origin, request).await? {
                Answer::Response(response) => response,
                Answer::Error(reason) => return Err(unreachable(&at, reason)),
            };
            let next = response.headers.first("location").and_then(|location| at.join(location).ok());
            let next = next.filter(|next| {
                let target = &next[url::Position::BeforePath..url::Position::AfterQuery];
                Origin::of(next) == Some(origin.clone()) && effect::effect(&Request::get(target)) == Effect::Reads
            });
            match next {
                Some(next) if (300..400).contains(&response.status) => at = next,
                Some(_) | None => return Ok((at, response)),
            }
        }
        Err(TargetError::Refused { url: shown(url), status: 310 })
    }

    async fn send(&self, origin: &Origin, request: Request) -> Result<Answer, TargetError> {
        let out = |why: &str| TargetError::OutOfBudget(why.to_owned());
        if self.budget.requests() >= self.most {
            return Err(out("its share of the requests is used up"));
        }
        let _turn = self.budget.turn(None, false).await.map_err(|why| match why {
            Unobserved::Interrupted => TargetError::Interrupted,
            Unobserved::Inconclusive(why) | Unobserved::NotApplicable(why) => out(&why),
            Unobserved::Panicked => out("the look-up failed by itself"),
        })?;
        let started_ms = u64::try_from(self.budget.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let exchange = timeout_at(self.until, self.transport.exchange(origin, &request, false));
        let received = tokio::select! {
            received = exchange => received.map_err(|_| out("its time is used up"))?,
            () = self.budget.stopped() => return Err(TargetError::Interrupted),
        };
        self.budget.pace.learn(
            None,
            match &received.answer {
                Answer::Response(response) => Some(response),
                Answer::Error(_) => None,
            },
            received.duration,
        );
        let mut kept = received.answer.clone();
        if let Answer::Response(response) = &mut kept
            && response.body.len() > KEPT
        {
            response.body = Body::from(response.body.bytes().slice(..KEPT));
            response.truncated = true;
        }
        self.exchanges.lock().expect("no holder panics").push(Exchange {
            id: 0,
            purpose: Purpose::Description,
            identity: None,
            operation: None,
            request,
            signed_as: None,
            answer: kept,
            started_ms,
            duration_ms: u64::try_from(received.duration.as_millis()).unwrap_or(u64::MAX),
            connection: received.connection,
        });
        Ok(received.answer)
    }
}

/// True if the name of a link says that it shows a description, and no word of it says more.
fn names_a_description(link: &Url) -> bool {
    let target = &link[url::Position::BeforePath..url::Position::AfterQuery];
    let lower = target.to_ascii_lowercase();
    let says = [
        "openapi", "swagger", "api-doc", "apidoc", "api_doc", "spec", "schema", ".json", ".yaml", ".yml", "-json",
        "/json", "/yaml",
    ];
    says.iter().any(|word| lower.contains(word)) && effect::effect(&Request::get(target)) == Effect::Reads
}

fn looks_like_a_description(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    [".json", ".yaml", ".yml"].iter().any(|end| path.ends_with(end)) || path.ends_with("api-docs")
}

fn take(inventory: Inventory, odd: Vec<inventory::Warning>, warnings: &mut Vec<Warning>) -> Inventory {
    warnings.extend(
        odd.into_iter().map(|w| Warning { place: Some(format!("{}#{}", w.document, w.pointer)), message: w.message }),
    );
    inventory
}

/// A URL as messages show it.
fn shown(url: &Url) -> String {
    url.to_string()
}

fn unreachable(url: &Url, reason: TransportError) -> TargetError {
    TargetError::Unreachable { url: shown(url), reason }
}
