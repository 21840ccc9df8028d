//! Who sends a request, and how the request is signed.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::Request;
use crate::secret::Secret;

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

/// When and with which nonce a request is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Unix milliseconds.
    pub unix_ms: i64,
    /// Used once.
    pub nonce: String,
}

/// Signs a finished request. Pure: the same request and stamp give the same signature.
pub trait Signer: Send + Sync + fmt::Debug {
    /// Adds the signature, and the headers that it needs.
    fn sign(&self, request: &mut Request, stamp: &Stamp);

    /// True where the server wants each nonce to be greater than the one before, so that requests
    /// of the identity must go out one after the other.
    fn is_monotone(&self) -> bool {
        false
    }
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
