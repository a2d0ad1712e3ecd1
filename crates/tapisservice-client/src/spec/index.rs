//! The index of a resource: JSON, one operation per line, without descriptions. Bundled and cached resources are such files.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Method;
use serde::{Deserialize, Serialize};

use super::check;
use super::operation::{
    BodyContent, Location, Operation, Parameter, Property, RequestBody, Style, ValueKind,
};

/// The version of the format. Files of another version are rejected.
const VERSION: u32 = 1;

/// The content of an index.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) resource: Arc<str>,
    /// Where it was fetched from. `None` for bundled ones.
    pub(super) source: Option<String>,
    pub(super) operations: Vec<Operation>,
    pub(super) shared: Vec<SharedId>,
}

/// An id that an OpenAPI file gives to several operations. None of them keeps it: calling the wrong one must not be possible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SharedId {
    /// The id in the file.
    pub(super) id: String,
    /// The ids that the operations have got instead.
    pub(super) instead: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    resource: String,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    shared: Vec<SharedId>,
    operations: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    method: String,
    path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<ParameterEntry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<BodyEntry>,
}

/// Defaults are left out: the type string, `required` of path parameters, the default styles.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ParameterEntry {
    name: String,
    #[serde(rename = "in")]
    location: Location,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<ValueKind>,
    #[serde(default, skip_serializing_if = "is_false")]
    required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    style: Option<Style>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    explode: Option<bool>,
    #[serde(default, skip_serializing_if = "is_false")]
    slashes: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BodyEntry {
    #[serde(default, skip_serializing_if = "is_false")]
    required: bool,
    forms: Vec<FormEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FormEntry {
    #[serde(rename = "type")]
    media_type: String,
    #[serde(default, skip_serializing_if = "is_false")]
    open: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    required: BTreeMap<String, PropertyEntry>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    optional: BTreeMap<String, PropertyEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum PropertyEntry {
    Kind(ValueKind),
    Binary { binary: ValueKind },
}

impl Index {
    /// The text of the file.
    pub(super) fn write(&self) -> Result<String, serde_json::Error> {
        let mut text =
            format!("{{\"version\":{VERSION},\"resource\":{}", serde_json::to_string(&*self.resource)?);
        if let Some(source) = &self.source {
            text.push_str(",\"source\":");
            text.push_str(&serde_json::to_string(source)?);
        }
        if !self.shared.is_empty() {
            text.push_str(",\"shared\":");
            text.push_str(&serde_json::to_string(&self.shared)?);
        }
        text.push_str(",\"operations\":[");
        for (number, operation) in self.operations.iter().enumerate() {
            text.push_str(if number == 0 { "\n" } else { ",\n" });
            text.push_str(&serde_json::to_string(&Line::from(operation))?);
        }
        text.push_str("\n]}\n");
        Ok(text)
    }

    /// Parses a file, and checks every operation like untrusted input.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        // serde_json's message may quote the file.
        let file: File = serde_json::from_slice(text)
            .map_err(|e| format!("it is not an index (line {}, column {})", e.line(), e.column()))?;
        if file.version != VERSION {
            return Err(format!("it has version {}, not {VERSION}", file.version));
        }
        let resource: Arc<str> = Arc::from(file.resource);
        let operations = file
            .operations
            .into_iter()
            .map(|line| line.operation(&resource))
            .collect::<Result<Vec<_>, _>>()?;
        if !operations.is_sorted_by(|a, b| a.operation_id < b.operation_id) {
            return Err("its operations are not in order".to_owned());
        }
        Ok(Self { resource, source: file.source, operations, shared: file.shared })
    }
}

impl Line {
    fn operation(self, resource: &Arc<str>) -> Result<Operation, String> {
        let operation = Operation {
            resource: Arc::clone(resource),
            operation_id: self.id,
            method: Method::from_bytes(self.method.as_bytes())
                .map_err(|_| "a method cannot be sent".to_owned())?,
            path: self.path,
            parameters: self.parameters.into_iter().map(Parameter::from).collect(),
            body: self.body.map(RequestBody::from),
        };
        check::operation(&operation).map(|()| operation)
    }
}

impl From<&Operation> for Line {
    fn from(operation: &Operation) -> Self {
        Self {
            id: operation.operation_id.clone(),
            method: operation.method.as_str().to_owned(),
            path: operation.path.clone(),
            parameters: operation.parameters.iter().map(ParameterEntry::from).collect(),
            body: operation.body.as_ref().map(BodyEntry::from),
        }
    }
}

impl From<&Parameter> for ParameterEntry {
    fn from(parameter: &Parameter) -> Self {
        let default = Style::default_for(parameter.location);
        Self {
            name: parameter.name.clone(),
            location: parameter.location,
            kind: Some(parameter.kind).filter(|kind| *kind != ValueKind::String),
            required: parameter.required && parameter.location != Location::Path,
            style: Some(parameter.style).filter(|style| *style != default),
            explode: Some(parameter.explode).filter(|explode| *explode != (parameter.style == Style::Form)),
            slashes: parameter.allows_slashes,
        }
    }
}

impl From<ParameterEntry> for Parameter {
    fn from(entry: ParameterEntry) -> Self {
        let style = entry.style.unwrap_or_else(|| Style::default_for(entry.location));
        Self {
            name: entry.name,
            location: entry.location,
            required: entry.required || entry.location == Location::Path,
            style,
            explode: entry.explode.unwrap_or(style == Style::Form),
            kind: entry.kind.unwrap_or(ValueKind::String),
            allows_slashes: entry.slashes && entry.location == Location::Path,
        }
    }
}

impl From<&RequestBody> for BodyEntry {
    fn from(body: &RequestBody) -> Self {
        Self { required: body.required, forms: body.content.iter().map(FormEntry::from).collect() }
    }
}

impl From<BodyEntry> for RequestBody {
    fn from(entry: BodyEntry) -> Self {
        Self { required: entry.required, content: entry.forms.into_iter().map(BodyContent::from).collect() }
    }
}

impl From<&BodyContent> for FormEntry {
    fn from(form: &BodyContent) -> Self {
        let entry = |property: &Property| {
            let kind = property.kind;
            let kind = if property.binary {
                PropertyEntry::Binary { binary: kind }
            } else {
                PropertyEntry::Kind(kind)
            };
            (property.name.clone(), kind)
        };
        let those = |required: bool| {
            form.properties.iter().filter(move |p| p.required == required).map(entry).collect()
        };
        Self {
            media_type: form.media_type.clone(),
            open: form.additional_properties && !form.properties.is_empty(),
            required: those(true),
            optional: those(false),
        }
    }
}

impl From<FormEntry> for BodyContent {
    fn from(entry: FormEntry) -> Self {
        let property = |required: bool| {
            move |(name, entry): (String, PropertyEntry)| {
                let (kind, binary) = match entry {
                    PropertyEntry::Kind(kind) => (kind, false),
                    PropertyEntry::Binary { binary } => (binary, true),
                };
                Property { name, required, kind, binary }
            }
        };
        let required = entry.required.into_iter().map(property(true));
        let mut properties: Vec<_> =
            required.chain(entry.optional.into_iter().map(property(false))).collect();
        properties.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            media_type: entry.media_type,
            additional_properties: entry.open || properties.is_empty(),
            properties,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(flag: &bool) -> bool {
    !flag
}
