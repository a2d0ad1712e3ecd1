//! Query strings.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use tapisservice_core::Error;

use super::message;

/// The query of a request.
///
/// The rejection is 400 with the name of the parameter when the query is not a `T`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        parse(parts.uri.query().unwrap_or_default()).map(Self)
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, Error> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|error| {
        let name = message::pointer(error.path());
        let reason = message::expected(&error.into_inner().to_string());
        let place = if name.is_empty() {
            "Invalid query".to_owned()
        } else {
            format!("Invalid query parameter {:?}", &name[1..])
        };
        Error::bad_input(format!("{place}: {reason}."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Page {
        limit: Option<u16>,
    }

    #[test]
    fn a_parameter_that_does_not_fit_is_named() {
        assert_eq!(parse::<Page>("limit=7&pretty=true").unwrap(), Page { limit: Some(7) });
        let error = parse::<Page>("limit=canary").unwrap_err();
        assert!(error.message().starts_with("Invalid query parameter \"limit\": "), "{error}");
        assert!(!error.message().contains("canary"));
    }
}
