//! What only Swagger 2.0 has: host and base path, media types of a whole description, bodies and
//! forms as parameters.

use serde_json::{Map, Value, json};
use url::Url;

use crate::description::{Node, SchemaRef};
use crate::operation::{Media, Parameter, ParameterLocation, ParameterStyle, RequestBody, Server};
use crate::parameters::Declared;
use crate::reader::Reader;

/// URI of the document that holds the schemas of forms, which stand nowhere in a description.
pub(crate) const FORMS_URI: &str = "middlebrick:forms";

impl<'a> Reader<'a> {
    /// **Source**: OpenAPI 2.0, Swagger Object, `host`, `basePath` and `schemes`.
    pub(crate) fn swagger_servers(&mut self, root: &Node<'a>) -> Vec<Server> {
        let base_path = self.text(root, "basePath").unwrap_or_default();
        let base_path = base_path.trim_end_matches('/');
        let Some(host) = self.text(root, "host") else {
            let pointer = "/basePath".to_owned();
            let url = base_path.to_owned();
            return if url.is_empty() { Vec::new() } else { vec![Server { url, pointer }] };
        };
        let (stated, host) = match host.split_once("://") {
            Some((scheme, rest)) => {
                self.warn(root, format!("`host` is the URL `{host}`; read as `{rest}`"));
                (Some(scheme.to_owned()), rest.trim_end_matches('/').to_owned())
            }
            None => (None, host),
        };
        let mut schemes = self.texts(root, "schemes");
        schemes.retain(|scheme| matches!(scheme.as_str(), "http" | "https"));
        if schemes.is_empty() {
            schemes.push(stated.unwrap_or_else(|| self.assumed_scheme(&host)));
        }
        let slash = if base_path.is_empty() || base_path.starts_with('/') { "" } else { "/" };
        let server = |scheme: String| Server {
            url: format!("{scheme}://{host}{slash}{base_path}"),
            pointer: "/host".to_owned(),
        };
        schemes.into_iter().map(server).collect()
    }

    /// The scheme by which the description was read, as the specification says; from a file, the
    /// one that such a host usually has.
    fn assumed_scheme(&self, host: &str) -> String {
        let read_by = Url::parse(self.description.root_uri()).ok().map(|url| url.scheme().to_owned());
        if let Some(scheme) = read_by.filter(|scheme| matches!(scheme.as_str(), "http" | "https")) {
            return scheme;
        }
        let name = host.split(':').next().unwrap_or_default();
        let is_local = name == "localhost" || name.ends_with(".localhost") || name.starts_with("127.");
        if is_local { "http" } else { "https" }.to_owned()
    }

    pub(crate) fn swagger_parameter(&mut self, node: &Node<'a>, name: &str, location: ParameterLocation) -> Parameter {
        let (style, explode) = self.collection_format(node, location);
        // The types stand on the parameter itself; a `schema`, allowed only for a body, is read
        // where somebody wrote one all the same.
        let schema = self.schema(node, "schema").unwrap_or_else(|| node.place());
        Parameter {
            name: name.to_owned(),
            location,
            required: false,
            schema: Some(schema),
            examples: node.value.get("x-example").cloned().into_iter().collect(),
            style,
            explode,
            content: None,
            pointer: self.pointer_of(node),
        }
    }

    /// **Source**: OpenAPI 2.0, Parameter Object, `collectionFormat`; the default is `csv`.
    fn collection_format(&mut self, node: &Node<'a>, location: ParameterLocation) -> (ParameterStyle, bool) {
        let commas = match location {
            ParameterLocation::Path | ParameterLocation::Header => ParameterStyle::Simple,
            ParameterLocation::Query | ParameterLocation::Cookie => ParameterStyle::Form,
        };
        match self.text(node, "collectionFormat").as_deref() {
            None | Some("csv") => (commas, false),
            Some("multi") => (commas, true),
            Some("ssv") => (ParameterStyle::SpaceDelimited, false),
            Some("tsv") => (ParameterStyle::TabDelimited, false),
            Some("pipes") => (ParameterStyle::PipeDelimited, false),
            Some(other) => {
                self.warn(node, format!("the collection format `{other}` is not known"));
                (commas, false)
            }
        }
    }

