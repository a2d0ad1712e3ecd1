//! Parameters of paths.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use tapisservice_core::Error;

use super::message;
use super::text::{Fields, PathParameters};

/// The parameters of the path of a request: a struct by their names, a tuple in their order, or the value of the only one.
///
/// The rejection is 400 with the name of the parameter when its value does not fit.
///
/// ```
/// use tapisservice::prelude::*;
///
/// #[utoipa::path(get, path = "/shelves/{shelf}/books/{book}", operation_id = "getBook", responses((status = 200)))]
/// async fn get_book(Path((shelf, book)): Path<(u8, String)>) -> Envelope<String> {
///     Envelope::new(format!("{book} on {shelf}"))
/// }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|rejection| {
            Error::bad_input("The path has characters that are not UTF-8.").with_source(rejection)
        })?;
        parse(parameters.iter()).map(Self)
    }
}

fn parse<'a, T: DeserializeOwned>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> Result<T, Error> {
    let fields: Fields<'_> = parameters.map(|(name, value)| (name.into(), value.into())).collect();
    let names = fields.names();
    serde_path_to_error::deserialize(PathParameters(fields)).map_err(|error| {
        let name = match error.path().iter().next() {
            Some(Segment::Seq { index }) => names.get(*index).cloned(),
            Some(Segment::Map { key }) => Some(key.clone()),
            _ => names.first().filter(|_| names.len() == 1).cloned(),
        };
        let reason = message::expected(&error.into_inner().to_string());
        match name {
            Some(name) => Error::bad_input(format!("Invalid path parameter {name:?}: {reason}.")),
            None => Error::bad_input(format!("Invalid path: {reason}.")),
        }
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Place {
        shelf: u8,
        book: String,
    }

    const PLACE: [(&str, &str); 2] = [("shelf", "7"), ("book", "Emma")];

    fn parsed<T: DeserializeOwned>(parameters: &[(&str, &str)]) -> Result<T, String> {
        parse(parameters.iter().copied()).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn parameters_are_a_struct_a_tuple_or_one_value() {
        let emma = "Emma".to_owned();
        assert_eq!(parsed(&PLACE), Ok(Place { shelf: 7, book: emma.clone() }));
        assert_eq!(parsed(&PLACE), Ok((7_u8, emma.clone())));
        assert_eq!(parsed(&PLACE[..1]), Ok(7_u8));
        assert_eq!(parsed(&PLACE[..1]), Ok((7_u8,)));
        assert_eq!(parsed(&PLACE[1..]), Ok(emma.clone()));
        assert_eq!(parsed(&PLACE), Ok(vec!["7".to_owned(), emma]));
    }

    #[test]
    fn a_parameter_that_does_not_fit_is_named() {
        let wrong = [("shelf", "canary"), ("book", "Emma")];
        let told =
            Err(r#"Invalid path parameter "shelf": expected a whole number from 0 to 255."#.to_owned());
        assert_eq!(parsed::<Place>(&wrong).map(drop), told);
        assert_eq!(parsed::<(u8, String)>(&wrong).map(drop), told);
        assert_eq!(parsed::<u8>(&wrong[..1]).map(drop), told);
    }
}
