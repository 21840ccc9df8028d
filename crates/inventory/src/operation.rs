//! The nouns of an inventory: operations and what they take, answer and require.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::description::{Description, SchemaRef};
use crate::schema::Schema;

/// All operations of an API, with the description they come from.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// Format of the description; [`Format::None`] where there is none.
    pub format: Format,
    /// `info.title`.
    pub title: Option<String>,
    /// `info.version`, as text.
    pub version: Option<String>,
    /// Servers of the whole description; empty means the origin it was read from.
    pub servers: Vec<Server>,
    /// Operations in the description's order.
    pub operations: Vec<Arc<Operation>>,
    /// Declared security schemes by name.
    pub security_schemes: BTreeMap<String, SecurityScheme>,
    /// The documents that the description consists of.
    pub description: Arc<Description>,
    /// How much was found.
    pub counts: Counts,
}

/// Format of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Swagger, also known as OpenAPI 2.0.
    OpenApi20,
    /// OpenAPI 3.0.
    OpenApi30,
    /// OpenAPI 3.1.
    OpenApi31,
    /// OpenAPI 3.2.
    OpenApi32,
    /// No description: the operations were named by the caller, or there are none.
    None,
}

/// How much a description holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Operations in the inventory.
    pub operations: usize,
    /// Entries under `paths` that are objects.
    pub paths: usize,
    /// `$ref`s in all documents.
    pub references: usize,
    /// `$ref`s that lead nowhere.
    pub unresolved_references: usize,
    /// Named schemas (`components.schemas`, `definitions`) in all documents.
    pub schemas: usize,
}

/// A base URL that a description names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Server {
    /// The URL with variables replaced by their defaults; may be relative to the description.
    pub url: String,
    /// JSON pointer to the place that states it.
    pub pointer: String,
}

/// One method on one path template.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Position in [`Inventory::operations`].
    pub index: usize,
    /// Method in upper case.
    pub method: String,
    /// Path template as written, for example `/users/{id}`.
    pub path: String,
    /// `operationId`.
    pub operation_id: Option<String>,
    /// `summary`.
    pub summary: Option<String>,
    /// The beginning of `description`, at most [`KEPT_OF_A_DESCRIPTION`] characters.
    pub description: Option<String>,
    /// `tags`.
    pub tags: Vec<String>,
    /// Whether it is declared deprecated.
    pub deprecated: bool,
    /// Parameters, those of the path item included; a (name, location) occurs once.
    pub parameters: Vec<Parameter>,
    /// Request body.
    pub body: Option<RequestBody>,
    /// Responses in the description's order.
    pub responses: Vec<ResponseSpec>,
    /// What it requires: its own `security`, else the description's.
    pub security: Security,
    /// Servers of its own or of its path item; empty means [`Inventory::servers`].
    pub servers: Vec<Server>,
    /// JSON pointer to the operation, preceded by `<uri>#` if it stands in another document than
    /// the description's first.
    pub pointer: String,
}

/// Characters kept of an operation's description: its first sentences say what it does.
///
/// **Source**: chosen; whole texts are most of many a document.
pub const KEPT_OF_A_DESCRIPTION: usize = 300;

/// Where a parameter or an API key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParameterLocation {
    /// Into the path template.
    Path,
    /// Into the query.
    Query,
    /// Into a header field.
    Header,
    /// Into a cookie.
    Cookie,
}

/// One parameter of an operation.
#[derive(Debug, Clone)]
pub struct Parameter {
    /// Its name, as written.
    pub name: String,
    /// Where it goes.
    pub location: ParameterLocation,
    /// Whether a request needs it; always true in a path.
    pub required: bool,
    /// What it may hold.
    pub schema: Option<SchemaRef>,
    /// Examples of the parameter itself; those of its schema are read through [`Schema`].
    pub examples: Vec<Value>,
    /// How a list or an object is written.
    pub style: ParameterStyle,
    /// Whether each element of a list or member of an object stands for itself.
    pub explode: bool,
    /// Media type of the value where the description gives it by `content`.
    pub content: Option<String>,
    /// JSON pointer to the parameter, as in [`Operation::pointer`].
    pub pointer: String,
}

