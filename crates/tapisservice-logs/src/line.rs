//! A log line before it is rendered.

use serde_json::Value;
use time::OffsetDateTime;

use super::{fields::Fields, redact, request::Ids};

/// The contents of a line: without secrets, not yet escaped.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) time: OffsetDateTime,
    pub(super) level: &'static str,
    pub(super) target: String,
    pub(super) message: String,
    pub(super) ids: Ids,
    pub(super) fields: Vec<(&'static str, Value)>,
}

impl Line {
    /// Builds a line and masks secrets.
    pub(super) fn new(level: &'static str, target: &str, mut fields: Fields, ids: Ids) -> Self {
        let message = match fields.take("message") {
            Some(Value::String(text)) => redact::redact(&text).into_owned(),
            Some(other) => redact::redact(&other.to_string()).into_owned(),
            None => String::new(),
        };
        Self {
            time: OffsetDateTime::now_utc(),
            level,
            target: redact::redact(target).into_owned(),
            message,
            ids: ids.map(|id| redact::redact(&id).into_owned()),
            fields: redact::fields(&fields),
        }
    }

    /// RFC 3339 in UTC with milliseconds.
    pub(super) fn timestamp(&self) -> String {
        let t = self.time;
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.millisecond()
        )
    }
}
