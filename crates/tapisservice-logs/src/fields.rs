//! The fields of spans and events as values.

use std::{error::Error, fmt, iter};

use serde_json::{Number, Value};
use tracing::field::{Field, Visit};

/// The maximum number of causes of an error. A cycle of sources must not hang the logger.
const MAX_CAUSES: usize = 16;

/// Field values in the order they were recorded; a later value replaces an earlier one of the same name.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    pub(super) fn with_capacity(fields: usize) -> Self {
        Self(Vec::with_capacity(fields))
    }

    pub(super) fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| *known == name)?;
        Some(self.0.remove(at).1)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Sets all fields of `newer`.
    pub(super) fn merge(&mut self, newer: Self) {
        for (name, value) in newer.0 {
            self.set(name, value);
        }
    }

    /// Adds the fields of `outer` that are not set here.
    pub(super) fn inherit(&mut self, outer: &Self) {
        for (name, value) in &outer.0 {
            if self.get(name).is_none() {
                self.0.push((name, value.clone()));
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    fn record(&mut self, field: &Field, value: Value) {
        let name = field.name();
        // `log.target`, `log.line` and the like repeat what the metadata of a bridged record says.
        if !name.starts_with("log.") {
            self.set(name.strip_prefix("r#").unwrap_or(name), value);
        }
    }
}

impl Visit for Fields {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.record(field, Value::Bool(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.record(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record(field, value.into());
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.record(field, Number::from_i128(value).map_or_else(|| value.to_string().into(), Value::Number));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.record(field, Number::from_u128(value).map_or_else(|| value.to_string().into(), Value::Number));
    }

    /// NaN and the infinities become text, because JSON does not have them.
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.record(field, Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field, value.into());
    }

    /// An error is followed to its root, because its own message does not repeat its source.
    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let causes =
            iter::successors(Some(value), |&error: &&(dyn Error + 'static)| error.source()).take(MAX_CAUSES);
        let text: Vec<_> = causes.map(ToString::to_string).collect();
        self.record(field, text.join(": ").into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field, format!("{value:?}").into());
    }
}
