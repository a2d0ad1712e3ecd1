//! What a schema says about one place of a document, whether there is a value or not, and whether it is valid:
//! the annotations of jsonschema's `evaluate` exist for values that are there and valid only.

use serde_json::{Map, Value};

use crate::coerce::is_scalar;
use crate::references::reference;
use crate::schema::Schema;

/// A subschema.
pub(crate) type Subschema = Map<String, Value>;

/// Which of the subschemas about a place count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applicability {
    /// Those that hold in any case: the property, what it refers to, `allOf`.
    Certain,
    /// Those that may hold, too: `anyOf`, `oneOf`, `if`, `dependencies`, what stands beside a `$ref`.
    Possible,
}

/// The subschemas that apply to one value, references followed.
pub(crate) struct SchemaNode<'s> {
    schema: &'s Schema,
    nodes: Vec<&'s Subschema>,
    applicability: Applicability,
}

impl<'s> SchemaNode<'s> {
    pub(crate) fn new(
        schema: &'s Schema,
        subschemas: impl IntoIterator<Item = &'s Value>,
        applicability: Applicability,
    ) -> Self {
        let mut node = Self { schema, nodes: Vec::new(), applicability };
        for subschema in subschemas {
            node.add(subschema);
        }
        node
    }

    /// Adds a subschema and what applies with it; one that is there already closes the circle.
    fn add(&mut self, subschema: &'s Value) {
        let Some(node) = subschema.as_object() else { return };
        if self.nodes.iter().any(|seen| std::ptr::eq(*seen, node)) {
            return;
        }
        self.nodes.push(node);
        if let Some(target) = reference(node).and_then(|r| self.schema.resolve(r)) {
            self.add(target);
        }
        if self.counts(node) {
            children(node, "allOf").for_each(|child| self.add(child));
        }
        if self.applicability == Applicability::Possible {
            for keyword in ["anyOf", "oneOf", "if", "then", "else", "dependencies"] {
                children(node, keyword).for_each(|child| self.add(child));
            }
        }
    }

    /// Whether the keywords of the node hold: Draft 7 ignores those beside a `$ref`.
    fn counts(&self, node: &Subschema) -> bool {
        self.applicability == Applicability::Possible || reference(node).is_none()
    }

    fn counting(&self) -> impl Iterator<Item = &'s Subschema> {
        self.nodes.iter().copied().filter(|node| self.counts(node))
    }

    /// The place of a member of the object at this place.
    pub(crate) fn member(&self, key: &str) -> SchemaNode<'s> {
        let subschemas = self.counting().flat_map(|node| self.member_schemas(node, key));
        SchemaNode::new(self.schema, subschemas.collect::<Vec<_>>(), self.applicability)
    }

    fn member_schemas(&self, node: &'s Subschema, key: &str) -> Vec<&'s Value> {
        let patterns = members(node, "patternProperties");
        let matching =
            patterns.filter(|(pattern, _)| self.schema.matches(pattern, key)).map(|(_, schema)| schema);
        let property = members(node, "properties").find(|(name, _)| *name == key).map(|(_, schema)| schema);
        let mut found: Vec<_> = property.into_iter().chain(matching).collect();
        if found.is_empty() {
            found.extend(node.get("additionalProperties"));
        }
        found
    }

    /// The place of an item of the array at this place.
    pub(crate) fn item(&self, index: usize) -> SchemaNode<'s> {
        let item_schema = |node: &'s Subschema| match node.get("items") {
            Some(Value::Array(tuple)) => tuple.get(index).or_else(|| node.get("additionalItems")),
            one => one,
        };
        SchemaNode::new(
            self.schema,
            self.counting().filter_map(item_schema).collect::<Vec<_>>(),
            self.applicability,
        )
    }

    /// The place of an item or a member, by a segment of a pointer.
    pub(crate) fn step(&self, segment: &str) -> SchemaNode<'s> {
        let item = segment.parse().ok().map(|index| self.item(index)).filter(|item| !item.nodes.is_empty());
        item.unwrap_or_else(|| self.member(segment))
    }

    /// The keys that `properties` names.
    pub(crate) fn declared_keys(&self) -> Vec<&'s str> {
        let mut keys: Vec<_> =
            self.counting().flat_map(|node| members(node, "properties").map(|(key, _)| key)).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The default of the value: the property's own, also beside a `$ref`, before those it refers to.
    pub(crate) fn default(&self) -> Option<&'s Value> {
        self.stated_default().map(|(default, _)| default)
    }

    /// The default, and the subschema that states it.
    pub(crate) fn stated_default(&self) -> Option<(&'s Value, &'s Subschema)> {
        self.nodes.iter().find_map(|node| Some((node.get("default")?, *node)))
    }

    /// The types the value may have; `None` when the schema does not say.
    pub(crate) fn types(&self) -> Option<Vec<&'s str>> {
        self.counting().filter_map(|node| self.types_of(node)).min_by_key(Vec::len)
    }

    /// The scalar types the value may have.
    pub(crate) fn scalar_types(&self) -> Vec<&'s str> {
        self.types().unwrap_or_default().into_iter().filter(|kind| is_scalar(kind)).collect()
    }

    /// Whether the value can be nothing but a scalar.
    pub(crate) fn is_scalar(&self) -> bool {
        self.types().is_some_and(|types| !types.is_empty() && types.iter().all(|kind| is_scalar(kind)))
    }

    fn types_of(&self, node: &'s Subschema) -> Option<Vec<&'s str>> {
        match node.get("type") {
            Some(Value::String(kind)) => return Some(vec![kind]),
            Some(Value::Array(kinds)) => return Some(kinds.iter().filter_map(Value::as_str).collect()),
            _ => {}
        }
        if let Some(constant) = node.get("const") {
            return Some(vec![kind_of(constant)]);
        }
        if let Some(Value::Array(values)) = node.get("enum") {
            return Some(union(values.iter().map(|value| vec![kind_of(value)])));
        }
        let alternatives: Vec<_> = children(node, "anyOf").chain(children(node, "oneOf")).collect();
        let types = alternatives
            .into_iter()
            .map(|one| SchemaNode::new(self.schema, [one], self.applicability).types());
        let types = types.collect::<Option<Vec<_>>>()?;
        (!types.is_empty()).then(|| union(types))
    }

    /// Whether a schema sets the keyword to true.
    pub(crate) fn says(&self, keyword: &str) -> bool {
        self.nodes.iter().any(|node| node.get(keyword) == Some(&Value::Bool(true)))
    }

    /// Whether any schema says anything about the value.
    pub(crate) fn is_stated(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// Whether a schema marks the value as secret, by `writeOnly` or `format: password` (C8).
    pub(crate) fn is_marked_secret(&self) -> bool {
        self.nodes.iter().any(|node| {
            node.get("writeOnly") == Some(&Value::Bool(true))
                || node.get("format").and_then(Value::as_str) == Some("password")
        })
    }

    /// Whether a schema says that the value is no secret, whatever its name: `writeOnly: false`.
    pub(crate) fn is_marked_open(&self) -> bool {
        self.nodes.iter().any(|node| node.get("writeOnly") == Some(&Value::Bool(false)))
    }
}

/// The name of the JSON Schema type of a value.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn members<'s>(node: &'s Subschema, keyword: &str) -> impl Iterator<Item = (&'s str, &'s Value)> + use<'s> {
    node.get(keyword)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, schema)| (key.as_str(), schema))
}

