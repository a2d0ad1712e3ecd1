//! The format for people.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    escape::{push_text, push_value},
    line::Line,
};

/// `time level target: message field=value .. [tenant=.. user=.. req=.. trk=..]`, without a line end.
pub(super) fn render(line: &Line, colour: bool) -> String {
    let mut out = line.timestamp();
    push_level(&mut out, line.level, colour);
    push_text(&mut out, &line.target);
    out.push(':');
    if !line.message.is_empty() {
        out.push(' ');
        push_text(&mut out, &line.message);
    }
    for (name, value) in &line.fields {
        push_pair(&mut out, ' ', name, value);
    }
    push_ids(&mut out, line);
    out
}

fn push_level(out: &mut String, level: &str, colour: bool) {
    let code = match level {
        "CRITICAL" => "1;31",
        "ERROR" => "31",
        "WARN" => "33",
        "INFO" => "32",
        _ => "2",
    };
    // Writing to a string cannot fail.
    let _ =
        if colour { write!(out, " \u{1b}[{code}m{level:<5}\u{1b}[0m ") } else { write!(out, " {level:<5} ") };
}

fn push_pair(out: &mut String, before: char, name: &str, value: &Value) {
    out.push(before);
    push_text(out, name);
    out.push('=');
    match value {
        Value::String(text) => push_value(out, text),
        other => push_value(out, &other.to_string()),
    }
}

fn push_ids(out: &mut String, line: &Line) {
    let mut before = " [";
    for (key, id) in line.ids.known() {
        let short = match key {
            "request_id" => "req",
            "tracking_id" => "trk",
            other => other,
        };
        out.push_str(before);
        out.push_str(short);
        out.push('=');
        push_value(out, id);
        before = " ";
    }
    if before == " " {
        out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::*;
    use crate::request::Ids;

    fn line() -> Line {
        Line {
            time: datetime!(2026-01-02 03:04:05.0067 UTC),
            level: "INFO",
            target: "bookmarks::store".into(),
            message: "saved".into(),
            ids: Ids::default(),
            fields: vec![("id", json!(7)), ("title", json!("a b")), ("done", json!(true))],
        }
    }

    #[test]
    fn a_line_outside_a_request_has_no_ids() {
        assert_eq!(
            render(&line(), false),
            "2026-01-02T03:04:05.006Z INFO  bookmarks::store: saved id=7 title=\"a b\" done=true"
        );
    }

    #[test]
    fn the_known_ids_of_a_request_close_the_line() {
        let ids = Ids { tenant: Some("tacc".into()), request_id: Some("r] [x".into()), ..Ids::default() };
        let line = Line { ids, fields: vec![], ..line() };
        assert_eq!(
            render(&line, false),
            "2026-01-02T03:04:05.006Z INFO  bookmarks::store: saved [tenant=tacc req=\"r] [x\"]"
        );
    }

    #[test]
    fn only_the_level_is_coloured() {
        let text = render(&line(), true);
        assert!(text.contains("Z \u{1b}[32mINFO \u{1b}[0m bookmarks"), "{text:?}");
    }
}
