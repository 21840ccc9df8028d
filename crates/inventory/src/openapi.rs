//! OpenAPI 3.x, and what it has in common with Swagger 2.0.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::description::{Description, Node, split_reference};
use crate::examples::examples_of;
use crate::gather::{Found, gather};
use crate::loader::Loader;
use crate::operation::{
    Counts, Format, Inventory, KEPT_OF_A_DESCRIPTION, Media, Operation, Parameter, RequestBody, ResponseSpec, Security,
    SecurityScheme, Server, template_names,
};
use crate::parameters::{Declared, merge};
use crate::read::{NotADescription, looks_like, read};
use crate::reader::{Reader, kind};
use crate::warning::{Warning, Warnings};
use crate::{security, swagger};

/// Methods that a path item names.
/// **Source**: OpenAPI 3.1, Path Item Object; `query` since 3.2.
const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// Reads a description.
///
/// `uri` is where the bytes come from, a URL or a path (or empty); references are relative to it.
/// Whatever is odd is a warning.
///
/// # Errors
/// [`NotADescription`] if the bytes are too many, neither JSON nor YAML, or hold no `openapi`,
/// `swagger` or `paths`.
pub fn parse(uri: &str, bytes: &[u8], loader: &mut dyn Loader) -> Result<(Inventory, Vec<Warning>), NotADescription> {
    let (uri, _) = split_reference(uri);
    let uri = if uri.is_empty() { "description" } else { uri };
    let mut warnings = Warnings::default();
    let root = read(uri, bytes, &mut warnings)?;
    let format = format_of(uri, &root, &mut warnings)?;
    let (description, found) = gather(uri, root, loader, &mut warnings);
    let mut reader = Reader::new(&description, format, warnings);
    let parts = reader.description_parts();
    let Reader { warnings, form_schemas, .. } = reader;
    Ok((parts.into_inventory(description, form_schemas, format, &found), warnings.into_vec()))
}

/// The format that a document names, or that its members speak for.
fn format_of(uri: &str, root: &Value, warnings: &mut Warnings) -> Result<Format, NotADescription> {
    let Some(members) = root.as_object() else {
        return Err(NotADescription::NotAnApiDescription { looks_like: looks_like(root) });
    };
    let has = |key: &str| members.get(key).is_some_and(|value| !value.is_null());
    for (key, read) in [("swagger", swagger_version as fn(&str) -> Option<Format>), ("openapi", openapi_version)] {
        if !has(key) {
            continue;
        }
        let value = &members[key];
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            other => {
                let message = format!("the version is {}, not text; read as `{other}`", kind(other));
                warnings.push(uri, &format!("/{key}"), message);
                other.to_string()
            }
        };
        if let Some(format) = read(&text) {
            return Ok(format);
        }
        let format = if key == "swagger" { Format::OpenApi20 } else { Format::OpenApi32 };
        let message = format!("the version `{text}` is not known; read as {format}");
        warnings.push(uri, &format!("/{key}"), message);
        return Ok(format);
    }
    if !has("paths") {
        return Err(NotADescription::NotAnApiDescription { looks_like: looks_like(root) });
    }
    let old = ["definitions", "securityDefinitions", "basePath", "host", "produces", "consumes"];
    let format = if old.into_iter().any(has) { Format::OpenApi20 } else { Format::OpenApi31 };
    warnings.push(uri, "", format!("the document names no version of OpenAPI; read as {format}"));
    Ok(format)
}

fn swagger_version(text: &str) -> Option<Format> {
    (text == "2" || text.starts_with("2.")).then_some(Format::OpenApi20)
}

fn openapi_version(text: &str) -> Option<Format> {
    let is =
        |version: &str| text.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']));
    match () {
        () if is("3.0") || text == "3" => Some(Format::OpenApi30),
        () if is("3.1") => Some(Format::OpenApi31),
        () if is("3.2") => Some(Format::OpenApi32),
        () if is("2.0") => Some(Format::OpenApi20),
        () => None,
    }
}

/// What a reader takes from a description.
struct Parts {
    title: Option<String>,
    version: Option<String>,
    servers: Vec<Server>,
    operations: Vec<Arc<Operation>>,
    security_schemes: BTreeMap<String, SecurityScheme>,
    paths: usize,
}

impl Parts {
    fn into_inventory(
        self,
        mut description: Description,
        form_schemas: Vec<Value>,
        format: Format,
        found: &Found,
    ) -> Inventory {
        if !form_schemas.is_empty() {
            description.add(swagger::FORMS_URI, Value::Array(form_schemas));
        }
        let counts = Counts {
            operations: self.operations.len(),
            paths: self.paths,
            references: found.references,
            unresolved_references: found.unresolved,
            schemas: found.schemas,
        };
        Inventory {
            format,
            title: self.title,
            version: self.version,
            servers: self.servers,
            operations: self.operations,
            security_schemes: self.security_schemes,
            description: Arc::new(description),
            counts,
        }
    }
}

