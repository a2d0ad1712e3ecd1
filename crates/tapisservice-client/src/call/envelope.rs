//! Response envelopes (docs/PROTOCOL.md, section 4).

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use tapisservice_core::Metadata;

/// The whole envelope of a response.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResponseEnvelope<T> {
    /// The message of the service.
    pub message: String,
    /// The result.
    pub result: T,
    /// `success` or `error`.
    pub status: String,
    /// The version of the service.
    pub version: String,
    /// Metadata of the result: `recordCount`, `totalCount`, ... Empty if there is none.
    pub metadata: Metadata,
}

/// The stanzas as they arrive. Services leave some out, or send null.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
struct Stanzas<T> {
    // By a function, so that a result that is absent is an error for an `Option` too.
    #[serde(deserialize_with = "T::deserialize")]
    result: T,
    #[serde(default)]
    message: Option<Text>,
    #[serde(default)]
    status: Option<Text>,
    #[serde(default)]
    version: Option<Text>,
    #[serde(default)]
    metadata: Option<Stanza>,
}

/// A stanza that should be text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Text {
    Text(String),
    Other(IgnoredAny),
}

/// A stanza that should be an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stanza {
    Object(Metadata),
    Other(IgnoredAny),
}

impl Text {
    fn or_empty(text: Option<Self>) -> String {
        match text {
            Some(Self::Text(text)) => text,
            Some(Self::Other(_)) | None => String::new(),
        }
    }
}

/// The envelope in a body, its result read as `T`.
pub(super) fn open<T: DeserializeOwned>(body: &[u8]) -> Result<ResponseEnvelope<T>, String> {
    // serde takes an array for a struct too.
    let stanzas = match serde_json::from_slice::<Stanzas<T>>(body) {
        Ok(stanzas) if is_object(body) => stanzas,
        _ => return Err(why_closed::<T>(body)),
    };
    let metadata = match stanzas.metadata {
        Some(Stanza::Object(metadata)) => metadata,
        Some(Stanza::Other(_)) | None => Metadata::new(),
    };
    Ok(ResponseEnvelope {
        message: Text::or_empty(stanzas.message),
        result: stanzas.result,
        status: Text::or_empty(stanzas.status),
        version: Text::or_empty(stanzas.version),
        metadata,
    })
}

/// Reads a body that is not an envelope of a `T` again to find out why. That costs more than reading it.
fn why_closed<T: DeserializeOwned>(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Result<'a> {
        #[serde(borrow)]
        result: &'a RawValue,
    }
    if serde_json::from_slice::<IgnoredAny>(body).is_err() {
        return "the response is not JSON".to_owned();
    }
    match serde_json::from_slice::<Result<'_>>(body) {
        Ok(Result { result }) if is_object(body) => match read::<T>(result.get().as_bytes(), "the result") {
            Err(reason) => reason,
            Ok(_) => "the response is not an envelope: a stanza is repeated".to_owned(),
        },
        _ => "the response is not an envelope: it has no result".to_owned(),
    }
}

fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().starts_with(b"{")
}

/// Reads JSON as `T`. The error names the place, and not the value, which serde's own message may quote.
pub(super) fn read<T: DeserializeOwned>(json: &[u8], what: &str) -> Result<T, String> {
    serde_json::from_slice(json).map_err(|error| {
        if !error.is_data() {
            return format!("{what} is not JSON");
        }
        // Only after a failure, because tracking the place costs as much as reading.
        let mut reader = serde_json::Deserializer::from_slice(json);
        let place = serde_path_to_error::deserialize::<_, T>(&mut reader).err();
        let place = place.map_or_else(String::new, |error| format!(" at {}", error.path()));
        format!("{what} has an unexpected type{place}")
    })
}

/// Message and version of an error response, if it is an envelope or similar.
pub(super) fn complaint(body: &[u8]) -> (Option<String>, Option<String>) {
    #[derive(Deserialize)]
    struct Said {
        #[serde(default, alias = "msg", alias = "error_description")]
        message: Option<Text>,
        #[serde(default)]
        version: Option<Text>,
    }
    let said: Option<Said> = serde_json::from_slice(body).ok().filter(|_| is_object(body));
    let text = |stanza: Option<Text>| Some(Text::or_empty(stanza)).filter(|text| !text.is_empty());
    said.map_or((None, None), |said| (text(said.message), text(said.version)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_result_is_a_result() {
        for result in [
            json!(0),
            json!(false),
            json!(""),
            json!(null),
            json!([[1], [2]]),
            json!({}),
            json!({"result": 1}),
        ] {
            let body = json!({"message": "m", "result": result, "status": "success", "version": "1"});
            let envelope: ResponseEnvelope<Value> = open(body.to_string().as_bytes()).unwrap();
            assert_eq!(envelope.result, result);
            assert_eq!((envelope.message.as_str(), envelope.version.as_str()), ("m", "1"));
        }
    }

    #[test]
    fn stanzas_may_be_absent_null_or_of_another_kind() {
        for body in [
            r#"{"result": 1}"#,
            r#"{"result": 1, "message": null, "version": 3, "metadata": null, "status": {}}"#,
            r#"{"metadata": [], "result": 1, "more": true}"#,
        ] {
            let envelope: ResponseEnvelope<u8> = open(body.as_bytes()).unwrap();
            assert_eq!(
                (envelope.result, envelope.message.as_str(), envelope.metadata.len()),
                (1, "", 0),
                "{body}"
            );
        }
        let envelope: ResponseEnvelope<u8> =
            open(br#"{"result": 1, "metadata": {"totalCount": -1}}"#).unwrap();
        assert_eq!(envelope.metadata["totalCount"], -1);
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_place_and_never_quoted() {
        let error = open::<Vec<(String, u8)>>(br#"{"result": [["a", 1], ["b", "canary"]]}"#).unwrap_err();
        assert_eq!(error, "the result has an unexpected type at [1][1]");
        assert_eq!(open::<u8>(b"<html>canary").unwrap_err(), "the response is not JSON");
        assert_eq!(
            open::<u8>(br#"["canary"]"#).unwrap_err(),
            "the response is not an envelope: it has no result"
        );
        assert_eq!(
            open::<u8>(br#"{"canary": 1}"#).unwrap_err(),
            "the response is not an envelope: it has no result"
        );
        assert_eq!(open::<u8>(br#"{"result": 1} x"#).unwrap_err(), "the response is not JSON");
    }

    #[test]
    fn a_complaint_is_found_in_an_envelope_and_nowhere_else() {
        let cases: [(&str, Option<&str>); 5] = [
            (r#"{"message": "no such system", "result": null}"#, Some("no such system")),
            (r#"{"msg": "older spelling"}"#, Some("older spelling")),
            (r#"{"message": 7}"#, None),
            (r"<html>", None),
            (r"[]", None),
        ];
        for (body, message) in cases {
            assert_eq!(complaint(body.as_bytes()).0.as_deref(), message, "{body}");
        }
    }
}
