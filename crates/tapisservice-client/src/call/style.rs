//! Serialization of values by OpenAPI (3.0.4 section 4.7.12.2, "Style Values").

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::spec::{Parameter, Style};

/// All but the unreserved characters of RFC 3986 section 2.3.
const ENCODED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const ENCODED_BUT_SLASH: AsciiSet = ENCODED.remove(b'/');

/// Text in a query, a cookie or a path segment.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, &ENCODED).to_string()
}

/// A value in one of the three shapes that the styles have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Scalar(String),
    List(Vec<String>),
    Pairs(Vec<(String, String)>),
}

impl Shape {
    /// The shape of a value. `None` for null, and for nested values, which no style can serialize.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Array(members) => members.iter().map(scalar).collect::<Option<_>>().map(Self::List),
            Value::Object(members) => {
                let pair = |(name, value): (&String, &Value)| Some((name.clone(), scalar(value)?));
                let given = members.iter().filter(|(_, value)| !value.is_null());
                given.map(pair).collect::<Option<_>>().map(Self::Pairs)
            }
            other => scalar(other).map(Self::Scalar),
        }
    }

    /// All texts in it.
    pub(super) fn texts(&self) -> Vec<&str> {
        match self {
            Self::Scalar(text) => vec![text],
            Self::List(texts) => texts.iter().map(String::as_str).collect(),
            Self::Pairs(pairs) => pairs.iter().flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Scalar(_) => false,
            Self::List(texts) => texts.is_empty(),
            Self::Pairs(pairs) => pairs.is_empty(),
        }
    }

    /// Members one after the other, `a=1` or `a,1` in turn for pairs.
    fn joined(&self, between: &str, of_pair: &str, encode: impl Fn(&str) -> String) -> String {
        let texts: Vec<String> = match self {
            Self::Scalar(text) => vec![encode(text)],
            Self::List(texts) => texts.iter().map(|t| encode(t)).collect(),
            Self::Pairs(pairs) => {
                pairs.iter().map(|(k, v)| format!("{}{of_pair}{}", encode(k), encode(v))).collect()
            }
        };
        texts.join(between)
    }
}

/// A scalar as text: `true`, `1.5`, the string itself.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The value for the path, percent-encoded.
pub(super) fn path(parameter: &Parameter, shape: &Shape) -> String {
    let set = if parameter.allows_slashes { &ENCODED_BUT_SLASH } else { &ENCODED };
    let encode = |text: &str| utf8_percent_encode(text, set).to_string();
    let name = encode(&parameter.name);
    match (parameter.style, parameter.explode) {
        (Style::Label, false) => format!(".{}", shape.joined(",", ",", encode)),
        (Style::Label, true) => format!(".{}", shape.joined(".", "=", encode)),
        (Style::Matrix, true) => match shape {
            Shape::Pairs(_) => format!(";{}", shape.joined(";", "=", encode)),
            Shape::List(texts) => texts.iter().fold(String::new(), |mut all, text| {
                let _ = write!(all, ";{name}={}", encode(text));
                all
            }),
            Shape::Scalar(text) => format!(";{name}={}", encode(text)),
        },
        (Style::Matrix, false) => format!(";{name}={}", shape.joined(",", ",", encode)),
        (_, explode) => shape.joined(",", if explode { "=" } else { "," }, encode),
    }
}

/// Names and values in the query or in cookies, percent-encoded.
pub(super) fn pairs(parameter: &Parameter, shape: &Shape) -> Vec<(String, String)> {
    let name = || encode(&parameter.name);
    if shape.is_empty() {
        // Optional: left out. Required: sent empty.
        return if parameter.required { vec![(name(), String::new())] } else { Vec::new() };
    }
    match (parameter.style, parameter.explode, shape) {
        (Style::DeepObject, _, Shape::Pairs(pairs)) => {
            let key = |k: &str| format!("{}%5B{}%5D", encode(&parameter.name), encode(k));
            pairs.iter().map(|(k, v)| (key(k), encode(v))).collect()
        }
        (_, true, Shape::List(texts)) => texts.iter().map(|text| (name(), encode(text))).collect(),
        (_, true, Shape::Pairs(pairs)) => pairs.iter().map(|(k, v)| (encode(k), encode(v))).collect(),
        (style, _, shape) => {
            let between = match style {
                Style::SpaceDelimited => "%20",
                Style::PipeDelimited => "%7C",
                _ => ",",
            };
            vec![(name(), shape.joined(between, between, encode))]
        }
    }
}