/// What the operations of a path item have in common.
struct Inherited<'a, 'p> {
    path: &'p str,
    parameters: Vec<Declared<'a>>,
    servers: Vec<Server>,
}

impl<'a> Reader<'a> {
    fn description_parts(&mut self) -> Parts {
        let mut parts = Parts {
            title: None,
            version: None,
            servers: Vec::new(),
            operations: Vec::new(),
            security_schemes: BTreeMap::new(),
            paths: 0,
        };
        let Some(root) = self.description.root(0) else {
            return parts;
        };
        match self.object(&root, "info") {
            Some(info) => {
                parts.title = self.text(&info, "title");
                parts.version = self.text(&info, "version");
            }
            None if root.value.get("info").is_none() => self.warn(&root, "`info` is missing"),
            None => {}
        }
        parts.servers = if self.is_swagger() { self.swagger_servers(&root) } else { self.servers(&root) };
        parts.security_schemes = security::schemes(self, &root);
        self.known_schemes = parts.security_schemes.keys().cloned().collect();
        let security = security::requirements(self, &root);
        let Some(paths) = self.object(&root, "paths") else {
            if root.value.get("paths").is_none() && root.member("webhooks").is_none() {
                self.warn(&root, "`paths` is missing, so there are no operations");
            }
            return parts;
        };
        let Some(paths) = self.resolved(paths) else {
            return parts;
        };
        for (path, item) in paths.members() {
            if path.starts_with("x-") || path == "$ref" {
                continue;
            }
            let Some(item) = self.path_item(item) else { continue };
            parts.paths += 1;
            if !path.starts_with('/') {
                self.warn(&item, format!("the path `{path}` does not begin with `/`"));
            }
            for mut operation in self.operations(&root, path, &item) {
                operation.index = parts.operations.len();
                if matches!(operation.security, Security::Undeclared) {
                    operation.security = security.clone().unwrap_or(operation.security);
                }
                parts.operations.push(Arc::new(operation));
            }
        }
        parts
    }