/// The schemas below a keyword that applies them to the same value.
fn children<'s>(node: &'s Subschema, keyword: &str) -> Box<dyn Iterator<Item = &'s Value> + 's> {
    match node.get(keyword) {
        Some(Value::Array(list)) => Box::new(list.iter()),
        Some(Value::Object(map)) if keyword == "dependencies" => Box::new(map.values()),
        Some(schema) => Box::new(std::iter::once(schema)),
        None => Box::new(std::iter::empty()),
    }
}

fn union<'s>(types: impl IntoIterator<Item = Vec<&'s str>>) -> Vec<&'s str> {
    let mut all = Vec::new();
    for kind in types.into_iter().flatten() {
        if !all.contains(&kind) {
            all.push(kind);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn types(property: &Value) -> Option<Vec<String>> {
        let root = json!({
            "definitions": {"port": {"type": "integer"}, "loop": {"properties": {"x": {"$ref": "#/definitions/loop"}}}},
            "properties": {"x": property},
        });
        let schema = Schema::compile(root).unwrap();
        let types = schema.root_node(Applicability::Certain).member("x").types();
        types.map(|types| types.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn types_are_found_wherever_the_schema_states_them() {
        let cases: &[(Value, Option<&[&str]>)] = &[
            (json!({"type": "string"}), Some(&["string"])),
            (json!({"type": ["integer", "null"]}), Some(&["integer", "null"])),
            (json!({"$ref": "#/definitions/port"}), Some(&["integer"])),
            (json!({"$ref": "#/definitions/port", "type": "string"}), Some(&["integer"])),
            (json!({"allOf": [{"$ref": "#/definitions/port"}, {"minimum": 1}]}), Some(&["integer"])),
            (json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}), Some(&["integer", "null"])),
            (json!({"anyOf": [{"type": "integer"}, {}]}), None),
            (json!({"enum": ["a", 1]}), Some(&["string", "integer"])),
            (json!({"const": true}), Some(&["boolean"])),
            (json!({"$ref": "#/definitions/loop"}), None),
            (json!({}), None),
            (json!(true), None),
        ];
        for (property, expected) in cases {
            let expected = expected.map(|types| types.iter().map(ToString::to_string).collect());
            assert_eq!(types(property), expected, "{property}");
        }
    }
}
