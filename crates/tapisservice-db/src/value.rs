//! Values of statements and rows, for both engines.

use std::borrow::Cow;
use std::fmt;
use std::ops::Sub;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Decode, Encode, Type};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// A value that both engines support: text, `i64`, `i32`, `f64`, `bool`, bytes, [`Timestamp`], [`TextUuid`], and an `Option`
/// of each.
///
/// With the feature of one engine alone it is what that engine takes; a library for several services asks for both features.
pub trait Value<'v>: driver::Values<'v> + Send {}

impl<'v, T: driver::Values<'v> + Send> Value<'v> for T {}

/// A row as a struct with `#[derive(Record)]`, or as a tuple of values.
pub trait Record: driver::Records + Send + Unpin {}

impl<T: driver::Records + Send + Unpin> Record for T {}

/// The bounds of the drivers that are compiled in.
mod driver {
    #[cfg(feature = "postgres")]
    use sqlx::postgres::{PgRow, Postgres};
    #[cfg(feature = "sqlite")]
    use sqlx::sqlite::{Sqlite, SqliteRow};
    use sqlx::{Encode, FromRow, Type};

    /// Defines a trait alias: a trait that every type with the given bounds implements.
    macro_rules! alias {
        ($name:ident $(<$life:lifetime>)? = $($bounds:tt)+) => {
            pub trait $name $(<$life>)?: $($bounds)+ {}
            impl<$($life,)? T: $($bounds)+> $name $(<$life>)? for T {}
        };
    }

    #[cfg(all(feature = "postgres", feature = "sqlite"))]
    alias!(Values<'v> = Encode<'v, Postgres> + Type<Postgres> + Encode<'v, Sqlite> + Type<Sqlite>);
    #[cfg(all(feature = "postgres", not(feature = "sqlite")))]
    alias!(Values<'v> = Encode<'v, Postgres> + Type<Postgres>);
    #[cfg(all(feature = "sqlite", not(feature = "postgres")))]
    alias!(Values<'v> = Encode<'v, Sqlite> + Type<Sqlite>);

    #[cfg(all(feature = "postgres", feature = "sqlite"))]
    alias!(Records = for<'r> FromRow<'r, PgRow> + for<'r> FromRow<'r, SqliteRow>);
    #[cfg(all(feature = "postgres", not(feature = "sqlite")))]
    alias!(Records = for<'r> FromRow<'r, PgRow>);
    #[cfg(all(feature = "sqlite", not(feature = "postgres")))]
    alias!(Records = for<'r> FromRow<'r, SqliteRow>);
}

/// A point in time in a `BIGINT` column: microseconds since 1970, UTC.
///
/// The engines have no common type for times. Nanoseconds are truncated, so that a value equals what is read back.
///
/// ```
/// use tapisservice_db::Timestamp;
/// use time::macros::datetime;
///
/// let time = Timestamp::from(datetime!(2026-11-01 12:00:00.123_456_789 UTC));
/// assert_eq!(time.to_datetime(), datetime!(2026-11-01 12:00:00.123_456 UTC));
/// assert_eq!(serde_json::to_string(&time).unwrap(), r#""2026-11-01T12:00:00.123456Z""#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The current time.
    pub fn now() -> Self {
        OffsetDateTime::now_utc().into()
    }

    /// The time, in UTC.
    pub fn to_datetime(self) -> OffsetDateTime {
        // The constructors accept only the years -9999 to 9999.
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Microseconds since 1970.
    pub fn as_micros(self) -> i64 {
        self.0
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(time: OffsetDateTime) -> Self {
        // Microseconds of any year up to 9999 fit.
        Self(i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for OffsetDateTime {
    fn from(time: Timestamp) -> Self {
        time.to_datetime()
    }
}

/// A date and time of RFC 3339.
impl FromStr for Timestamp {
    type Err = time::error::Parse;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text, &Rfc3339).map(Self::from)
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(earlier.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// In JSON a date and time of RFC 3339.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        time::serde::rfc3339::serialize(&self.to_datetime(), serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "a date and time such as 2026-11-28T12:00:00Z")
    }
}

/// A UUID in a `TEXT` column, in lower case with hyphens (RFC 9562, section 4). In JSON it is that text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct TextUuid(pub Uuid);

impl TextUuid {
    /// A new id; later ones sort after earlier ones (RFC 9562, version 7).
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }
}

impl FromStr for TextUuid {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl<'de> Deserialize<'de> for TextUuid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer, "a UUID")
    }
}

/// A value that is written as text. The error says what is expected and not what was found, as callers may see it.
fn parsed<'de, T: FromStr, D: Deserializer<'de>>(deserializer: D, expected: &str) -> Result<T, D::Error> {
    let invalid = || D::Error::invalid_value(Unexpected::Other("text"), &expected);
    Cow::<str>::deserialize(deserializer).map_err(|_| invalid())?.parse().map_err(|_| invalid())
}

impl fmt::Display for TextUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "openapi")]
mod schemas {
    use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};
    use utoipa::{PartialSchema, ToSchema};

    use super::{TextUuid, Timestamp};

    fn text(format: KnownFormat) -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String);
        text.format(Some(SchemaFormat::KnownFormat(format))).into()
    }

    impl PartialSchema for Timestamp {
        fn schema() -> RefOr<Schema> {
            text(KnownFormat::DateTime)
        }
    }

    impl ToSchema for Timestamp {}

    impl PartialSchema for TextUuid {
        fn schema() -> RefOr<Schema> {
            text(KnownFormat::Uuid)
        }
    }

    impl ToSchema for TextUuid {}
}

impl From<Uuid> for TextUuid {
    fn from(uuid: Uuid) -> Self {
        Self(uuid)
    }
}

impl From<TextUuid> for Uuid {
    fn from(uuid: TextUuid) -> Self {
        uuid.0
    }
}

/// Encodes a type as another one that both engines support.
macro_rules! encode_as {
    ($type:ty, $carrier:ty, $encode:expr, $decode:expr) => {
        impl<DB: sqlx::Database> Type<DB> for $type
        where
            $carrier: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$carrier>::type_info()
            }

            fn compatible(info: &DB::TypeInfo) -> bool {
                <$carrier>::compatible(info)
            }
        }

        impl<'q, DB: sqlx::Database> Encode<'q, DB> for $type
        where
            $carrier: Encode<'q, DB>,
        {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                let encode: fn(&$type) -> $carrier = $encode;
                encode(self).encode(buffer)
            }
        }

        impl<'r, DB: sqlx::Database> Decode<'r, DB> for $type
        where
            $carrier: Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                let decode: fn($carrier) -> Result<$type, BoxDynError> = $decode;
                decode(<$carrier>::decode(value)?)
            }
        }
    };
}

encode_as!(Timestamp, i64, |time| time.0, |micros| {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000)?;
    Ok(Timestamp(micros))
});
encode_as!(TextUuid, String, |uuid| uuid.0.to_string(), |text| Ok(TextUuid(text.parse()?)));
