//! The format for collectors.

use std::io;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, ser::Formatter};

use super::{escape::is_unsafe, line::Line};

/// One JSON object (RFC 8259), without a line end: `time`, `level`, `target`, `message`, the known ids, `fields`.
pub(super) fn render(line: &Line) -> String {
    let mut out = Vec::with_capacity(256);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, OneLine);
    if line.serialize(&mut serializer).is_err() {
        // Strings and numbers always serialize. Should that ever change, there must still be a line.
        return r#"{"level":"ERROR","message":"a log line could not be serialized"}"#.to_owned();
    }
    String::from_utf8(out).unwrap_or_default()
}

impl Serialize for Line {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("time", &self.timestamp())?;
        map.serialize_entry("level", self.level)?;
        map.serialize_entry("target", &self.target)?;
        map.serialize_entry("message", &self.message)?;
        for (key, id) in self.ids.known() {
            map.serialize_entry(key, id)?;
        }
        if !self.fields.is_empty() {
            map.serialize_entry("fields", &Object(&self.fields))?;
        }
        map.end()
    }
}

struct Object<'a>(&'a [(&'static str, Value)]);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Compact JSON that also escapes characters which JSON allows, but which line readers and terminals misinterpret.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, out: &mut W, part: &str) -> io::Result<()> {
        let mut rest = part;
        while let Some(at) = rest.find(is_unsafe) {
            let (clean, tail) = rest.split_at(at);
            out.write_all(clean.as_bytes())?;
            let mut tail = tail.chars();
            if let Some(c) = tail.next() {
                // Every unsafe character lies in the basic plane: four digits are enough.
                write!(out, "\\u{:04x}", u32::from(c))?;
            }
            rest = tail.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::request::Ids;

    #[test]
    fn a_line_is_one_object_with_its_numbers_as_numbers() {
        let line = Line {
            time: datetime!(2026-01-02 03:04:05.006 UTC),
            level: "WARN",
            target: "t".into(),
            message: "m \"q\"".into(),
            ids: Ids { tenant: Some("tacc".into()), user: Some("al".into()), ..Ids::default() },
            fields: vec![("n", json!(7)), ("x", json!(1.5)), ("ok", json!(true)), ("s", json!("7"))],
        };
        assert_eq!(
            render(&line),
            r#"{"time":"2026-01-02T03:04:05.006Z","level":"WARN","target":"t","message":"m \"q\"","tenant":"tacc","user":"al","fields":{"n":7,"x":1.5,"ok":true,"s":"7"}}"#
        );
    }

    #[test]
    fn whatever_the_text_is_the_line_stays_one_line_and_reads_back() {
        let raw = "a\nb\r\u{1b}[0m\u{0}\u{7f}\u{85}\u{2028}\u{202e}\u{feff}\"\\é🚀";
        let line = Line {
            time: datetime!(2026-01-02 03:04:05 UTC),
            level: "INFO",
            target: raw.into(),
            message: raw.into(),
            ids: Ids { user: Some(raw.into()), ..Ids::default() },
            fields: vec![("f", json!(raw))],
        };
        let text = render(&line);
        assert!(!text.contains(is_unsafe), "{text}");
        let value: Value = serde_json::from_str(&text).unwrap();
        for part in [&value["message"], &value["user"], &value["target"], &value["fields"]["f"]] {
            assert_eq!(part, raw);
        }
    }
}
