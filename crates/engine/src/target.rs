//! From what the user typed to what is scanned: the description, the origin, the base path.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use inventory::{Inventory, NotADescription};
use model::redact::legible;
use model::scan::Warning;
use model::{Identity, KnownSecret, OperationKey, Origin, TransportError};
use thiserror::Error;
use url::Url;

use crate::budget::Budget;
use crate::survey::Configured;
use crate::transport::Settings;

mod look_up;

use look_up::LookUp;
pub use look_up::LookedUp;

/// What a scan is pointed at.
#[derive(Clone)]
pub struct Target {
    /// As the user typed it.
    pub given: String,
    /// Where requests go.
    pub origin: Origin,
    /// Path before every operation's path; empty or starting with `/`, never ending with it.
    pub base_path: String,
    /// The description.
    pub inventory: Arc<Inventory>,
    /// What was odd on the way.
    pub warnings: Vec<Warning>,
    /// Who sends requests.
    pub identities: Vec<Identity>,
    /// What is secret besides the credentials of the identities.
    pub known: Vec<KnownSecret>,
    /// Headers sent with every request; never credentials.
    pub headers: Vec<(String, String)>,
    /// What the user says of the API.
    pub configured: Configured,
    /// Operations that may be sent whatever their method.
    pub repeatable: BTreeSet<OperationKey>,
    /// The configuration file that was read, if one was.
    pub configuration: Option<String>,
    /// What is to be said of it, and of other things that the user should know of the set-up.
    pub notices: Vec<String>,
    /// How connections are made.
    pub settings: Settings,
    /// What the look-up of the description sent and left of the budget; absent where nothing was looked up.
    pub looked_up: Option<LookedUp>,
}

/// What the user typed.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// URL of an API or of its description, or a description file.
    pub target: String,
    /// URL or file of the description, where it is not the target.
    pub spec: Option<String>,
    /// URL that requests go to, where the description names another.
    pub base_url: Option<String>,
    /// Method of a single URL.
    pub method: Option<String>,
}

/// Why nothing can be scanned.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It is neither a URL nor a file.
    #[error("`{}` is neither a URL nor a file", legible(.0))]
    Neither(String),
    /// The file cannot be read.
    #[error("cannot read the description `{path}`")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What was named as a description is none.
    #[error("`{place}` is no API description: {reason}")]
    NotADescription {
        /// File or URL.
        place: String,
        /// Why.
        reason: NotADescription,
    },
    /// No response.
    #[error("cannot reach `{url}`: {reason}")]
    Unreachable {
        /// The URL.
        url: String,
        /// Why.
        reason: TransportError,
    },
    /// The name of the typed URL says that it does more than show a description.
    #[error("`{url}` is not fetched: {reason}")]
    KeptBack {
        /// The URL.
        url: String,
        /// Why.
        reason: &'static str,
    },
    /// Requests or time were used up before there was a description.
    #[error("the description was not found in time: {0}")]
    OutOfBudget(String),
    /// The user stopped the look-up.
    #[error("stopped while the description was looked for")]
    Interrupted,
    /// The description was not answered with success.
    #[error("`{url}` answered {status}")]
    Refused {
        /// The URL.
        url: String,
        /// Status code.
        status: u16,
    },
    /// A description from a file does not say where the API is, or names a remote one.
    #[error("the description does not decide where requests go{}", named(.0))]
    NoBaseUrl(Option<String>),
    /// The URL is not one.
    #[error("`{}` is no http or https URL", legible(.0))]
    NotAUrl(String),
}

fn named(server: &Option<String>) -> String {
    server.as_ref().map(|s| format!(": its server `{s}` was not typed by you")).unwrap_or_default()
}

impl TargetError {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Neither(_) => {
                "type a URL such as http://127.0.0.1:5000/openapi.json, or the path of a description".into()
            }
            Self::Unreadable { .. } => "check the path".into(),
            Self::NotADescription { .. } => "OpenAPI 2.0, 3.0 and 3.1 are read, as JSON or YAML".into(),
            Self::Unreachable { .. } => "is it running, and is the address right? --wait-ready 60s waits for it".into(),
            Self::Refused { .. } => "give the description as a file or another URL with --spec".into(),
            Self::KeptBack { .. } => {
                "give the description with --spec, or list the operation under `repeatable:`".into()
            }
            Self::OutOfBudget(_) => "raise --max-requests or --budget, or give the description with --spec".into(),
            Self::Interrupted => String::new(),
            Self::NoBaseUrl(Some(server)) => format!("to scan it, add --base-url {server}"),
            Self::NoBaseUrl(None) => "add --base-url URL".into(),
            Self::NotAUrl(_) => "it starts with http:// or https://".into(),
        }
    }
}

