//! Every operation of every service, with what it requires and with everything it takes: what arrives is decoded here, by other code
//! than the one that built it, and compared with the values that were given.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};
use tapisservice_client::spec::{
    BodyContent, Catalog, Location, Operation, Parameter, Property, Style, ValueKind,
};
use tapisservice_client::{Call, Upload};

use crate::helpers::{Recorded, Server};

const FILE: &[u8] = b"\0\xff--not a boundary\r\n";

#[tokio::test]
async fn every_operation_sends_what_its_file_says() {
    let server = Server::start().await;
    let caller = server.resource_client();
    let catalog = Catalog::bundled();
    let (mut operations, mut calls) = (0, 0);
    for resource in catalog.resources() {
        for operation in catalog.resource(resource).unwrap().operations() {
            operations += 1;
            for everything in [false, true] {
                let content = operation.body.as_ref().map(|b| b.content.len()).unwrap_or_default();
                let bodies = if everything { 0..content.max(1) } else { 0..1 };
                for form in bodies {
                    let expected = Expected::of(operation, everything, form);
                    let call = expected.give(caller.call(operation.clone()));
                    let name = format!("{resource}.{} everything={everything}", operation.operation_id);
                    call.send().await.unwrap_or_else(|e| panic!("{name}: {e}"));
                    expected.compare(&server.take_one(), &name);
                    calls += 1;
                }
            }
        }
    }
    assert_eq!(operations, 501);
    assert!(calls >= 2 * 501, "{calls}");
}

/// What one call is given, and so what must arrive.
struct Expected<'a> {
    operation: &'a Operation,
    parameters: Vec<(&'a Parameter, Value)>,
    body: Body<'a>,
}

enum Body<'a> {
    None,
    Named(&'a BodyContent, BTreeMap<&'a str, Value>),
    Whole(&'a BodyContent, Value),
    Bytes(&'a BodyContent),
}

impl<'a> Expected<'a> {
    fn of(operation: &'a Operation, everything: bool, form: usize) -> Self {
        let parameters = operation
            .parameters
            .iter()
            .filter(|p| everything || p.required)
            .map(|p| (p, if p.allows_slashes { json!("dir one/ü/f.txt") } else { sample(&p.name, p.kind) }))
            .collect();
        let body = match &operation.body {
            Some(body) if everything || body.required => Body::of(&body.content[form], everything),
            _ => Body::None,
        };
        Self { operation, parameters, body }
    }

    fn give(&self, mut call: Call) -> Call {
        for (parameter, value) in &self.parameters {
            call = call.arg(&parameter.name, value);
        }
        match &self.body {
            Body::None => call,
            Body::Bytes(form) => call.body_bytes(FILE).media_type(&form.media_type),
            Body::Whole(form, value) if form.media_type.ends_with("urlencoded") => call.form(value),
            Body::Whole(_, value) => call.body_json(value),
            Body::Named(form, fields) => {
                for property in form.properties.iter().filter(|p| fields.contains_key(p.name.as_str())) {
                    let (name, value) = (property.name.as_str(), &fields[property.name.as_str()]);
                    let taken = self.operation.parameters.iter().any(|p| p.name == name);
                    call = if property.binary && form.media_type.starts_with("multipart") {
                        call.file(name, Upload::bytes(FILE).with_file_name("f.bin"))
                    } else if taken {
                        call.body_field(name, value)
                    } else {
                        call.arg(name, value)
                    };
                }
                call
            }
        }
    }

    fn compare(&self, got: &Recorded, name: &str) {
        assert_eq!(got.method, self.operation.method, "{name}");
        assert_eq!(path_values(&self.operation.path, got.path()), self.path(), "{name}: {}", got.path());
        assert_eq!(pairs_in(got.query(), "&"), self.pairs(Location::Query), "{name}");
        assert_eq!(pairs_in(got.field("cookie").unwrap_or(""), "; "), self.pairs(Location::Cookie), "{name}");
        self.compare_headers(got, name);
        self.compare_body(got, name);
    }

    fn at(&self, location: Location) -> impl Iterator<Item = (&Parameter, &Value)> {
        self.parameters.iter().filter(move |(p, _)| p.location == location).map(|(p, v)| (*p, v))
    }

    fn path(&self) -> BTreeMap<String, String> {
        self.at(Location::Path).map(|(p, v)| (p.name.clone(), text(v))).collect()
    }

    fn pairs(&self, location: Location) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for (parameter, value) in self.at(location) {
            assert!(
                parameter.style == Style::Form && parameter.explode,
                "a style this test has not been taught"
            );
            match value {
                Value::Array(members) => {
                    pairs.extend(members.iter().map(|m| (parameter.name.clone(), text(m))));
                }
                Value::Object(members) => pairs.extend(members.iter().map(|(k, v)| (k.clone(), text(v)))),
                scalar => pairs.push((parameter.name.clone(), text(scalar))),
            }
        }
        pairs.sort();
        pairs
    }

    fn compare_headers(&self, got: &Recorded, name: &str) {
        let mut wanted: BTreeMap<String, String> = BTreeMap::new();
        for (parameter, value) in self.at(Location::Header) {
            let flat = match value {
                Value::Object(members) => {
                    members.iter().flat_map(|(k, v)| [k.clone(), text(v)]).collect::<Vec<_>>().join(",")
                }
                scalar => text(scalar),
            };
            wanted.insert(parameter.name.to_lowercase(), flat);
        }
        let usual =
            ["host", "accept", "accept-encoding", "user-agent", "content-type", "content-length", "cookie"];
        for field in got.headers.keys().map(http::HeaderName::as_str).filter(|f| !usual.contains(f)) {
            assert_eq!(got.field(field).map(str::to_owned), wanted.remove(field), "{name}: {field}");
        }
        assert!(wanted.is_empty(), "{name}: {wanted:?} did not arrive");
    }

    fn compare_body(&self, got: &Recorded, name: &str) {
        let media_type = got.field("content-type").unwrap_or("");
        match &self.body {
            Body::None => assert!(media_type.is_empty() && got.body.is_empty(), "{name}: a body nobody gave"),
            Body::Bytes(form) => {
                assert_eq!((media_type, got.body.as_slice()), (form.media_type.as_str(), FILE), "{name}");
            }
            Body::Whole(form, value) => compare_object(form, media_type, &got.body, value, name),
            Body::Named(form, fields) if form.media_type.starts_with("multipart") => {
                let (kind, boundary) = media_type.split_once("; boundary=").expect(name);
                assert_eq!(kind, "multipart/form-data");
                compare_parts(form, &parts(&got.body, boundary), fields, name);
            }
            Body::Named(form, fields) => compare_object(form, media_type, &got.body, &json!(fields), name),
        }
    }
}

