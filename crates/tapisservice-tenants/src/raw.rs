//! Records as text, of which a few members are read.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use tapisservice_core::json;

use crate::RecordError;

/// One record of a registry: a JSON object, stored as text.
///
/// A tree of values can take a hundred times the memory of its text, and many records arrive at once. So there is no tree:
/// [`Registry::build`](crate::Registry::build) reads what it needs from the text. The records of one response share its text, which
/// stays in memory as long as any of them.
///
/// ```
/// use serde_json::json;
/// use tapisservice_tenants::RegistryRecord;
///
/// let record = RegistryRecord::from(json!({"tenant_id": "dev", "owner": "alice"}));
/// assert_eq!(record.field("owner"), Some(json!("alice")));
/// ```
#[derive(Clone)]
pub struct RegistryRecord {
    /// The text that contains it.
    response: Arc<String>,
    range: Range<usize>,
}

/// Why a list of records was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordListError {
    /// It is not a response of a Tenants API.
    #[error("the response is not a list of records")]
    NotAList,
    /// It is longer than [`RegistryRecord::MAX_COUNT`].
    #[error("the response has more than {} records", RegistryRecord::MAX_COUNT)]
    TooMany,
}

impl RegistryRecord {
    /// The maximum number of records in one list. A response with more is rejected as a whole.
    pub const MAX_COUNT: usize = 10_000;
    /// The maximum size of one record in bytes; a larger one is invalid (rule T4).
    pub const MAX_BYTES: usize = 64 * 1024;
    /// The maximum nesting depth of one record, itself included; a deeper one is invalid (rule T4).
    pub const MAX_DEPTH: usize = 16;

    /// The records in a response of the Tenants API: its `result`.
    ///
    /// The work is proportional to the response, which may be megabytes: do not run it on a worker thread of the runtime.
    ///
    /// # Errors
    ///
    /// When the response is not JSON with a list as `result`, or has too many records. The error quotes nothing of it.
    pub fn list(response: Vec<u8>) -> Result<Vec<Self>, RecordListError> {
        #[derive(Deserialize)]
        struct ListResponse<'a> {
            #[serde(borrow)]
            result: List<'a>,
        }
        let response = Arc::new(String::from_utf8(response).map_err(|_| RecordListError::NotAList)?);
        // serde also accepts an array for a struct.
        let is_object = response.trim_ascii_start().starts_with('{');
        match serde_json::from_str(&response) {
            Ok(ListResponse { result }) if is_object => result.records_in(&response),
            _ => Err(RecordListError::NotAList),
        }
    }

    fn new(record: String) -> Self {
        Self { range: 0..record.len(), response: Arc::new(record) }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.response.get(self.range.clone()).unwrap_or_default()
    }

    /// A copy without the rest of the response.
    pub(crate) fn detached(&self) -> Self {
        Self::new(self.as_str().to_owned())
    }

    /// A member, parsed from the text on every call.
    pub fn field(&self, name: &str) -> Option<Value> {
        self.read(name)
    }

    /// A string member, whatever else is wrong with the record.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.read(name)
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let members: HashMap<Cow<'_, str>, &RawValue> = serde_json::from_str(self.as_str()).ok()?;
        serde_json::from_str(members.get(name)?.get()).ok()
    }

    /// Whether both have the same members, in any order.
    pub(crate) fn is_equivalent_to(&self, other: &Self) -> bool {
        let value = |record: &Self| serde_json::from_str::<Value>(record.as_str()).ok();
        self.as_str() == other.as_str() || value(self).is_some_and(|own| value(other) == Some(own))
    }
}

impl From<Value> for RegistryRecord {
    fn from(record: Value) -> Self {
        Self::new(record.to_string())
    }
}

impl fmt::Debug for RegistryRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} bytes)", self.as_str().len())
    }
}

/// The texts of the records in a list, read one by one, and discarded if there are too many.
pub(crate) struct List<'a>(Option<Vec<&'a str>>);

impl List<'_> {
    /// The records, which are slices of `response`.
    pub(crate) fn records_in(self, response: &Arc<String>) -> Result<Vec<RegistryRecord>, RecordListError> {
        let record = |text: &str| match text.as_ptr().addr().checked_sub(response.as_ptr().addr()) {
            Some(start) if start + text.len() <= response.len() => {
                RegistryRecord { response: Arc::clone(response), range: start..start + text.len() }
            }
            _ => RegistryRecord::new(text.to_owned()),
        };
        Ok(self.0.ok_or(RecordListError::TooMany)?.into_iter().map(record).collect())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Records;

        impl<'de> Visitor<'de> for Records {
            type Value = List<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of records")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<'de>, A::Error> {
                let mut records = Vec::new();
                while records.len() < RegistryRecord::MAX_COUNT {
                    let Some(record) = seq.next_element::<&RawValue>()? else {
                        return Ok(List(Some(records)));
                    };
                    records.push(record.get());
                }
                if seq.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(List(Some(records)));
                }
                drop(records);
                // Read to the end: the log distinguishes invalid JSON from too many records.
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(List(None))
            }
        }

        deserializer.deserialize_seq(Records)
    }
}

