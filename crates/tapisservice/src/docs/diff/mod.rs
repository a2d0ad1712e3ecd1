//! What two versions of a document have apart, as a client sees it.

use std::collections::{BTreeSet, HashSet};
use std::{fmt, ptr};

use serde_json::{Map, Value};
use tapisservice_core::json::pointer::resolve;

/// References to references are followed so far.
const HOPS: usize = 12;

const METHODS: [&str; 8] = ["get", "post", "put", "patch", "delete", "options", "head", "trace"];

/// A difference between two documents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct DocumentChange {
    /// Whether a client of the old document may fail.
    pub is_breaking: bool,
    /// The operation: `POST /v3/notes`.
    pub operation: String,
    /// What is different.
    pub what: String,
}

impl fmt::Display for DocumentChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_breaking { "breaking" } else { "compatible" };
        write!(f, "{kind}: {}: {}", self.operation, self.what)
    }
}

/// Compares an OpenAPI document with an older one. Breaking changes come first.
///
/// What counts as breaking: an operation, a parameter or a media type is gone; an id is another; a request has to be what it did not have to be; a
/// response may be what it could not be before. Descriptions and examples do not count.
///
/// ```
/// use serde_json::json;
/// use tapisservice::docs::compare;
///
/// let document = |parameter| json!({"paths": {"/v3/notes": {"get": {"operationId": "listNotes", "parameters": [parameter]}}}});
/// let old = document(json!({"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}));
/// let new = document(json!({"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 50}}));
/// let changes: Vec<_> = compare(&old, &new).iter().map(ToString::to_string).collect();
/// assert_eq!(changes, ["breaking: GET /v3/notes: query parameter limit: maximum is 50, was 100"]);
/// ```
pub fn compare(old: &Value, new: &Value) -> Vec<DocumentChange> {
    let mut comparison =
        Comparison { old, new, operation: String::new(), changes: BTreeSet::new(), compared: HashSet::new() };
    let (before, after) = (operations(old), operations(new));
    for (operation, one) in &before {
        comparison.operation.clone_from(operation);
        match after.iter().find(|(other, _)| other == operation) {
            None => comparison.breaking("removed"),
            Some((_, other)) => comparison.operation(one, other),
        }
    }
    for (operation, _) in after {
        if before.iter().all(|(known, _)| *known != operation) {
            comparison.operation = operation;
            comparison.compatible("added");
        }
    }
    let (breaking, compatible): (Vec<_>, Vec<_>) =
        comparison.changes.into_iter().partition(|change| change.is_breaking);
    breaking.into_iter().chain(compatible).collect()
}

/// The operations of a document, by method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            METHODS.into_iter().filter_map(move |method| {
                Some((format!("{} {path}", method.to_uppercase()), item.get(method)?))
            })
        })
        .collect()
}

/// Who writes a value: what a client sends may be wider than before, what it gets narrower.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Writer {
    Client,
    Service,
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    operation: String,
    changes: BTreeSet<DocumentChange>,
    /// Pairs of schemas of this operation, by where they are in memory.
    compared: HashSet<(usize, usize, Writer)>,
}

