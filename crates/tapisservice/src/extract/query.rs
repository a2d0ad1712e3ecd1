//! Query strings.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use tapisservice_core::Error;

use super::message;
use super::text::Fields;

/// Parameters that the framework reads on every route. No `T` sees them.
const RESERVED: [&str; 1] = ["pretty"];

/// The query of a request.
///
/// A parameter that occurs several times is a sequence. `true`, `false` and, as Python clients write them, `True` and `False` are booleans. The
/// parameters that the framework reads itself (`pretty`) are left out, so that a `T` may deny unknown fields.
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
    let fields: Fields<'_> = pairs.filter(|(name, _)| !RESERVED.contains(&name.as_ref())).collect();
    serde_path_to_error::deserialize(fields).map_err(|error| {
        let place = match message::pointer(error.path()) {
            name if name.is_empty() => "Invalid query".to_owned(),
            name => format!("Invalid query parameter {:?}", &name[1..]),
        };
        Error::bad_input(format!("{place}: {}.", message::expected(&error.into_inner().to_string())))
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Page {
        limit: Option<u16>,
        ratio: Option<f64>,
        total: bool,
        tag: Vec<String>,
        order: Option<Order>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Up,
        Down,
    }

    #[test]
    fn parameters_are_read_as_their_types() {
        let page =
            parse::<Page>("limit=7&ratio=0.5&total=True&tag=a&tag=b%20c&order=down&pretty=true").unwrap();
        let expected = Page {
            limit: Some(7),
            ratio: Some(0.5),
            total: true,
            tag: vec!["a".to_owned(), "b c".to_owned()],
            order: Some(Order::Down),
        };
        assert_eq!(page, expected);
        assert_eq!(parse::<Page>("").unwrap(), Page::default());
        assert_eq!(parse::<Page>("tag=a").unwrap().tag, ["a"]);
    }

    #[test]
    fn a_parameter_that_does_not_fit_is_named_with_what_is_expected() {
        for (query, told) in [
            ("limit=canary", r#"Invalid query parameter "limit": expected a whole number from 0 to 65535."#),
            ("limit=70000", r#"Invalid query parameter "limit": expected a whole number from 0 to 65535."#),
            ("limit=", r#"Invalid query parameter "limit": expected a whole number from 0 to 65535."#),
            ("limit=1&limit=2", r#"Invalid query parameter "limit": expected a single value."#),
            ("ratio=canary", r#"Invalid query parameter "ratio": expected a number."#),
            ("total=canary", r#"Invalid query parameter "total": expected true or false."#),
            ("order=canary", r#"Invalid query parameter "order": unknown variant, expected `up` or `down`."#),
        ] {
            assert_eq!(parse::<Page>(query).unwrap_err().message(), told, "{query}");
        }
        let unknown = parse::<Page>("canary=1").unwrap_err();
        assert!(unknown.message().contains(": unknown field, expected one of `limit`, "), "{unknown}");
    }

    proptest::proptest! {
        #[test]
        fn any_query_is_a_page_or_a_400(query in ".{0,60}") {
            if let Err(error) = parse::<Page>(&query) {
                proptest::prop_assert_eq!(error.status(), 400);
            }
        }
    }
}
