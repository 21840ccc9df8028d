//! What a check says of itself.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::severity::Severity;

/// The group a check belongs to; also a part of the score that is shown by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "each name is the category key that is documented in docs/checks.md")]
pub enum Category {
    Authentication,
    Bola,
    Bfla,
    PropertyAuthorization,
    InputValidation,
    RateLimiting,
    DataExposure,
    Encryption,
    Ssrf,
    Inventory,
    UnsafeConsumption,
    Llm,
    RequestIntegrity,
    ApiKeys,
    JsonRpc,
}

impl Category {
    /// All categories, in the order in which they are shown.
    pub const ALL: [Self; 15] = [
        Self::Authentication,
        Self::Bola,
        Self::Bfla,
        Self::PropertyAuthorization,
        Self::InputValidation,
        Self::RateLimiting,
        Self::DataExposure,
        Self::Encryption,
        Self::Ssrf,
        Self::Inventory,
        Self::UnsafeConsumption,
        Self::Llm,
        Self::RequestIntegrity,
        Self::ApiKeys,
        Self::JsonRpc,
    ];

    /// The key used in JSON and in options.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authentication => "authentication",
            Self::Bola => "bola",
            Self::Bfla => "bfla",
            Self::PropertyAuthorization => "property-authorization",
            Self::InputValidation => "input-validation",
            Self::RateLimiting => "rate-limiting",
            Self::DataExposure => "data-exposure",
            Self::Encryption => "encryption",
            Self::Ssrf => "ssrf",
            Self::Inventory => "inventory",
            Self::UnsafeConsumption => "unsafe-consumption",
            Self::Llm => "llm",
            Self::RequestIntegrity => "request-integrity",
            Self::ApiKeys => "api-keys",
            Self::JsonRpc => "json-rpc",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A class of the OWASP API Security Top 10.
///
/// **Source**: OWASP API Security Top 10, edition 2023.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the names are OWASP's own numbers")]
pub enum Owasp {
    #[serde(rename = "API1:2023")]
    Api1,
    #[serde(rename = "API2:2023")]
    Api2,
    #[serde(rename = "API3:2023")]
    Api3,
    #[serde(rename = "API4:2023")]
    Api4,
    #[serde(rename = "API5:2023")]
    Api5,
    #[serde(rename = "API6:2023")]
    Api6,
    #[serde(rename = "API7:2023")]
    Api7,
    #[serde(rename = "API8:2023")]
    Api8,
    #[serde(rename = "API9:2023")]
    Api9,
    #[serde(rename = "API10:2023")]
    Api10,
}

impl Owasp {
    /// Number and name of the class.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api1 => "API1:2023 Broken Object Level Authorization",
            Self::Api2 => "API2:2023 Broken Authentication",
            Self::Api3 => "API3:2023 Broken Object Property Level Authorization",
            Self::Api4 => "API4:2023 Unrestricted Resource Consumption",
            Self::Api5 => "API5:2023 Broken Function Level Authorization",
            Self::Api6 => "API6:2023 Unrestricted Access to Sensitive Business Flows",
            Self::Api7 => "API7:2023 Server Side Request Forgery",
            Self::Api8 => "API8:2023 Security Misconfiguration",
            Self::Api9 => "API9:2023 Improper Inventory Management",
            Self::Api10 => "API10:2023 Unsafe Consumption of APIs",
        }
    }
}

/// What a scan may do to its target, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Sends nothing: judges the description alone.
    Description,
    /// Signs in, and sends each operation's own reading request.
    Passive,
    /// Sends reading requests of its own.
    #[default]
    Safe,
    /// Writes too, to objects that the scan made.
    Active,
    /// Deletes, and sends heavy payloads too.
    Destructive,
}

impl Mode {
    /// The word used in JSON and in options.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Passive => "passive",
            Self::Safe => "safe",
            Self::Active => "active",
            Self::Destructive => "destructive",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a check needs besides a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// At least one identity.
    Identity,
    /// Two identities of equal role.
    TwoIdentities,
    /// An API description.
    Description,
    /// An identity that signs its requests.
    Signing,
    /// A log file to read.
    LogFile,
    /// An identity with a key that was revoked.
    RevokedKey,
    /// An identity whose role may only read.
    ReadOnlyIdentity,
}

/// A condition under which a flaw has a severity of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Name, unique within the check; stands in stored flaws.
    pub name: &'static str,
    /// The condition, in words: "the answer holds another user's data".
    pub when: &'static str,
    /// CVSS 4.0 vector; none means info.
    pub cvss: Option<&'static str>,
}

impl Variant {
    /// The rating of the vector; info without one.
    pub fn severity(&self) -> Severity {
        self.cvss.map_or(Severity::Info, |vector| {
            Severity::of_vector(vector).expect("every vector of META is parsed by a test")
        })
    }
}

/// Code to paste that fixes what a check finds: a folder of `remedies/`.
///
/// The end-to-end applications run these files, and are scanned without and with them.
#[derive(Debug, PartialEq, Eq)]
pub struct Remedy {
    /// Name of the folder.
    pub name: &'static str,
    /// Its README.md: what, why, when not.
    pub readme: &'static str,
    /// One file per framework, in the order in which they are shown.
    pub code: &'static [Code],
}

/// One file of a remedy.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The framework or library that it is for, as its authors spell it.
    pub framework: &'static str,
    /// Name of the file.
    pub file: &'static str,
    /// What stands in it.
    pub text: &'static str,
}

impl Code {
    /// Whether this is what somebody means who writes `flask`, `FastAPI` or `axum`: code for that
    /// framework, or for every framework of its language.
    pub fn is_for(&self, framework: &str) -> bool {
        let stem = self.file.split('.').next().unwrap_or_default();
        let of_its_language = match stem {
            "python" | "boto3" => &["flask", "fastapi", "django"][..],
            "node" => &["express"],
            _ => &[],
        };
        [stem, self.framework].iter().chain(of_its_language).any(|name| name.eq_ignore_ascii_case(framework))
    }
}

/// Everything that programs know about a check. What people read stands in its README.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// Kebab-case noun phrase for the weakness seen; never reused.
    pub id: &'static str,
    /// What is wrong where the check fails, as one plain sentence without a full stop.
    pub title: &'static str,
    /// The group it belongs to.
    pub category: Category,
    /// OWASP classes, the closest first; may be empty.
    pub owasp: &'static [Owasp],
    /// CWE numbers, the closest first.
    pub cwe: &'static [u16],
    /// Severities by condition; the judge names one per flaw.
    pub variants: &'static [Variant],
    /// The least mode in which it runs.
    pub mode: Mode,
    /// What it needs besides a target.
    pub needs: &'static [Need],
    /// Code that fixes it.
    pub remedy: Option<&'static Remedy>,
    /// Rows of the design's tables, such as `KEY-013`.
    pub reference: &'static [&'static str],
    /// Version in which it appeared.
    pub since: &'static str,
    /// True where its requests disturb others (bursts, timing): it then runs alone, last.
    pub disturbs: bool,
    /// The folder's README.md.
    pub readme: &'static str,
    /// The folder's examples.md.
    pub examples: &'static str,
}

impl Meta {
    /// The variant of this name.
    pub fn variant(&self, name: &str) -> Option<&'static Variant> {
        self.variants.iter().find(|v| v.name == name)
    }

    /// The worst severity that this check can give.
    pub fn worst(&self) -> Severity {
        self.variants.iter().map(Variant::severity).min().unwrap_or(Severity::Info)
    }
}