impl Comparison<'_> {
    fn add(&mut self, is_breaking: bool, what: impl Into<String>) {
        let (operation, what) = (self.operation.clone(), what.into());
        self.changes.insert(DocumentChange { is_breaking, operation, what });
    }

    fn breaking(&mut self, what: impl Into<String>) {
        self.add(true, what);
    }

    fn compatible(&mut self, what: impl Into<String>) {
        self.add(false, what);
    }

    fn operation(&mut self, old: &Value, new: &Value) {
        self.compared.clear();
        if old["operationId"] != new["operationId"] {
            self.breaking(format!("the operation id is {}, was {}", new["operationId"], old["operationId"]));
        }
        self.parameters(old, new);
        self.request(old, new);
        self.responses(old, new);
    }

    fn parameters(&mut self, old: &Value, new: &Value) {
        let (old, new) = (parameters(self.old, old), parameters(self.new, new));
        for (name, one) in &old {
            match new.iter().find(|(other, _)| other == name) {
                None => self.breaking(format!("{name}: removed")),
                Some((_, other)) => {
                    if is_true(other, "required") && !is_true(one, "required") {
                        self.breaking(format!("{name}: required now"));
                    }
                    self.schema(name, &one["schema"], &other["schema"], Writer::Client);
                }
            }
        }
        for (name, one) in &new {
            if old.iter().all(|(known, _)| known != name) {
                let required = is_true(one, "required");
                self.add(required, format!("{name}: added{}", if required { ", and required" } else { "" }));
            }
        }
    }

    fn request(&mut self, old: &Value, new: &Value) {
        let (old, new) = (target(self.old, &old["requestBody"]), target(self.new, &new["requestBody"]));
        match (old.is_null(), new.is_null()) {
            (true, true) => {}
            (true, false) => self.add(is_true(new, "required"), "body: added"),
            (false, true) => self.breaking("body: removed"),
            (false, false) => {
                if is_true(new, "required") && !is_true(old, "required") {
                    self.breaking("body: required now");
                }
                self.content("body", old, new, Writer::Client);
            }
        }
    }

    fn responses(&mut self, old: &Value, new: &Value) {
        for (status, one) in old["responses"].as_object().into_iter().flatten() {
            let (one, other) = (target(self.old, one), target(self.new, &new["responses"][status]));
            if !other.is_null() {
                self.content(&format!("response {status}"), one, other, Writer::Service);
            } else if status.starts_with('2') {
                self.breaking(format!("response {status}: removed"));
            }
        }
        for status in new["responses"].as_object().into_iter().flat_map(Map::keys) {
            if old["responses"].get(status).is_none() {
                self.compatible(format!("response {status}: added"));
            }
        }
    }

    fn content(&mut self, place: &str, old: &Value, new: &Value, writer: Writer) {
        for (media_type, one) in old["content"].as_object().into_iter().flatten() {
            match new["content"].get(media_type) {
                None => self.breaking(format!("{place}: {media_type} removed")),
                Some(other) => self.schema(place, &one["schema"], &other["schema"], writer),
            }
        }
    }

    fn schema(&mut self, place: &str, old: &Value, new: &Value, writer: Writer) {
        let (old, new) = (target(self.old, old), target(self.new, new));
        // A schema may contain itself, and the same one may be in many places.
        let pair = (ptr::from_ref(old).addr(), ptr::from_ref(new).addr(), writer);
        if !self.compared.insert(pair) {
            return;
        }
        self.types(place, old, new, writer);
        self.values(place, old, new, writer);
        for (keyword, upper) in BOUNDS {
            self.bound(place, keyword, upper, old, new, writer);
        }
        for keyword in ["pattern", "format"] {
            if old.get(keyword) != new.get(keyword) {
                let narrower =
                    new.get(keyword).is_some() == (writer == Writer::Client) || old.get(keyword).is_some();
                self.add(
                    narrower,
                    format!(
                        "{place}: {keyword} is {}, was {}",
                        shown(new.get(keyword)),
                        shown(old.get(keyword))
                    ),
                );
            }
        }
        self.properties(place, old, new, writer);
        if !old["items"].is_null() && !new["items"].is_null() {
            self.schema(&format!("{place}/*"), &old["items"], &new["items"], writer);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            let all = |schema: &Value| schema[keyword].as_array().cloned().unwrap_or_default();
            let (one, other) = (all(old), all(new));
            if one.len() == other.len() {
                for (one, other) in one.iter().zip(&other) {
                    self.schema(place, one, other, writer);
                }
            } else {
                self.breaking(format!(
                    "{place}: {keyword} has {} alternatives, had {}",
                    other.len(),
                    one.len()
                ));
            }
        }
    }

    fn types(&mut self, place: &str, old: &Value, new: &Value, writer: Writer) {
        let (before, after) = (types(old), types(new));
        if before == after {
            return;
        }
        let wider = before.is_subset(&after) && !before.is_empty() || after.is_empty();
        let narrower = after.is_subset(&before) && !after.is_empty() || before.is_empty();
        let is_compatible = if writer == Writer::Client { wider } else { narrower };
        let list = |types: &BTreeSet<String>| {
            if types.is_empty() {
                "any".to_owned()
            } else {
                types.iter().cloned().collect::<Vec<_>>().join(" or ")
            }
        };
        self.add(!is_compatible, format!("{place}: the type is {}, was {}", list(&after), list(&before)));
    }

    fn values(&mut self, place: &str, old: &Value, new: &Value, writer: Writer) {
        let list = |schema: &Value| {
            let values = schema["enum"].as_array()?;
            Some(values.iter().map(Value::to_string).collect::<BTreeSet<_>>())
        };
        let (before, after) = (list(old), list(new));
        let (Some(before), Some(after)) = (&before, &after) else {
            match (before, after, writer) {
                (None, Some(_), Writer::Client) => self.breaking(format!("{place}: only certain values now")),
                (Some(_), None, Writer::Service) => self.breaking(format!("{place}: any value now")),
                _ => {}
            }
            return;
        };
        for gone in before.difference(after) {
            self.add(writer == Writer::Client, format!("{place}: the value {gone} is gone"));
        }
        for added in after.difference(before) {
            self.add(writer == Writer::Service, format!("{place}: the value {added} is new"));
        }
    }

    fn bound(&mut self, place: &str, keyword: &str, upper: bool, old: &Value, new: &Value, writer: Writer) {
        let (before, after) =
            (old.get(keyword).and_then(Value::as_f64), new.get(keyword).and_then(Value::as_f64));
        if before == after {
            return;
        }
        let narrower = match (before, after) {
            (None, Some(_)) => true,
            (_, None) => false,
            (Some(before), Some(after)) => (after < before) == upper,
        };
        let what =
            format!("{place}: {keyword} is {}, was {}", shown(new.get(keyword)), shown(old.get(keyword)));
        self.add(narrower == (writer == Writer::Client), what);
    }

    fn properties(&mut self, place: &str, old: &Value, new: &Value, writer: Writer) {
        let (before, after) = (required(old), required(new));
        for name in after.difference(&before) {
            let is_new = old["properties"].get(name).is_none();
            self.add(
                writer == Writer::Client,
                format!("{place}/{name}: {}required now", if is_new { "added, and " } else { "" }),
            );
        }
        for name in before.difference(&after) {
            if new["properties"].get(name).is_some() {
                self.add(writer == Writer::Service, format!("{place}/{name}: no longer required"));
            }
        }
        for (name, one) in old["properties"].as_object().into_iter().flatten() {
            match new["properties"].get(name) {
                None => self.breaking(format!("{place}/{name}: removed")),
                Some(other) => self.schema(&format!("{place}/{name}"), one, other, writer),
            }
        }
        for name in new["properties"].as_object().into_iter().flat_map(Map::keys) {
            if old["properties"].get(name).is_none() && !after.contains(name) {
                self.compatible(format!("{place}/{name}: added"));
            }
        }
    }
}