/// How a parameter's value becomes text.
///
/// **Source**: OpenAPI 3.2, Parameter Object, "Style Values"; `TabDelimited` is Swagger 2.0's
/// `collectionFormat: tsv`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ParameterStyle {
    /// `a,b`.
    Simple,
    /// `name=a&name=b` or `name=a,b`.
    Form,
    /// `name=a b`.
    SpaceDelimited,
    /// `name=a|b`.
    PipeDelimited,
    /// `name=a⇥b`.
    TabDelimited,
    /// `name[member]=a`.
    DeepObject,
    /// `;name=a`.
    Matrix,
    /// `.a`.
    Label,
}

/// The body that an operation takes.
#[derive(Debug, Clone)]
pub struct RequestBody {
    /// Whether a request needs one.
    pub required: bool,
    /// The forms it may have.
    pub media: Vec<Media>,
}

/// One form of a body.
#[derive(Debug, Clone)]
pub struct Media {
    /// Media type or range as written, for example `application/json`.
    pub media_type: String,
    /// Schema of the body.
    pub schema: Option<SchemaRef>,
    /// Examples of a request body. Empty for a response, whose examples can be most of a
    /// description: [`Inventory::examples`] reads either in place.
    pub examples: Vec<Value>,
    /// The object that states this form.
    pub at: SchemaRef,
}

/// One response that an operation declares.
#[derive(Debug, Clone)]
pub struct ResponseSpec {
    /// `200`, `2XX` or `default`.
    pub status: String,
    /// The forms of its body; empty where it has none.
    pub media: Vec<Media>,
    /// Names of its header fields.
    pub headers: Vec<String>,
}

/// What an operation requires of a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// The description does not say.
    Undeclared,
    /// Declared to need nothing (`[]`, or `{}` as the only alternative).
    Public,
    /// Any one of the alternatives.
    Required {
        /// Each alternative is a list of requirements that hold together.
        alternatives: Vec<Vec<Requirement>>,
        /// Whether calling without credentials is another alternative (`{}`).
        optional: bool,
    },
}

/// One scheme that an alternative needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// Name of the security scheme.
    pub scheme: String,
    /// Scopes or roles.
    pub scopes: Vec<String>,
}

/// How a caller proves who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "type")]
pub enum SecurityScheme {
    /// A key in a header, the query or a cookie.
    ApiKey {
        /// Where it goes; never the path.
        location: ParameterLocation,
        /// Name of the header, parameter or cookie.
        name: String,
    },
    /// HTTP authentication.
    Http {
        /// `basic`, `bearer` or another registered scheme, in lower case.
        scheme: String,
        /// Hint at the form of a bearer token.
        bearer_format: Option<String>,
    },
    /// OAuth 2.0.
    OAuth2 {
        /// Token endpoints of all flows, as written.
        token_urls: Vec<String>,
        /// Authorization endpoints of all flows, as written.
        authorization_urls: Vec<String>,
        /// Names of the flows, as written.
        flows: Vec<String>,
        /// Scopes of all flows.
        scopes: Vec<String>,
    },
    /// OpenID Connect discovery.
    OpenIdConnect {
        /// Discovery URL, as written.
        url: String,
    },
    /// A client certificate.
    MutualTls,
    /// Declared, but in no form that a specification defines.
    Unknown,
}

impl Inventory {
    /// Returns an inventory without description and without operations.
    pub fn empty() -> Self {
        Self {
            format: Format::None,
            title: None,
            version: None,
            servers: Vec::new(),
            operations: Vec::new(),
            security_schemes: BTreeMap::new(),
            description: Arc::new(Description::empty()),
            counts: Counts::default(),
        }
    }