/// The value for a header. It is not encoded, because servers do not decode it.
pub(super) fn header(parameter: &Parameter, shape: &Shape) -> String {
    shape.joined(",", if parameter.explode { "=" } else { "," }, str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::{Location, ValueKind};

    fn parameter(location: Location, style: Style, explode: bool) -> Parameter {
        Parameter {
            name: "color".to_owned(),
            location,
            required: false,
            style,
            explode,
            kind: ValueKind::Any,
            allows_slashes: false,
        }
    }

    fn written(parameter: &Parameter, value: &Value) -> String {
        let shape = Shape::of(value).unwrap();
        match parameter.location {
            Location::Path => path(parameter, &shape),
            Location::Header => header(parameter, &shape),
            Location::Query | Location::Cookie => {
                let pairs: Vec<_> =
                    pairs(parameter, &shape).into_iter().map(|(k, v)| format!("{k}={v}")).collect();
                pairs.join("&")
            }
        }
    }

    /// The table of OpenAPI 3.0.4 section 4.7.12.2, and what it leaves open.
    #[test]
    fn styles_write_what_the_table_of_openapi_says() {
        use Location::{Cookie, Header, Path, Query};
        use Style::{DeepObject, Form, Label, Matrix, PipeDelimited, Simple, SpaceDelimited};
        let cases = [
            (Path, Matrix, false, ";color=blue", ";color=blue,black,brown", ";color=A,100,B,200"),
            (Path, Matrix, true, ";color=blue", ";color=blue;color=black;color=brown", ";A=100;B=200"),
            (Path, Label, false, ".blue", ".blue,black,brown", ".A,100,B,200"),
            (Path, Label, true, ".blue", ".blue.black.brown", ".A=100.B=200"),
            (Path, Simple, false, "blue", "blue,black,brown", "A,100,B,200"),
            (Path, Simple, true, "blue", "blue,black,brown", "A=100,B=200"),
            (Header, Simple, false, "blue", "blue,black,brown", "A,100,B,200"),
            (Header, Simple, true, "blue", "blue,black,brown", "A=100,B=200"),
            (Query, Form, false, "color=blue", "color=blue,black,brown", "color=A,100,B,200"),
            (Query, Form, true, "color=blue", "color=blue&color=black&color=brown", "A=100&B=200"),
            (
                Query,
                SpaceDelimited,
                false,
                "color=blue",
                "color=blue%20black%20brown",
                "color=A%20100%20B%20200",
            ),
            (Query, SpaceDelimited, true, "color=blue", "color=blue&color=black&color=brown", "A=100&B=200"),
            (
                Query,
                PipeDelimited,
                false,
                "color=blue",
                "color=blue%7Cblack%7Cbrown",
                "color=A%7C100%7CB%7C200",
            ),
            (Query, PipeDelimited, true, "color=blue", "color=blue&color=black&color=brown", "A=100&B=200"),
            (
                Query,
                DeepObject,
                true,
                "color=blue",
                "color=blue&color=black&color=brown",
                "color%5BA%5D=100&color%5BB%5D=200",
            ),
            (
                Query,
                DeepObject,
                false,
                "color=blue",
                "color=blue,black,brown",
                "color%5BA%5D=100&color%5BB%5D=200",
            ),
            (Cookie, Form, false, "color=blue", "color=blue,black,brown", "color=A,100,B,200"),
            (Cookie, Form, true, "color=blue", "color=blue&color=black&color=brown", "A=100&B=200"),
        ];
        for (location, style, explode, primitive, array, pairs) in cases {
            let parameter = parameter(location, style, explode);
            assert_eq!(written(&parameter, &json!("blue")), primitive, "{parameter:?}");
            assert_eq!(written(&parameter, &json!(["blue", "black", "brown"])), array, "{parameter:?}");
            assert_eq!(written(&parameter, &json!({"A": 100, "B": 200})), pairs, "{parameter:?}");
        }
    }

    #[test]
    fn scalars_are_written_as_json_has_them_without_quotes() {
        let parameter = parameter(Location::Query, Style::Form, true);
        for (value, text) in [
            (json!(true), "true"),
            (json!(false), "false"),
            (json!(0), "0"),
            (json!(-1.5), "-1.5"),
            (json!(u64::MAX), "18446744073709551615"),
            (json!(""), ""),
            (json!("a b&c=d+e/ü,%"), "a%20b%26c%3Dd%2Be%2F%C3%BC%2C%25"),
        ] {
            assert_eq!(written(&parameter, &value), format!("color={text}"));
        }
    }

    #[test]
    fn delimiters_within_members_are_encoded() {
        let parameter = parameter(Location::Query, Style::Form, false);
        assert_eq!(written(&parameter, &json!(["a,b", "c|d", "e f"])), "color=a%2Cb,c%7Cd,e%20f");
    }

    #[test]
    fn what_is_empty_is_left_out_unless_it_must_be_there() {
        let mut parameter = parameter(Location::Query, Style::Form, true);
        for empty in [json!([]), json!({}), json!({"a": null})] {
            parameter.required = false;
            assert_eq!(written(&parameter, &empty), "");
            parameter.required = true;
            assert_eq!(written(&parameter, &empty), "color=");
        }
    }

    #[test]
    fn what_nests_has_no_form() {
        for value in [json!([[1]]), json!({"a": {"b": 1}}), json!([{"a": 1}]), json!([null]), json!(null)] {
            assert_eq!(Shape::of(&value), None, "{value}");
        }
    }
}
