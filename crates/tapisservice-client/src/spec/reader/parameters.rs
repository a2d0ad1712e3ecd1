//! Parameters: of the operation and of its path, by reference, with the defaults of the specification.

use serde_json::Value;

use super::Reader;
use super::fault::{Fault, Within};
use super::loose;
use super::paths::Template;
use super::view::{Followed, View};
use crate::spec::operation::{Location, Parameter, Style, ValueKind};

/// What the parameters of an operation say.
#[derive(Default)]
pub(super) struct Declared<'a> {
    pub(super) parameters: Vec<Parameter>,
    /// Swagger's `in: body`.
    pub(super) body: Option<View<'a>>,
    /// Swagger's `in: formData`.
    pub(super) form: Vec<(String, View<'a>)>,
}

enum One<'a> {
    Parameter(Parameter),
    Body(View<'a>),
    Form(String, View<'a>),
    LeftOut,
}

impl<'a> Reader<'a> {
    /// The parameters of the path, then those of the operation, which replace them by name and location.
    pub(super) fn parameters(&self, item: &View<'a>, operation: &View<'a>) -> Result<Declared<'a>, Fault> {
        let mut declared = Declared::default();
        for list in [item.get("parameters"), operation.get("parameters")].into_iter().flatten() {
            for (place, name, value) in entries(list)? {
                match self.parameter(name, value).within(|| place)? {
                    One::Parameter(parameter) => replace(&mut declared.parameters, parameter),
                    One::Body(view) => declared.body = Some(view),
                    One::Form(name, view) => declared.form.push((name, view)),
                    One::LeftOut => {}
                }
            }
        }
        Ok(declared)
    }

    /// The parameters that fit the template: each name in it is one, and no other path parameter can be sent.
    pub(super) fn fit(&self, template: &Template, mut parameters: Vec<Parameter>) -> Vec<Parameter> {
        parameters.retain(|parameter| {
            let fits = parameter.location != Location::Path || template.names.contains(&parameter.name);
            if !fits {
                let name = loose::short(&parameter.name);
                self.note(|| format!("{}: the path has no {{{name}}}", template.path));
            }
            fits
        });
        for name in &template.names {
            if !parameters.iter().any(|known| known.location == Location::Path && known.name == *name) {
                parameters.push(plain_path(name));
            }
        }
        for parameter in parameters.iter_mut().filter(|parameter| parameter.location == Location::Path) {
            parameter.allows_slashes = allows_slashes(template, &parameter.name);
        }
        parameters
    }

    fn parameter(&self, key: Option<&str>, value: &'a Value) -> Result<One<'a>, Fault> {
        let view = match self.follow(value)? {
            Followed::Mapping(view) => view,
            Followed::Nothing => return Ok(One::LeftOut),
            Followed::Elsewhere(to) => {
                self.left_out("a parameter", &to);
                return Ok(One::LeftOut);
            }
            Followed::Other => return Err(Fault::new("is not a mapping")),
        };
        let name =
            view.text("name").or_else(|| key.map(str::to_owned)).ok_or_else(|| Fault::new("has no name"))?;
        let location = match view.text("in").map(|text| text.to_ascii_lowercase()).as_deref() {
            Some("path") => Location::Path,
            Some("query") | None => Location::Query,
            Some("header") => Location::Header,
            Some("cookie") => Location::Cookie,
            Some("body") => return Ok(One::Body(view)),
            Some("formdata" | "form") => return Ok(One::Form(name, view)),
            Some(other) => {
                return Err(Fault::new(format!("{} is not a parameter location", loose::short(other))));
            }
        };
        if location == Location::Header && is_not_the_callers(&name) {
            return Ok(One::LeftOut);
        }
        let (style, explode) = self.style(&view, location);
        Ok(One::Parameter(Parameter {
            required: location == Location::Path || view.flag("required").unwrap_or(false),
            kind: self.parameter_kind(&view)?,
            allows_slashes: false,
            name,
            location,
            style,
            explode,
        }))
    }

    fn parameter_kind(&self, view: &View<'a>) -> Result<ValueKind, Fault> {
        if let Some(schema) = view.get("schema") {
            return self.kind(schema);
        }
        if view.get("content").is_some() {
            // Its value is a document of that media type: the caller gives its text.
            return Ok(ValueKind::String);
        }
        self.kind_of(view)
    }

    fn style(&self, view: &View<'a>, location: Location) -> (Style, bool) {
        let default = Style::default_for(location);
        let given = view.text("style").and_then(|text| style_named(&text));
        let style = match given.or_else(|| collection_style(view)) {
            Some(style) if style.fits(location) => style,
            Some(_) => {
                self.note(|| format!("a {location} parameter has a style that is not allowed there"));
                default
            }
            None => default,
        };
        let collection = view.text("collectionFormat").map(|format| format == "multi");
        let swagger = self.root.get("swagger").map(|_| false);
        let explode = view.flag("explode").or(collection).or(swagger);
        (style, explode.unwrap_or(style == Style::Form))
    }
}

type Entry<'a> = (String, Option<&'a str>, &'a Value);

/// The entries of a list, or of a mapping by name.
fn entries(list: &Value) -> Result<Vec<Entry<'_>>, Fault> {
    match list {
        Value::Array(items) => {
            Ok(items.iter().enumerate().map(|(i, item)| (format!("parameter {i}"), None, item)).collect())
        }
        Value::Object(map) if !map.contains_key("name") && !map.contains_key("$ref") => Ok(map
            .iter()
            .map(|(name, item)| (format!("parameter {}", loose::short(name)), Some(name.as_str()), item))
            .collect()),
        Value::Object(_) => Ok(vec![("parameter 0".to_owned(), None, list)]),
        _ => Err(Fault::new("parameters is not a list")),
    }
}

fn replace(parameters: &mut Vec<Parameter>, new: Parameter) {
    let same = |known: &&mut Parameter| known.name == new.name && known.location == new.location;
    match parameters.iter_mut().find(same) {
        Some(known) => *known = new,
        None => parameters.push(new),
    }
}

/// Fields that OpenAPI excludes from header parameters, and those that only credentials write.
fn is_not_the_callers(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_str(), "accept" | "content-type" | "authorization") || name.starts_with("x-tapis-")
}

/// The trailing parameters named `path` or `outputPath` are paths of files; nothing else in the files says so.
fn allows_slashes(template: &Template, name: &str) -> bool {
    template.greedy.contains(name)
        || (matches!(name, "path" | "outputPath") && template.path.ends_with(&format!("{{{name}}}")))
}

fn plain_path(name: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        location: Location::Path,
        required: true,
        style: Style::Simple,
        explode: false,
        kind: ValueKind::String,
        allows_slashes: false,
    }
}

fn style_named(text: &str) -> Option<Style> {
    let letters: String =
        text.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase();
    Some(match letters.as_str() {
        "simple" => Style::Simple,
        "label" => Style::Label,
        "matrix" => Style::Matrix,
        "form" => Style::Form,
        "spacedelimited" => Style::SpaceDelimited,
        "pipedelimited" => Style::PipeDelimited,
        "deepobject" => Style::DeepObject,
        _ => return None,
    })
}

/// The style that Swagger's `collectionFormat` stands for.
fn collection_style(view: &View<'_>) -> Option<Style> {
    match view.text("collectionFormat")?.as_str() {
        "ssv" => Some(Style::SpaceDelimited),
        "pipes" => Some(Style::PipeDelimited),
        _ => None,
    }
}