/// Keywords that bound a value, and whether from above.
const BOUNDS: [(&str, bool); 10] = [
    ("minimum", false),
    ("maximum", true),
    ("exclusiveMinimum", false),
    ("exclusiveMaximum", true),
    ("minLength", false),
    ("maxLength", true),
    ("minItems", false),
    ("maxItems", true),
    ("minProperties", false),
    ("maxProperties", true),
];

/// Parameters with their places: `query parameter limit`.
fn parameters<'a>(document: &'a Value, operation: &'a Value) -> Vec<(String, &'a Value)> {
    let all = operation["parameters"].as_array().into_iter().flatten();
    all.map(|parameter| target(document, parameter))
        .map(|parameter| {
            let text = |key: &str| parameter[key].as_str().unwrap_or_default();
            (format!("{} parameter {}", text("in"), text("name")), parameter)
        })
        .collect()
}

/// What a reference leads to, and anything else itself.
fn target<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    for _ in 0..HOPS {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => value = resolve(document, reference).unwrap_or(&Value::Null),
            None => break,
        }
    }
    value
}

fn types(schema: &Value) -> BTreeSet<String> {
    match &schema["type"] {
        Value::String(one) => BTreeSet::from([one.clone()]),
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => BTreeSet::new(),
    }
}

fn required(schema: &Value) -> BTreeSet<String> {
    let names = schema["required"].as_array().into_iter().flatten();
    names.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_true(value: &Value, key: &str) -> bool {
    value[key] == Value::Bool(true)
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".to_owned(), Value::to_string)
}

#[cfg(test)]
mod tests;
