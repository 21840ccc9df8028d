//! Parameters of 2.0 and 3.x.

use crate::description::Node;
use crate::examples::examples_in;
use crate::operation::{Parameter, ParameterLocation, ParameterStyle, template_names};
use crate::reader::{Reader, kind};

/// A declared parameter; bodies and form fields of Swagger 2.0 have only their node.
#[derive(Clone)]
pub(crate) struct Declared<'a> {
    pub(crate) name: String,
    pub(crate) place: String,
    pub(crate) parameter: Option<Parameter>,
    pub(crate) node: Node<'a>,
}

impl<'a> Reader<'a> {
    /// Adds what the path template names and the parameters do not, and warns of the reverse.
    pub(crate) fn complete_path_parameters(&mut self, path: &str, node: &Node<'a>, parameters: &mut Vec<Parameter>) {
        for name in template_names(path) {
            let in_path = |parameter: &&Parameter| parameter.location == ParameterLocation::Path;
            if !parameters.iter().filter(in_path).any(|parameter| parameter.name == name) {
                self.warn(node, format!("the path parameter `{name}` is not declared"));
                parameters.push(Parameter::of_template(name, self.pointer_of(node)));
            }
        }
        for parameter in parameters.iter().filter(|parameter| parameter.location == ParameterLocation::Path) {
            if !template_names(path).any(|name| name == parameter.name) {
                let message = format!("the path `{path}` has no place for the parameter `{}`", parameter.name);
                self.warnings.push(self.description.uri(node.document), &node.pointer, message);
            }
        }
    }

    pub(crate) fn parameters(&mut self, owner: &Node<'a>) -> Vec<Declared<'a>> {
        let Some(list) = self.array(owner, "parameters") else {
            return Vec::new();
        };
        let nodes: Vec<_> = list.elements().filter_map(|node| self.resolved(node)).collect();
        nodes.into_iter().filter_map(|node| self.parameter(node)).collect()
    }

    fn parameter(&mut self, node: Node<'a>) -> Option<Declared<'a>> {
        if !node.value.is_object() {
            self.warn(&node, format!("a parameter is {}, not an object", kind(node.value)));
            return None;
        }
        let (Some(name), Some(place)) = (self.text(&node, "name"), self.text(&node, "in")) else {
            self.warn(&node, "a parameter without `name` or `in` is left out");
            return None;
        };
        let location = match place.as_str() {
            "path" => ParameterLocation::Path,
            "query" => ParameterLocation::Query,
            "header" => ParameterLocation::Header,
            "cookie" => ParameterLocation::Cookie,
            "body" | "formData" if self.is_swagger() => {
                return Some(Declared { name, place, parameter: None, node });
            }
            other => {
                self.warn(
                    &node,
                    format!("the parameter `{name}` is left out, because its place `{other}` is not known"),
                );
                return None;
            }
        };
        let required = self.flag(&node, "required");
        if location == ParameterLocation::Path && !required {
            self.warn(&node, format!("the path parameter `{name}` is read as required"));
        }
        let parameter = if self.is_swagger() {
            self.swagger_parameter(&node, &name, location)
        } else {
            self.openapi_parameter(&node, &name, location)
        };
        let required = required || location == ParameterLocation::Path;
        let parameter = Some(Parameter { required, ..parameter });
        Some(Declared { name, place, parameter, node })
    }

    fn openapi_parameter(&mut self, node: &Node<'a>, name: &str, location: ParameterLocation) -> Parameter {
        let content = self.object(node, "content").and_then(|content| content.members().next());
        let schema = match &content {
            Some((_, media)) => self.schema(media, "schema"),
            None => self.schema(node, "schema"),
        };
        let mut examples = examples_in(self.description, node);
        if let Some((_, media)) = &content {
            examples.extend(examples_in(self.description, media));
        }
        let style = self.style(node, location);
        let explode = node.member("explode").and_then(|explode| explode.value.as_bool());
        Parameter {
            name: name.to_owned(),
            location,
            required: false,
            schema,
            examples: examples.into_iter().cloned().collect(),
            style,
            explode: explode.unwrap_or(style == ParameterStyle::Form),
            content: content.map(|(media_type, _)| media_type.to_owned()),
            pointer: self.pointer_of(node),
        }
    }

    /// **Source**: OpenAPI 3.2, Parameter Object, `style` and its defaults.
    fn style(&mut self, node: &Node<'a>, location: ParameterLocation) -> ParameterStyle {
        let default = match location {
            ParameterLocation::Path | ParameterLocation::Header => ParameterStyle::Simple,
            ParameterLocation::Query | ParameterLocation::Cookie => ParameterStyle::Form,
        };
        let Some(style) = self.text(node, "style") else {
            return default;
        };
        match style.as_str() {
            "simple" => ParameterStyle::Simple,
            "form" | "cookie" => ParameterStyle::Form,
            "spaceDelimited" => ParameterStyle::SpaceDelimited,
            "pipeDelimited" => ParameterStyle::PipeDelimited,
            "deepObject" => ParameterStyle::DeepObject,
            "matrix" => ParameterStyle::Matrix,
            "label" => ParameterStyle::Label,
            other => {
                self.warn(node, format!("the style `{other}` is not known"));
                default
            }
        }
    }
}

/// Parameters of the path item, those of the operation instead where (name, place) is the same.
pub(crate) fn merge<'a>(shared: &[Declared<'a>], own: Vec<Declared<'a>>) -> Vec<Declared<'a>> {
    let mut merged = shared.to_vec();
    for declared in own {
        let same = |other: &&mut Declared<'_>| other.name == declared.name && other.place == declared.place;
        match merged.iter_mut().find(same) {
            Some(other) => *other = declared,
            None => merged.push(declared),
        }
    }
    merged
}