    /// The body that `in: body` or the fields of `in: formData` describe.
    pub(crate) fn swagger_body(
        &mut self,
        root: &Node<'a>,
        operation: &Node<'a>,
        declared: &[Declared<'a>],
    ) -> Option<RequestBody> {
        let consumes = self.media_types(root, operation, "consumes");
        if let Some(body) = declared.iter().find(|declared| declared.place == "body") {
            let schema = self.schema(&body.node, "schema");
            let required = self.flag(&body.node, "required");
            let media_types = if consumes.is_empty() { vec!["application/json".to_owned()] } else { consumes };
            let examples: Vec<Value> = body.node.value.get("x-example").cloned().into_iter().collect();
            let form = |media_type| Media {
                media_type,
                schema: schema.clone(),
                examples: examples.clone(),
                at: body.node.place(),
            };
            return Some(RequestBody { required, media: media_types.into_iter().map(form).collect() });
        }
        let fields: Vec<&Declared<'a>> = declared.iter().filter(|declared| declared.place == "formData").collect();
        if fields.is_empty() {
            return None;
        }
        Some(self.form_body(&fields, consumes))
    }

    fn form_body(&mut self, fields: &[&Declared<'a>], consumes: Vec<String>) -> RequestBody {
        let mut references = Vec::new();
        let mut required = Vec::new();
        let mut has_file = false;
        for field in fields {
            let uri = self.description.uri(field.node.document);
            references.push((field.name.clone(), format!("{uri}#{}", field.node.pointer)));
            has_file |= field.node.value.get("type").is_some_and(|kind| kind == "file");
            if self.flag(&field.node, "required") {
                required.push(field.name.clone());
            }
        }
        let is_required = !required.is_empty();
        let document = self.description.documents().len();
        let pointer = format!("/{}", self.form_schemas.len());
        let place = SchemaRef { document, pointer: pointer.into() };
        self.form_schemas.push(form_schema(&references, required));
        let mut media_types: Vec<String> = consumes.into_iter().filter(|media_type| is_form(media_type)).collect();
        if media_types.is_empty() {
            let usual = if has_file { "multipart/form-data" } else { "application/x-www-form-urlencoded" };
            media_types.push(usual.to_owned());
        }
        let form =
            |media_type| Media { media_type, schema: Some(place.clone()), examples: Vec::new(), at: place.clone() };
        RequestBody { required: is_required, media: media_types.into_iter().map(form).collect() }
    }

    pub(crate) fn swagger_media(&mut self, root: &Node<'a>, operation: &Node<'a>, response: &Node<'a>) -> Vec<Media> {
        let schema = self.schema(response, "schema");
        let examples = self.object(response, "examples");
        let mut media_types = self.media_types(root, operation, "produces");
        for (media_type, _) in examples.iter().flat_map(Node::members) {
            if !media_types.iter().any(|other| other == media_type) {
                media_types.push(media_type.to_owned());
            }
        }
        if schema.is_none() && examples.is_none() {
            return Vec::new();
        }
        if media_types.is_empty() {
            media_types.push("application/json".to_owned());
        }
        let form =
            |media_type| Media { media_type, schema: schema.clone(), examples: Vec::new(), at: response.place() };
        media_types.into_iter().map(form).collect()
    }

    /// `consumes` or `produces` of an operation, else of the description.
    fn media_types(&mut self, root: &Node<'a>, operation: &Node<'a>, key: &str) -> Vec<String> {
        let owner = if operation.value.get(key).is_some_and(Value::is_array) { operation } else { root };
        self.texts(owner, key)
    }
}

fn is_form(media_type: &str) -> bool {
    media_type.starts_with("multipart/") || media_type.starts_with("application/x-www-form-urlencoded")
}

/// The schema of a form: an object whose members refer to the fields.
fn form_schema(fields: &[(String, String)], required: Vec<String>) -> Value {
    let mut properties = Map::new();
    for (name, reference) in fields {
        properties.insert(name.clone(), json!({ "$ref": reference }));
    }
    json!({ "type": "object", "properties": properties, "required": required })
}