    /// A path item, its `$ref` followed where that leads anywhere.
    fn path_item(&mut self, item: Node<'a>) -> Option<Node<'a>> {
        let item = self.resolved(item.clone()).unwrap_or(item);
        if item.value.is_object() {
            return Some(item);
        }
        self.warn(&item, format!("a path item is {}, not an object", kind(item.value)));
        None
    }

    fn operations(&mut self, root: &Node<'a>, path: &str, item: &Node<'a>) -> Vec<Operation> {
        let inherited = Inherited {
            path,
            parameters: self.parameters(item),
            servers: if self.is_swagger() { Vec::new() } else { self.servers(item) },
        };
        let mut operations = Vec::new();
        for (key, node) in item.members() {
            let is_method = METHODS.contains(&key) && (key != "query" || self.format == Format::OpenApi32);
            if is_method {
                operations.extend(self.operation(root, key, &node, &inherited));
            } else if key == "additionalOperations" && self.format == Format::OpenApi32 {
                for (method, node) in node.members() {
                    operations.extend(self.operation(root, method, &node, &inherited));
                }
            } else if !matches!(key, "summary" | "description" | "servers" | "parameters" | "$ref")
                && !key.starts_with("x-")
            {
                self.warn(&node, format!("`{key}` is no method of {}", self.format));
            }
        }
        operations
    }

    fn operation(
        &mut self,
        root: &Node<'a>,
        method: &str,
        declared_at: &Node<'a>,
        inherited: &Inherited<'a, '_>,
    ) -> Option<Operation> {
        let node = &self.resolved(declared_at.clone()).unwrap_or_else(|| declared_at.clone());
        if !node.value.is_object() {
            self.warn(node, format!("an operation is {}, not an object", kind(node.value)));
            return None;
        }
        if !is_token(method) {
            self.warn(node, "an operation is left out, because its method holds characters that no method has");
            return None;
        }
        let declared = merge(&inherited.parameters, self.parameters(node));
        let body = if self.is_swagger() { self.swagger_body(root, node, &declared) } else { self.request_body(node) };
        let mut parameters: Vec<Parameter> = declared.into_iter().filter_map(|declared| declared.parameter).collect();
        self.complete_path_parameters(inherited.path, node, &mut parameters);
        let own_servers = if self.is_swagger() { Vec::new() } else { self.servers(node) };
        Some(Operation {
            index: 0,
            method: method.to_ascii_uppercase(),
            path: inherited.path.to_owned(),
            operation_id: self.text(node, "operationId"),
            summary: self.text(node, "summary"),
            description: self.text(node, "description").map(|text| text.chars().take(KEPT_OF_A_DESCRIPTION).collect()),
            tags: self.texts(node, "tags"),
            deprecated: self.flag(node, "deprecated"),
            parameters,
            body,
            responses: self.responses(root, node),
            security: security::requirements(self, node).unwrap_or(Security::Undeclared),
            servers: if own_servers.is_empty() { inherited.servers.clone() } else { own_servers },
            pointer: self.pointer_of(declared_at),
        })
    }

    fn request_body(&mut self, operation: &Node<'a>) -> Option<RequestBody> {
        let body = self.object(operation, "requestBody")?;
        let body = self.resolved(body)?;
        let mut media = self.media(&body);
        for form in &mut media {
            form.examples = examples_of(self.description, self.format, form).into_iter().cloned().collect();
        }
        if media.is_empty() {
            self.warn(&body, "the request body has no `content`");
        }
        Some(RequestBody { required: self.flag(&body, "required"), media })
    }

    fn media(&mut self, owner: &Node<'a>) -> Vec<Media> {
        let Some(content) = self.object(owner, "content") else {
            return Vec::new();
        };
        let mut list = Vec::new();
        for (media_type, node) in content.members() {
            if media_type.starts_with("x-") {
                continue;
            }
            let Some(node) = self.resolved(node) else { continue };
            if !node.value.is_object() {
                self.warn(&node, format!("a media type is {}, not an object", kind(node.value)));
            }
            list.push(Media {
                media_type: media_type.to_owned(),
                schema: self.schema(&node, "schema").or_else(|| self.schema(&node, "itemSchema")),
                examples: Vec::new(),
                at: node.place(),
            });
        }
        list
    }

    fn responses(&mut self, root: &Node<'a>, operation: &Node<'a>) -> Vec<ResponseSpec> {
        let Some(responses) = self.object(operation, "responses") else {
            return Vec::new();
        };
        let Some(responses) = self.resolved(responses) else {
            return Vec::new();
        };
        let mut list = Vec::new();
        for (status, node) in responses.members() {
            if status.starts_with("x-") || status == "$ref" {
                continue;
            }
            if !is_status(status) {
                self.warn(&node, format!("`{status}` is no status, no class of statuses and not `default`"));
                continue;
            }
            let Some(node) = self.resolved(node) else { continue };
            if !node.value.is_object() {
                self.warn(&node, format!("a response is {}, not an object", kind(node.value)));
                continue;
            }
            let media = if self.is_swagger() { self.swagger_media(root, operation, &node) } else { self.media(&node) };
            let headers = self.object(&node, "headers");
            let headers = headers.iter().flat_map(Node::members).map(|(name, _)| name.to_owned()).collect();
            list.push(ResponseSpec { status: status.to_owned(), media, headers });
        }
        list
    }

    fn servers(&mut self, owner: &Node<'a>) -> Vec<Server> {
        let Some(list) = self.array(owner, "servers") else {
            return Vec::new();
        };
        let nodes: Vec<_> = list.elements().filter_map(|node| self.resolved(node)).collect();
        nodes.into_iter().filter_map(|node| self.server(&node)).collect()
    }

    /// **Source**: OpenAPI 3.2, Server Object and Server Variable Object.
    fn server(&mut self, node: &Node<'a>) -> Option<Server> {
        let Some(mut url) = self.text(node, "url") else {
            self.warn(node, "a server without `url` is left out");
            return None;
        };
        let variables = self.object(node, "variables");
        let names: Vec<String> = template_names(&url).map(str::to_owned).collect();
        for name in names {
            let variable = variables.as_ref().and_then(|variables| variables.member(&name));
            let default = variable.as_ref().and_then(|variable| self.text(variable, "default"));
            let default = default.or_else(|| variable.as_ref()?.value.get("enum")?.get(0)?.as_str().map(str::to_owned));
            match default {
                Some(default) => url = url.replace(&format!("{{{name}}}"), &default),
                None => self.warn(node, format!("the variable `{name}` of the server has no default")),
            }
        }
        Some(Server { url, pointer: self.pointer_of(node) })
    }
}

/// True for what a method may consist of.
///
/// **Source**: RFC 9110, sections 5.6.2 and 9.1.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn is_status(text: &str) -> bool {
    let bytes = text.as_bytes();
    let exact = bytes.len() == 3 && bytes.iter().all(u8::is_ascii_digit);
    let class = matches!(bytes, [b'1'..=b'5', b'X' | b'x', b'X' | b'x']);
    exact || class || text == "default"
}
