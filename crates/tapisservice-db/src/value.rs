//! Values of statements and rows, for both engines.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Decode, Encode, Type};
use time::OffsetDateTime;
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

/// A UUID in a `TEXT` column, in lower case with hyphens (RFC 9562, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextUuid(pub Uuid);

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
