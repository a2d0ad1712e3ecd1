//! Numbers with a limit.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
#[cfg(feature = "openapi")]
use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};

/// A whole number from 0 to `MAX`, in the OpenAPI document too.
///
/// ```
/// use tapisservice::extract::UpTo;
/// use tapisservice::prelude::*;
///
/// #[derive(serde::Deserialize, IntoParams)]
/// struct Page {
///     /// The maximum number of records.
///     limit: Option<UpTo<1000>>,
/// }
///
/// let page: Page = serde_json::from_str(r#"{"limit": 1000}"#).unwrap();
/// assert_eq!(page.limit.unwrap().get(), 1000);
/// let error = serde_json::from_str::<Page>(r#"{"limit": 1001}"#).err().unwrap();
/// assert!(error.to_string().contains("expected a whole number from 0 to 1000"));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpTo<const MAX: u32>(u32);

impl<const MAX: u32> UpTo<MAX> {
    /// The number, unless it is above `MAX`.
    pub const fn new(number: u32) -> Option<Self> {
        if number <= MAX { Some(Self(number)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl<'de, const MAX: u32> Deserialize<'de> for UpTo<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(Limited::<MAX>)
    }
}

struct Limited<const MAX: u32>;

impl<const MAX: u32> Visitor<'_> for Limited<MAX> {
    type Value = UpTo<MAX>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from 0 to {MAX}")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<UpTo<MAX>, E> {
        let number_within = u32::try_from(number).ok().and_then(UpTo::new);
        number_within.ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<UpTo<MAX>, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }
}

#[cfg(feature = "openapi")]
impl<const MAX: u32> utoipa::PartialSchema for UpTo<MAX> {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(MAX));
        schema.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))).into()
    }
}

#[cfg(feature = "openapi")]
impl<const MAX: u32> utoipa::ToSchema for UpTo<MAX> {}
