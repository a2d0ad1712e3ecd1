//! Mappings seen through their references.

use serde_json::{Map, Value};
use tapisservice_core::json::pointer;

use super::Reader;
use super::fault::Fault;
use super::loose;

/// How many references lead from one to the next at most.
const MAX_HOPS: usize = 32;

/// A mapping with everything it refers to: members beside a `$ref` come before those of its target.
#[derive(Debug, Default)]
pub(super) struct View<'a> {
    layers: Vec<&'a Map<String, Value>>,
}

/// Where following a reference leads.
pub(super) enum Followed<'a> {
    Mapping(View<'a>),
    /// There is no value.
    Nothing,
    /// To another file, to nowhere, or in a circle.
    Elsewhere(String),
    /// To something that is no mapping.
    Other,
}

impl<'a> View<'a> {
    /// The member `key`, unless it is null.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.layers.iter().find_map(|layer| layer.get(key).filter(|value| !value.is_null()))
    }

    pub(super) fn object(&self, key: &str) -> Option<&'a Map<String, Value>> {
        self.get(key)?.as_object()
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.get(key).and_then(loose::text)
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.get(key).and_then(loose::flag)
    }

    /// All members, null ones included; those of the outer layers hide those below.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + '_ {
        self.layers.iter().enumerate().flat_map(move |(depth, layer)| {
            let above = &self.layers[..depth];
            layer
                .iter()
                .filter(move |(key, _)| !above.iter().any(|upper| upper.contains_key(key.as_str())))
                .map(|(key, value)| (key.as_str(), value))
        })
    }
}

impl<'a> Reader<'a> {
    /// The mapping at `value`, through local references.
    pub(super) fn follow(&self, value: &'a Value) -> Result<Followed<'a>, Fault> {
        let mut layers = Vec::new();
        let mut next = value;
        loop {
            self.spend(1)?;
            let map = match next {
                Value::Object(map) => map,
                Value::Null if layers.is_empty() => return Ok(Followed::Nothing),
                _ => return Ok(Followed::Other),
            };
            layers.push(map);
            let Some(to) = map.get("$ref").and_then(loose::text) else {
                return Ok(Followed::Mapping(View { layers }));
            };
            match pointer::resolve(self.root, &to) {
                Some(target) if !target.is_null() && layers.len() < MAX_HOPS => next = target,
                _ => return Ok(Followed::Elsewhere(to)),
            }
        }
    }
}
