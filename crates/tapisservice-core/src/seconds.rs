//! A length of time in a configuration.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of seconds, fractions allowed, from 0 to 86,400: the type of every setting that is a length of time.
///
/// The cap of a day keeps sums of an [`Instant`](std::time::Instant) and a setting from overflowing.
///
/// ```
/// use std::time::Duration;
/// use tapisservice_core::Seconds;
///
/// let timeout: Seconds = serde_json::from_str("2.5")?;
/// assert_eq!(timeout.duration(), Duration::from_millis(2500));
/// assert!(serde_json::from_str::<Seconds>("86401").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(Duration);

/// A number that is no length of time of at most a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of seconds between 0 and 86400")]
pub struct InvalidSeconds;

impl Seconds {
    /// No time at all.
    pub const ZERO: Self = Self(Duration::ZERO);
    /// A day.
    pub const MAX: Self = Self(Duration::from_hours(24));

    /// Whole seconds, at most a day of them.
    ///
    /// # Panics
    ///
    /// With more than 86,400. In a constant that is a compile error.
    pub const fn new(seconds: u32) -> Self {
        assert!(seconds <= 86_400, "a setting is at most a day");
        Self(Duration::from_secs(seconds as u64))
    }

    /// The same as a [`Duration`].
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl TryFrom<Duration> for Seconds {
    type Error = InvalidSeconds;

    fn try_from(duration: Duration) -> Result<Self, InvalidSeconds> {
        if duration <= Self::MAX.0 { Ok(Self(duration)) } else { Err(InvalidSeconds) }
    }
}

impl TryFrom<f64> for Seconds {
    type Error = InvalidSeconds;

    fn try_from(seconds: f64) -> Result<Self, InvalidSeconds> {
        Duration::try_from_secs_f64(seconds).map_err(|_| InvalidSeconds)?.try_into()
    }
}

impl From<Seconds> for Duration {
    fn from(seconds: Seconds) -> Self {
        seconds.0
    }
}

/// As the configuration has it, with the unit: `2.5 s`.
impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0.as_secs_f64())
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Whole seconds are written without a fraction: so a schema states the default as a reader would.
impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_nanos() == 0 {
            serializer.serialize_u64(self.0.as_secs())
        } else {
            serializer.serialize_f64(self.0.as_secs_f64())
        }
    }
}

impl JsonSchema for Seconds {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "minimum": 0, "maximum": 86_400})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_longest_and_nothing_is_below_zero() {
        for good in ["0", "0.001", "86400", "1e3", "-0.0"] {
            assert!(serde_json::from_str::<Seconds>(good).is_ok(), "{good}");
        }
        for bad in ["-1", "1e300", "86400.1", "\"10\"", "null", "[]"] {
            assert!(serde_json::from_str::<Seconds>(bad).is_err(), "{bad}");
        }
        assert_eq!(Seconds::try_from(f64::NAN), Err(InvalidSeconds));
        assert_eq!(Seconds::try_from(Duration::MAX), Err(InvalidSeconds));
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for (text, seconds) in [("90", Seconds::new(90)), ("2.5", Seconds::try_from(2.5).unwrap())] {
            assert_eq!(serde_json::to_string(&seconds).unwrap(), text);
            assert_eq!(serde_json::from_str::<Seconds>(text).unwrap(), seconds);
        }
    }
}