impl Given {
    /// Reads the description and decides where requests go. Sends requests without credentials, to
    /// the typed origin only, within the budget of the scan.
    ///
    /// # Errors
    /// Nothing can be scanned, and why.
    pub async fn resolve(&self, settings: Settings, budget: Arc<Budget>) -> Result<Target, TargetError> {
        let mut warnings = Vec::new();
        let look_up = LookUp::new(&settings, budget)?;
        let is_get = self.method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case("GET"));
        let found = match (&self.spec, Url::parse(&self.target)) {
            (Some(spec), _) => Some(look_up.read(spec, &mut warnings).await?),
            (None, Ok(url)) if url.has_host() && is_get => look_up.discover(&url, &mut warnings).await?,
            (None, Ok(url)) if url.has_host() => None,
            (None, _) => Some(look_up.read(&self.target, &mut warnings).await?),
        };
        let typed = self.base_url.as_deref().or_else(|| {
            // A target beside a description of its own is where requests go.
            let is_url = Url::parse(&self.target).is_ok_and(|u| u.has_host());
            (self.spec.is_some() && is_url).then_some(self.target.as_str())
        });
        let (inventory, place) = match found {
            Some((inventory, place)) => (inventory, place),
            None => self.single()?,
        };
        let (origin, base_path) = self.base(typed, &inventory, &place, &mut warnings)?;
        Ok(Target {
            given: self.target.clone(),
            origin,
            base_path,
            inventory: Arc::new(inventory),
            warnings,
            identities: Vec::new(),
            known: Vec::new(),
            headers: Vec::new(),
            configured: Configured::default(),
            repeatable: BTreeSet::new(),
            configuration: None,
            notices: Vec::new(),
            settings,
            looked_up: Some(look_up.done()),
        })
    }

    /// An inventory of the one URL that was typed.
    fn single(&self) -> Result<(Inventory, String), TargetError> {
        let url = Url::parse(&self.target).map_err(|_| TargetError::NotAUrl(self.target.clone()))?;
        let method = self.method.as_deref().unwrap_or("GET");
        let mut inventory = Inventory::single(method, url.path());
        if let (Some(query), Some(operation)) = (url.query(), inventory.operations.first_mut()) {
            // The query is part of what was typed: it goes along with every request.
            Arc::make_mut(operation).path = format!("{}?{query}", url.path());
        }
        let origin = Origin::of(&url).ok_or_else(|| TargetError::NotAUrl(self.target.clone()))?;
        Ok((inventory, origin.to_string()))
    }

    /// Where requests go.
    fn base(
        &self,
        typed: Option<&str>,
        inventory: &Inventory,
        place: &str,
        warnings: &mut Vec<Warning>,
    ) -> Result<(Origin, String), TargetError> {
        if let Some(typed) = typed {
            let url = Url::parse(typed).map_err(|_| TargetError::NotAUrl(typed.into()))?;
            let origin = Origin::of(&url).ok_or_else(|| TargetError::NotAUrl(typed.into()))?;
            let below = if url.path() == "/" { server_path(inventory, &url) } else { url.path().to_owned() };
            return Ok((origin, trimmed(&below)));
        }
        let read_from = Url::parse(place).ok().filter(Url::has_host);
        let Some(read_from) = read_from else {
            let server = inventory.servers.iter().find_map(|s| Url::parse(&s.url).ok().filter(Url::has_host));
            let origin = server.as_ref().and_then(Origin::of);
            return match (server, origin) {
                (Some(url), Some(origin)) if origin.is_loopback() => Ok((origin, trimmed(url.path()))),
                (Some(url), _) => Err(TargetError::NoBaseUrl(Some(url.to_string()))),
                (None, _) => Err(TargetError::NoBaseUrl(None)),
            };
        };
        let origin = Origin::of(&read_from).ok_or_else(|| TargetError::NotAUrl(place.into()))?;
        if !inventory.is_described() {
            return Ok((origin, String::new()));
        }
        let elsewhere = inventory
            .servers
            .iter()
            .filter_map(|s| Url::parse(&s.url).ok())
            .find(|u| u.has_host() && Origin::of(u).as_ref() != Some(&origin));
        let own = inventory
            .servers
            .iter()
            .any(|s| read_from.join(&s.url).is_ok_and(|u| Origin::of(&u).as_ref() == Some(&origin)));
        if let (Some(other), false) = (elsewhere, own) {
            warnings.push(warning(format!(
                "the description names the server {other}; {origin} is scanned because that is what you typed (--base-url {other} scans the other)"
            )));
        }
        Ok((origin, trimmed(&server_path(inventory, &read_from))))
    }
}

/// The path of the server that the description names: of the one with this origin, else of the first.
fn server_path(inventory: &Inventory, read_from: &Url) -> String {
    let root = read_from.join("/").unwrap_or_else(|_| read_from.clone());
    let absolute = |url: &str| match url {
        "" | "/" => Some(root.clone()),
        other => read_from.join(other).ok(),
    };
    let servers: Vec<Url> = inventory.servers.iter().filter_map(|s| absolute(&s.url)).collect();
    let same = servers.iter().find(|u| Origin::of(u) == Origin::of(read_from));
    same.or(servers.first()).map(|u| u.path().to_owned()).unwrap_or_default()
}

fn trimmed(path: &str) -> String {
    path.trim_end_matches('/').to_owned()
}

fn warning(message: String) -> Warning {
    Warning { place: None, message }
}
