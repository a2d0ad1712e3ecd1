//! Request bodies.

use serde_json::Value;

use super::Reader;
use super::fault::{Fault, Within};
use super::loose;
use super::parameters::Declared;
use super::view::{Followed, View};
use crate::spec::operation::{BodyContent, Property, RequestBody};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";
const BYTES: &str = "application/octet-stream";

impl<'a> Reader<'a> {
    /// The body of an operation: `requestBody`, or what Swagger writes among the parameters.
    pub(super) fn body(
        &self,
        operation: &View<'a>,
        declared: &Declared<'a>,
    ) -> Result<Option<RequestBody>, Fault> {
        if let Some(body) = operation.get("requestBody") {
            return self.request_body(body).within(|| "requestBody".to_owned());
        }
        if let Some(body) = &declared.body {
            let required = body.flag("required").unwrap_or(false);
            let media_type = self.consumed(operation).unwrap_or_else(|| JSON.to_owned());
            let form = self.form(&media_type, body.get("schema"))?;
            return Ok(Some(RequestBody { required, content: vec![form] }));
        }
        if declared.form.is_empty() { Ok(None) } else { self.fields(operation, &declared.form).map(Some) }
    }

    fn request_body(&self, body: &'a Value) -> Result<Option<RequestBody>, Fault> {
        let view = match self.follow(body)? {
            Followed::Mapping(view) => view,
            Followed::Nothing => return Ok(None),
            Followed::Elsewhere(to) => {
                self.left_out("a requestBody", &to);
                return Ok(Some(RequestBody { required: false, content: vec![free(JSON)] }));
            }
            Followed::Other => return Err(Fault::new("is not a mapping")),
        };
        let mut contents: Vec<BodyContent> = Vec::new();
        for (name, content) in view.object("content").into_iter().flatten() {
            let content = match self.follow(content)? {
                Followed::Mapping(content) => content,
                _ => View::default(),
            };
            let form = self.form(name, content.get("schema")).within(|| loose::short(name))?;
            if !contents.iter().any(|known| known.media_type == form.media_type) {
                contents.push(form);
            }
        }
        if contents.is_empty() {
            contents.push(self.form(JSON, view.get("schema"))?);
        }
        contents.sort_by_key(rank);
        Ok(Some(RequestBody { required: view.flag("required").unwrap_or(false), content: contents }))
    }

    fn form(&self, name: &str, schema: Option<&'a Value>) -> Result<BodyContent, Fault> {
        let media_type = self.media_type(name, schema)?;
        let structured = is_json(&media_type) || media_type == FORM || media_type.starts_with("multipart/");
        match schema.filter(|_| structured) {
            Some(schema) => {
                let object = self.object(schema)?;
                Ok(BodyContent {
                    media_type,
                    properties: object.properties,
                    additional_properties: object.additional_properties,
                })
            }
            None => Ok(free(&media_type)),
        }
    }

    /// The media type without its parameters; for `*/*` what the schema suggests.
    fn media_type(&self, name: &str, schema: Option<&'a Value>) -> Result<String, Fault> {
        let essence = name.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence.contains('/') && !essence.contains('*') {
            return Ok(essence);
        }
        let bytes = match schema.map(|schema| self.follow(schema)).transpose()? {
            Some(Followed::Mapping(view)) => self.binary(&view)?,
            _ => false,
        };
        Ok(if bytes { BYTES } else { JSON }.to_owned())
    }

    /// Swagger's `formData` parameters as one body.
    fn fields(&self, operation: &View<'a>, fields: &[(String, View<'a>)]) -> Result<RequestBody, Fault> {
        self.spend(fields.len())?;
        let mut properties: Vec<Property> = Vec::new();
        for (name, view) in fields {
            let required = view.flag("required").unwrap_or(false);
            let (kind, binary) = (self.kind_of(view)?, self.binary(view)?);
            properties.retain(|known| known.name != *name);
            properties.push(Property { name: name.clone(), required, kind, binary });
        }
        properties.sort_by(|a, b| a.name.cmp(&b.name));
        let files = properties.iter().any(|property| property.binary);
        let named = self.consumed(operation).filter(|name| matches!(name.as_str(), FORM | MULTIPART));
        let media_type = match named {
            Some(name) if !files => name,
            _ => if files { MULTIPART } else { FORM }.to_owned(),
        };
        let required = properties.iter().any(|property| property.required);
        Ok(RequestBody {
            required,
            content: vec![BodyContent { media_type, properties, additional_properties: false }],
        })
    }

    /// The first media type that Swagger's `consumes` names.
    fn consumed(&self, operation: &View<'a>) -> Option<String> {
        let consumes = operation.get("consumes").or_else(|| self.root.get("consumes"))?;
        loose::texts(consumes)
            .into_iter()
            .find(|name| name.contains('/'))
            .map(|name| name.to_ascii_lowercase())
    }
}

fn free(media_type: &str) -> BodyContent {
    BodyContent { media_type: media_type.to_owned(), properties: Vec::new(), additional_properties: true }
}

fn is_json(media_type: &str) -> bool {
    media_type == JSON || media_type.ends_with("+json")
}

/// JSON first, then forms, then bytes: objects are built from named arguments where possible.
fn rank(form: &BodyContent) -> (u8, String) {
    let name = form.media_type.as_str();
    let rank = match name {
        JSON => 0,
        _ if is_json(name) => 1,
        MULTIPART => 2,
        FORM => 3,
        _ => 4,
    };
    (rank, form.media_type.clone())
}