impl<'a> Body<'a> {
    fn of(form: &'a BodyContent, everything: bool) -> Self {
        let properties = || form.properties.iter().filter(|p| everything || p.required);
        let first_form = form.media_type.contains("json") || form.media_type.starts_with("multipart");
        match form.media_type.as_str() {
            "application/octet-stream" => Self::Bytes(form),
            media if media.contains("json") && form.properties.is_empty() => {
                Self::Whole(form, json!([{"free": null}, 1.5, "ü"]))
            }
            _ if first_form => {
                Self::Named(form, properties().map(|p| (p.name.as_str(), property(p))).collect())
            }
            _ => {
                let mut fields: Map<String, Value> =
                    properties().map(|p| (p.name.clone(), property(p))).collect();
                fields.insert("extra".to_owned(), json!("a b&c"));
                Self::Whole(form, Value::Object(fields))
            }
        }
    }
}

fn property(property: &Property) -> Value {
    sample(&property.name, property.kind)
}

/// A value of that kind that needs encoding wherever it goes.
fn sample(name: &str, kind: ValueKind) -> Value {
    match kind {
        ValueKind::String | ValueKind::Any => json!(format!("{name} a/b&c=d+e%41?#;,ü")),
        ValueKind::Integer => json!(42),
        ValueKind::Number => json!(-1.5),
        ValueKind::Boolean => json!(true),
        ValueKind::Array => json!(["a b", "c,d", "e&f"]),
        ValueKind::Object => json!({"key one": "a=b", "n": 2}),
        other => panic!("no sample of {other:?}"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8().unwrap().into_owned()
}

/// The values in a path, found by walking its template.
fn path_values(template: &str, path: &str) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let (mut template, mut path) = (template, path);
    while let Some((literal, rest)) = template.split_once('{') {
        path = path.strip_prefix(literal).unwrap_or_else(|| panic!("{literal} is not where {path} begins"));
        let (name, after) = rest.split_once('}').unwrap();
        let next = after.split('{').next().unwrap();
        let end =
            if next.is_empty() { path.len() } else { path.find(next).expect("the rest of the template") };
        values.insert(name.to_owned(), decoded(&path[..end]));
        (template, path) = (after, &path[end..]);
    }
    assert_eq!(template, path);
    values
}

fn pairs_in(line: &str, between: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap();
        (decoded(name), decoded(value))
    };
    let mut pairs: Vec<_> = line.split(between).filter(|p| !p.is_empty()).map(pair).collect();
    pairs.sort();
    pairs
}

fn compare_object(form: &BodyContent, media_type: &str, body: &[u8], value: &Value, name: &str) {
    assert_eq!(media_type, form.media_type, "{name}");
    if form.media_type.ends_with("urlencoded") {
        let wanted = value.as_object().unwrap().iter().map(|(k, v)| (k.clone(), text(v)));
        let wanted: BTreeMap<_, _> = wanted.collect();
        let got: BTreeMap<_, _> = pairs_in(std::str::from_utf8(body).unwrap(), "&").into_iter().collect();
        assert_eq!(got, wanted, "{name}");
    } else {
        assert_eq!(&serde_json::from_slice::<Value>(body).unwrap(), value, "{name}");
    }
}

/// The parts of a multipart body: head and content.
fn parts(body: &[u8], boundary: &str) -> Vec<(String, Vec<u8>)> {
    let mark = format!("--{boundary}");
    let find = |all: &[u8], what: &[u8]| all.windows(what.len()).position(|w| w == what);
    let mut rest = body.strip_prefix(mark.as_bytes()).expect("a boundary first");
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        let end = find(rest, format!("\r\n{mark}").as_bytes()).expect("a boundary last");
        let part = &rest[2..end];
        let head = find(part, b"\r\n\r\n").expect("an empty line");
        parts.push((String::from_utf8(part[..head].to_vec()).unwrap(), part[head + 4..].to_vec()));
        rest = &rest[end + 2 + mark.len()..];
    }
    parts
}

fn compare_parts(
    form: &BodyContent,
    parts: &[(String, Vec<u8>)],
    fields: &BTreeMap<&str, Value>,
    name: &str,
) {
    assert_eq!(parts.len(), fields.len(), "{name}");
    for (field, value) in fields {
        let mark = format!("name=\"{field}\"");
        let (head, content) = parts.iter().find(|(head, _)| head.contains(&mark)).expect(name);
        let binary = form.properties.iter().any(|p| p.binary && p.name == *field);
        assert_eq!(head.contains("filename=\"f.bin\""), binary, "{name}: {head}");
        let wanted = if binary { FILE.to_vec() } else { text(value).into_bytes() };
        assert_eq!(content, &wanted, "{name}: {field}");
    }
}
