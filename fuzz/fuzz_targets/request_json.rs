//! JSON bodies: to the service, which answers as it answers users, and to the extractor with a body of every shape.
//!
//! `{canary}` stands for text that no message may repeat.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::FromRequest as _;
use http::{Method, Request, StatusCode};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use serde_json::{Value, json};
use tapisservice::extract::Json;
use tapisservice_fuzz::{CANARY, Service, TestResponse};
use tokio::runtime::{Builder, Runtime};

static SERVICE: LazyLock<Service> = LazyLock::new(Service::start);
static CHANGED: LazyLock<String> =
    LazyLock::new(|| SERVICE.keep(&json!({"name": "kept", "system_id": "workstation", "path": "/"})));
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().build().unwrap());

/// Every kind of thing that serde reads.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only what is read counts")]
struct Shape {
    text: Option<String>,
    small: Option<u8>,
    float: Option<f32>,
    letter: Option<char>,
    list: Option<Vec<i64>>,
    pair: Option<(bool, String)>,
    map: Option<BTreeMap<u16, String>>,
    plain: Option<Plain>,
    tagged: Option<Tagged>,
    untagged: Option<Untagged>,
    free: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only what is read counts")]
enum Plain {
    One,
    Two(u8),
    Three { deep: Vec<Shape> },
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind")]
#[expect(dead_code, reason = "only what is read counts")]
enum Tagged {
    A { x: String },
    B { y: u8 },
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only what is read counts")]
enum Untagged {
    Number(i8),
    Texts(Vec<String>),
}

fuzz_target!(init: good_is_accepted(), |data: &[u8]| {
    let quoted = serde_json::to_string(CANARY).unwrap();
    let body = match std::str::from_utf8(data) {
        Ok(text) => text.replace("{canary}", quoted.trim_matches('"')).into_bytes(),
        Err(_) => data.to_vec(),
    };
    extract(&body);
    create(&body);
    change(&body);
});

/// A target that takes nothing would check nothing.
fn good_is_accepted() {
    let kept = SERVICE.send(Method::POST, "", include_bytes!("../seeds/request_json/00"));
    assert_eq!(kept.status, StatusCode::CREATED, "{kept:?}");
    let id = kept.envelope["result"]["bookmark_id"].as_str().unwrap();
    assert_eq!(SERVICE.send(Method::DELETE, &format!("/{id}"), b"").status, StatusCode::OK);
}

/// The extractor alone.
fn extract(body: &[u8]) {
    let request = Request::post("/")
        .header("content-type", "application/json")
        .body(Body::from(body.to_vec()))
        .unwrap();
    if let Err(error) = RUNTIME.block_on(Json::<Shape>::from_request(request, &())) {
        assert_eq!(error.status(), 400);
        assert_message(error.message(), body);
    }
}

fn create(body: &[u8]) {
    let response = SERVICE.send(Method::POST, "", body);
    if response.status == StatusCode::CREATED {
        let result = &response.envelope["result"];
        assert_kept(body, result);
        let id = result["bookmark_id"].as_str().unwrap();
        assert_eq!(SERVICE.send(Method::DELETE, &format!("/{id}"), b"").status, StatusCode::OK);
    } else {
        assert_refused(&response, body);
    }
}

fn change(body: &[u8]) {
    let response = SERVICE.send(Method::PATCH, &format!("/{}", *CHANGED), body);
    if response.status == StatusCode::OK {
        assert_kept(body, &response.envelope["result"]);
    } else {
        assert_refused(&response, body);
    }
}

/// Every member of the body is in the result as it was sent; of tags that are sent twice, the first.
fn assert_kept(body: &[u8], result: &Value) {
    let sent: Value = serde_json::from_slice(body).expect("it was read");
    for (name, value) in sent.as_object().unwrap() {
        if let Some(tags) = value.as_array() {
            let mut once: Vec<&Value> = Vec::new();
            tags.iter().for_each(|tag| {
                if !once.contains(&tag) {
                    once.push(tag)
                }
            });
            assert_eq!(json!(once), result[name]);
        } else {
            assert_eq!(*value, result[name], "{name}");
        }
    }
}

fn assert_refused(response: &TestResponse, body: &[u8]) {
    match response.status {
        StatusCode::BAD_REQUEST => assert_message(response.message(), body),
        StatusCode::CONFLICT => {
            assert_eq!(response.message(), "You already have a bookmark with this \"name\".")
        }
        status => panic!("{status} {}", response.message()),
    }
}

/// The message locates the error by line and column or by a pointer, and repeats no value. It may repeat names, which cannot be told
/// from values in invalid JSON.
fn assert_message(message: &str, body: &[u8]) {
    let not_json = message.strip_prefix("The body is not valid JSON: line ");
    assert!(not_json.is_none_or(|place| place.len() < 40), "{message}");
    let places = ["Invalid value at \"", "Invalid body: "];
    let place = not_json.is_some() || places.iter().any(|place| message.starts_with(place));
    assert!(place || message.starts_with("There is no system \""), "{message}");
    let named = serde_json::from_slice::<Value>(body).map_or(true, |body| names_canary(&body));
    assert!(named || !message.contains(CANARY), "{message}");
    assert!(message.len() < 20_000, "{message}");
}

/// Whether the canary is part of a name: pointers are made of names.
fn names_canary(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(name, value)| name.contains(CANARY) || names_canary(value))
        }
        Value::Array(items) => items.iter().any(names_canary),
        _ => false,
    }
}