/// The members of a record that is within the limits.
pub(crate) struct Members<'a>(HashMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Members<'a> {
    pub(crate) fn of(record: &'a RegistryRecord) -> Result<Self, RecordError> {
        let text = record.as_str();
        if text.len() > RegistryRecord::MAX_BYTES {
            return Err(RecordError::TooLarge);
        }
        json::check(text.as_bytes(), RegistryRecord::MAX_DEPTH).map_err(|_| RecordError::NotStrict)?;
        serde_json::from_str(text).map(Self).map_err(|_| RecordError::NotAnObject)
    }

    /// A member of a type; null counts as absent.
    pub(crate) fn get<T: Deserialize<'a>>(
        &self,
        name: &'static str,
        kind: &'static str,
    ) -> Result<Option<T>, RecordError> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        serde_json::from_str(value.get()).map_err(|_| RecordError::Field { field: name, expected: kind })
    }

    /// A string; an empty one counts as absent.
    pub(crate) fn text(&self, name: &'static str) -> Result<Option<String>, RecordError> {
        Ok(self.get::<String>(name, "a string")?.filter(|text| !text.is_empty()))
    }

    /// The strings in a list; other elements are skipped.
    pub(crate) fn texts(&self, name: &'static str) -> Result<Vec<String>, RecordError> {
        let list: Option<Vec<&RawValue>> = self.get(name, "a list")?;
        Ok(list.unwrap_or_default().iter().filter_map(|text| serde_json::from_str(text.get()).ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(records: &str, count: usize) -> Vec<u8> {
        format!(r#"{{"result": [{}]}}"#, vec![records; count].join(",")).into_bytes()
    }

    #[test]
    fn a_list_has_at_most_so_many_records() {
        for record in ["{}", r#"{"a":{}}"#, "0"] {
            assert_eq!(
                RegistryRecord::list(response(record, RegistryRecord::MAX_COUNT)).unwrap().len(),
                RegistryRecord::MAX_COUNT
            );
            let longer = response(record, RegistryRecord::MAX_COUNT + 1);
            assert_eq!(RegistryRecord::list(longer).unwrap_err(), RecordListError::TooMany, "{record}");
        }
    }

    #[test]
    fn records_are_pieces_of_their_response() {
        let response = r#" {"more": [0], "result" : [ {"a": "\u00e9é"} ,7, [ ] , null ], "status": "ok"} "#;
        let records = RegistryRecord::list(response.as_bytes().to_vec()).unwrap();
        let texts: Vec<_> = records.iter().map(RegistryRecord::as_str).collect();
        assert_eq!(texts, [r#"{"a": "\u00e9é"}"#, "7", "[ ]", "null"]);
        assert!(records.iter().all(|record| Arc::ptr_eq(&record.response, &records[0].response)));
        let alone = records[0].detached();
        assert_eq!((alone.as_str(), alone.response.len()), (texts[0], texts[0].len()));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let mut broken = response("{}", RegistryRecord::MAX_COUNT + 1);
        broken.pop();
        let cases: [&[u8]; 8] = [
            b"",
            b"[[]]",
            b"[]",
            b"{}",
            br#"{"result": {}}"#,
            br#"{"result": [], "result": []}"#,
            b"{\"result\": [\"\xff\"]}",
            &broken,
        ];
        for text in cases {
            let text_of = String::from_utf8_lossy(&text[..text.len().min(40)]);
            assert_eq!(
                RegistryRecord::list(text.to_vec()).unwrap_err(),
                RecordListError::NotAList,
                "{text_of}"
            );
        }
    }

    #[test]
    fn records_that_say_the_same_in_another_order_are_equal_in_what_they_say() {
        let record = |text: &str| RegistryRecord::new(text.to_owned());
        let one = record(r#"{"a": 1, "b": {"c": 2, "d": 3}}"#);
        assert!(one.is_equivalent_to(&record(r#"{"b":{"d":3,"c":2},"a":1}"#)));
        assert!(!one.is_equivalent_to(&record(r#"{"b":{"d":3,"c":2},"a":"1"}"#)));
    }
}