    /// Returns an inventory of one operation without description; the parameters are those of the
    /// path template.
    pub fn single(method: &str, path: &str) -> Self {
        let parameters = template_names(path).map(|name| Parameter::of_template(name, String::new())).collect();
        let operation = Operation {
            index: 0,
            method: method.to_ascii_uppercase(),
            path: path.to_owned(),
            operation_id: None,
            summary: None,
            description: None,
            tags: Vec::new(),
            deprecated: false,
            parameters,
            body: None,
            responses: Vec::new(),
            security: Security::Undeclared,
            servers: Vec::new(),
            pointer: String::new(),
        };
        Self {
            operations: vec![Arc::new(operation)],
            counts: Counts { operations: 1, paths: 1, ..Counts::default() },
            ..Self::empty()
        }
    }

    /// Returns the view of the schema at a place of this inventory's description; a place that
    /// does not exist reads as the empty schema.
    pub fn schema(&self, at: &SchemaRef) -> Schema<'_> {
        Schema::at_place(&self.description, at)
    }

    /// Returns the examples of a body, read in place.
    pub fn examples(&self, media: &Media) -> Vec<&Value> {
        crate::examples::examples_of(&self.description, self.format, media)
    }

    /// Says whether the operations come from a description.
    pub fn is_described(&self) -> bool {
        self.format != Format::None
    }
}

impl Parameter {
    /// A parameter that only the path template names.
    pub(crate) fn of_template(name: &str, pointer: String) -> Self {
        Self {
            name: name.to_owned(),
            location: ParameterLocation::Path,
            required: true,
            schema: None,
            examples: Vec::new(),
            style: ParameterStyle::Simple,
            explode: false,
            content: None,
            pointer,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OpenApi20 => "OpenAPI 2.0",
            Self::OpenApi30 => "OpenAPI 3.0",
            Self::OpenApi31 => "OpenAPI 3.1",
            Self::OpenApi32 => "OpenAPI 3.2",
            Self::None => "no description",
        })
    }
}

impl Serialize for Format {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for ParameterLocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        })
    }
}

/// Returns the names between braces in a path template, in order.
pub(crate) fn template_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| {
        let (name, _) = rest.split_once('}')?;
        (!name.is_empty()).then_some(name)
    })
}

/// Says whether a path is one of a template: equal fixed segments, percent-decoded, and something in the
/// place of each parameter. Both begin at the same place.
pub fn is_of_template(template: &str, path: &str) -> bool {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (wanted, own) = (template.split('/'), path.split('/'));
    wanted.clone().count() == own.clone().count()
        && wanted.zip(own).all(|(wanted, own)| {
            wanted == own || if wanted.contains('{') { !own.is_empty() } else { decoded(wanted) == decoded(own) }
        })
}

/// Returns the schema that an operation declares for a response: that of the exact status, else
/// of its class (`2XX`), else of `default`; then that of the media type, else of a range that
/// holds it (`application/*`, `*/*`). Parameters of the media type are ignored.
///
/// **Source**: OpenAPI 3.2, Responses Object ("the explicit code definition takes precedence over
/// the range definition") and Media Type Object.
pub fn response_schema(operation: &Operation, status: u16, media_type: &str) -> Option<SchemaRef> {
    let exact = status.to_string();
    let class = format!("{}XX", status / 100);
    let declared = [exact.as_str(), class.as_str(), "default"]
        .into_iter()
        .find_map(|wanted| operation.responses.iter().find(|response| response.status.eq_ignore_ascii_case(wanted)))?;
    let wanted = essence(media_type);
    let range = wanted.split_once('/').map(|(kind, _)| format!("{kind}/*")).unwrap_or_default();
    [wanted.as_str(), range.as_str(), "*/*"].into_iter().find_map(|wanted| {
        let media = declared.media.iter().find(|media| essence(&media.media_type) == wanted)?;
        media.schema.clone()
    })
}

/// A media type without parameters, in lower case.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
