//! Who sends a request, and with which credentials.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::Request;
use crate::secret::Secret;
use crate::signer::Signer;

/// Where a credential stands in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// A header; `prefix` stands before the value (`Bearer `), possibly empty.
    Header {
        /// Header name.
        name: String,
        /// Text before the credential.
        prefix: String,
    },
    /// A query parameter.
    Query {
        /// Parameter name.
        name: String,
    },
    /// A cookie.
    Cookie {
        /// Cookie name.
        name: String,
    },
}

impl Place {
    /// The place of `Authorization: Bearer …`.
    pub fn bearer() -> Self {
        Self::Header { name: "Authorization".into(), prefix: "Bearer ".into() }
    }

    /// The place of `Authorization: Basic …`; the credential is the base64 of `user:password`.
    pub fn basic() -> Self {
        Self::Header { name: "Authorization".into(), prefix: "Basic ".into() }
    }

    /// A short name for masks and messages, such as `X-API-Key` or `bearer`.
    pub fn label(&self) -> String {
        match self {
            Self::Header { name, prefix }
                if !prefix.trim().is_empty() && name.eq_ignore_ascii_case("authorization") =>
            {
                prefix.trim().to_ascii_lowercase()
            }
            Self::Header { name, .. } | Self::Query { name } | Self::Cookie { name } => name.clone(),
        }
    }

    /// Puts a credential into a request, replacing what stands in this place.
    pub fn put(&self, request: &mut Request, value: &str) {
        match self {
            Self::Header { name, prefix } => request.headers.set(name, format!("{prefix}{value}")),
            Self::Query { name } => {
                let kept: Vec<String> = request
                    .query()
                    .unwrap_or_default()
                    .split('&')
                    .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name))
                    .map(Into::into)
                    .collect();
                let path = request.path().to_owned();
                request.target = if kept.is_empty() { path } else { format!("{path}?{}", kept.join("&")) };
                *request = request.clone().with_query(name, value);
            }
            Self::Cookie { name } => {
                let mut cookies: Vec<String> = request
                    .headers
                    .first("cookie")
                    .unwrap_or_default()
                    .split("; ")
                    .filter(|c| !c.is_empty() && c.split('=').next() != Some(name))
                    .map(Into::into)
                    .collect();
                cookies.push(format!("{name}={value}"));
                request.headers.set("Cookie", cookies.join("; "));
            }
        }
    }
}

impl Place {
    /// The value in this place, without prefix, of a query parameter decoded.
    pub fn read(&self, request: &Request) -> Option<String> {
        match self {
            Self::Header { name, prefix } => {
                let value = request.headers.first(name)?;
                Some(value.strip_prefix(prefix.as_str()).unwrap_or(value).to_owned())
            }
            Self::Query { name } => {
                let mut pairs = url::form_urlencoded::parse(request.query().unwrap_or_default().as_bytes());
                pairs.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
            }
            Self::Cookie { name } => {
                let mut cookies = request.headers.first("cookie")?.split("; ").filter_map(|c| c.split_once('='));
                cookies.find(|(own, _)| own == name).map(|(_, value)| value.to_owned())
            }
        }
    }

    /// Replaces the value in this place where it stands; a query keeps its order.
    pub fn replace(&self, request: &mut Request, value: &str) {
        match self {
            Self::Header { name, prefix } => {
                let own = request.headers.values_mut().find(|(own, _)| own.eq_ignore_ascii_case(name));
                if let Some((_, own)) = own {
                    *own = format!("{prefix}{value}");
                }
            }
            Self::Query { name } => {
                let new = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
                let pairs = request.query().unwrap_or_default().split('&');
                let pairs: Vec<&str> =
                    pairs.map(|pair| if is_pair_of(pair, name) { new.as_str() } else { pair }).collect();
                request.target = format!("{}?{}", request.path(), pairs.join("&"));
            }
            Self::Cookie { .. } => self.put(request, value),
        }
    }

    /// The same place, whose value is all that stands there.
    pub(crate) fn without_prefix(&self) -> Self {
        match self {
            Self::Header { name, .. } => Self::Header { name: name.clone(), prefix: String::new() },
            Self::Query { .. } | Self::Cookie { .. } => self.clone(),
        }
    }

    /// Takes out the header, parameter or cookie.
    pub fn clear(&self, request: &mut Request) {
        match self {
            Self::Header { name, .. } => request.headers.remove(name),
            Self::Query { name } => {
                let pairs = request.query().unwrap_or_default().split('&');
                let kept: Vec<&str> = pairs.filter(|pair| !pair.is_empty() && !is_pair_of(pair, name)).collect();
                let path = request.path();
                request.target = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
            }
            Self::Cookie { name } => {
                let cookies = request.headers.first("cookie").unwrap_or_default().split("; ");
                let kept: Vec<&str> = cookies.filter(|c| c.split('=').next() != Some(name)).collect();
                let kept = kept.join("; ");
                request.headers.remove("cookie");
                if !kept.is_empty() {
                    request.headers.push("Cookie", kept);
                }
            }
        }
    }
}

fn is_pair_of(pair: &str, name: &str) -> bool {
    url::form_urlencoded::parse(pair.as_bytes()).next().is_some_and(|(own, _)| own == name)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { name, prefix } => {
                write!(f, "header {name}{}{}", if prefix.is_empty() { "" } else { ": " }, prefix.trim())
            }
            Self::Query { name } => write!(f, "query parameter {name}"),
            Self::Cookie { name } => write!(f, "cookie {name}"),
        }
    }
}

/// A credential and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Where it stands.
    pub place: Place,
    /// Its value.
    pub value: Secret,
}

/// A key that its owner has revoked: the API must refuse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedKey {
    /// Its value, without the text that stands before keys in their place.
    pub value: Secret,
    /// When it was revoked, in Unix milliseconds, where the user states it.
    pub at_ms: Option<i64>,
}

/// One named set of credentials.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// Name in the configuration and in findings.
    pub name: String,
    /// Role, such as `admin`, where the user states one.
    pub role: Option<String>,
    /// Tenant, where the user states one.
    pub tenant: Option<String>,
    /// What is sent with each request.
    pub credentials: Vec<Credential>,
    /// How to get credentials by a request.
    pub login: Option<Login>,
    /// Signs each request, after credentials are in place.
    pub signer: Option<Arc<dyn Signer>>,
    /// An earlier key of it, which must not work any more.
    pub revoked_key: Option<RevokedKey>,
}

/// A sign-in request, and where the credential stands in its answer.
#[derive(Clone, Debug)]
pub struct Login {
    /// The request; its body holds secrets.
    pub request: Request,
    /// Secrets inside the request, to be masked in recordings.
    pub secrets: Vec<Secret>,
    /// What to take out of the answer.
    pub extract: Vec<Extract>,
}

/// One credential to take out of a sign-in answer.
#[derive(Clone, Debug)]
pub struct Extract {
    /// Where it is found.
    pub from: ExtractFrom,
    /// Where it goes in the requests that follow.
    pub place: Place,
}

/// Where a credential stands in a sign-in answer.
#[derive(Clone, Debug)]
pub enum ExtractFrom {
    /// A JSON member, as a path such as `$.data.token`.
    Json(String),
    /// A response header.
    Header(String),
    /// A cookie set by the answer.
    Cookie(String),
}
