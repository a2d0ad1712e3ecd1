//! The database settings of a deployment.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tapisservice_core::{Error, Seconds, Secret, ServiceError};

use crate::url::Target;

/// The shortest time that the pool works with.
const MIN_DURATION: Duration = Duration::from_secs(1);

/// The settings of the database, read from the keys of the same names.
///
/// `service_name`, which every Tapis service has, becomes the `application_name` that PostgreSQL shows for a connection.
/// No printed form contains the URL or the password (rule C8).
///
/// ```
/// let settings: tapisservice_db::DatabaseSettings = serde_json::from_str(
///     r#"{"sql_db_url": "postgres://tapis:hunter2@db.example.org/bookmarks", "service_name": "bookmarks"}"#,
/// )
/// .unwrap();
/// assert!(!format!("{settings:?}").contains("hunter2"));
/// assert_eq!(settings.sql_acquire_timeout_seconds, tapisservice_core::Seconds::new(3));
/// ```
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct DatabaseSettings {
    /// The database: `sqlite://<path>`, `postgres://<user>:<password>@<host>:<port>/<database>`, or `<host>:<port>/<database>` with `postgres_user` and `postgres_password`.
    #[schemars(regex(pattern = r"^(sqlite:|postgres(ql)?://|(\[[0-9a-fA-F:]+\]|[^:/]+)(:[0-9]+)?/[^/])"))]
    pub(crate) sql_db_url: Secret,
    /// User of the PostgreSQL database, where `sql_db_url` names none.
    #[serde(default)]
    pub(crate) postgres_user: Option<String>,
    /// Password of the PostgreSQL database, where `sql_db_url` has none.
    #[serde(default)]
    pub(crate) postgres_password: Option<Secret>,
    /// What PostgreSQL calls the connections; the name of the service.
    #[serde(default = "application_name", rename = "service_name")]
    #[schemars(skip)] // Every service has it.
    pub application_name: String,
    /// Maximum number of connections per process.
    #[serde(default = "max_connections")]
    #[schemars(range(min = 1, max = 1000))]
    pub sql_pool_max_connections: u32,
    /// Connections that are kept open when idle.
    #[serde(default)]
    #[schemars(range(max = 1000))]
    pub sql_pool_min_connections: u32,
    // On SQLite also for its write lock.
    /// Seconds a request waits for a connection before it fails with 503.
    #[serde(default = "acquire_timeout")]
    #[schemars(extend("minimum" = 1, "maximum" = 300))]
    pub sql_acquire_timeout_seconds: Seconds,
    /// Seconds after which an unused connection is closed; 0 for never.
    #[serde(default = "idle_timeout")]
    pub sql_idle_timeout_seconds: Seconds,
    /// Seconds after which a connection is replaced; 0 for never.
    #[serde(default = "max_lifetime")]
    pub sql_max_lifetime_seconds: Seconds,
    /// Seconds after which PostgreSQL cancels a statement; 0 for never. Migrations have no limit.
    #[serde(default = "statement_timeout")]
    pub sql_statement_timeout_seconds: Seconds,
}

/// Why the settings name no database. No message contains a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseSettingsError {
    /// The scheme is of no engine.
    #[error(
        "`sql_db_url` names no known database: expected sqlite://, postgres://, postgresql:// or <host>:<port>/<database>"
    )]
    Scheme,
    /// The engine is not compiled in.
    #[error(
        "`sql_db_url` names {engine}, which this program is built without: build it with the feature `{feature}` of tapisservice"
    )]
    #[non_exhaustive]
    EngineNotBuiltIn {
        /// The engine.
        engine: &'static str,
        /// The feature that compiles it in, of `tapisservice` and of `tapisservice-db`.
        feature: &'static str,
    },
    /// The text cannot be taken apart.
    #[error(
        "`sql_db_url` is not of the form postgres://<user>:<password>@<host>:<port>/<database>; \
         reserved characters in a user or password are percent-encoded, or go into `postgres_user` and `postgres_password`"
    )]
    Malformed,
    /// A PostgreSQL URL without a part that it needs.
    #[error("`sql_db_url` lacks the {0}")]
    Missing(&'static str),
    /// A parameter that has no meaning here.
    #[error("`sql_db_url` has the parameter {0}, which is not known")]
    UnknownParameter(String),
    /// A parameter whose value does not fit.
    #[error("`sql_db_url` has a value that does not fit in the parameter {name}: expected {expected}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What fits.
        expected: &'static str,
    },
    /// The folder of an SQLite file cannot be made.
    #[error("the folder of the database file cannot be made, see `sql_db_url`: {0}")]
    Folder(#[source] std::io::Error),
}

impl ServiceError for DatabaseSettingsError {
    fn to_error(&self) -> Error {
        Error::service_config("The service is misconfigured.")
    }
}

impl DatabaseSettings {
    /// A database by its URL, everything else as by default.
    pub fn new(sql_db_url: impl Into<String>) -> Self {
        Self {
            sql_db_url: Secret::new(sql_db_url.into()),
            postgres_user: None,
            postgres_password: None,
            application_name: application_name(),
            sql_pool_max_connections: max_connections(),
            sql_pool_min_connections: 0,
            sql_acquire_timeout_seconds: acquire_timeout(),
            sql_idle_timeout_seconds: idle_timeout(),
            sql_max_lifetime_seconds: max_lifetime(),
            sql_statement_timeout_seconds: statement_timeout(),
        }
    }

    /// Sets the user and password that count where the URL names none.
    pub fn with_credentials(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.postgres_user = Some(user.into());
        self.postgres_password = Some(Secret::new(password.into()));
        self
    }

    /// Whether the settings name a database; nothing is opened, made or called.
    ///
    /// # Errors
    ///
    /// When they do not. The setting at fault is `sql_db_url`.
    pub fn check(&self) -> Result<(), DatabaseSettingsError> {
        Target::from_settings(self).map(drop)
    }

    /// At least a second, also where code sets less than the schema allows.
    pub(crate) fn acquire_timeout(&self) -> Duration {
        self.sql_acquire_timeout_seconds.duration().max(MIN_DURATION)
    }

    pub(crate) fn idle_timeout(&self) -> Option<Duration> {
        unless_zero(self.sql_idle_timeout_seconds)
    }

    pub(crate) fn max_lifetime(&self) -> Option<Duration> {
        unless_zero(self.sql_max_lifetime_seconds)
    }

    /// Rounded up: to PostgreSQL, 0 is no limit.
    #[cfg(feature = "postgres")]
    pub(crate) fn statement_timeout_millis(&self) -> Option<u128> {
        let limit = self.sql_statement_timeout_seconds;
        (!limit.is_zero()).then(|| limit.duration().as_nanos().div_ceil(1_000_000))
    }
}

/// At least [`MIN_DURATION`], at which the pool looks for connections to close: a fraction of it would keep a core busy.
fn unless_zero(time: Seconds) -> Option<Duration> {
    (!time.is_zero()).then(|| time.duration().max(MIN_DURATION))
}

fn application_name() -> String {
    "tapisservice".to_owned()
}

fn max_connections() -> u32 {
    10
}

fn acquire_timeout() -> Seconds {
    Seconds::new(3)
}

fn idle_timeout() -> Seconds {
    Seconds::new(600)
}

fn max_lifetime() -> Seconds {
    Seconds::new(1800)
}

fn statement_timeout() -> Seconds {
    Seconds::new(60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_url_alone_is_what_the_code_makes_of_it() {
        let by_serde: DatabaseSettings = serde_json::from_value(json!({"sql_db_url": "x"})).unwrap();
        assert_eq!(format!("{by_serde:?}"), format!("{:?}", DatabaseSettings::new("y")));
    }

    #[test]
    fn zero_is_never_and_a_fraction_is_never_zero() {
        let settings = |seconds: f64| -> DatabaseSettings {
            let value = json!({
                "sql_db_url": "x", "sql_acquire_timeout_seconds": seconds, "sql_idle_timeout_seconds": seconds,
                "sql_max_lifetime_seconds": seconds, "sql_statement_timeout_seconds": seconds,
            });
            serde_json::from_value(value).unwrap()
        };
        let times = |settings: &DatabaseSettings| {
            (settings.acquire_timeout(), settings.idle_timeout(), settings.max_lifetime())
        };
        assert_eq!(times(&settings(0.0)), (MIN_DURATION, None, None));
        assert_eq!(times(&settings(1e-9)), (MIN_DURATION, Some(MIN_DURATION), Some(MIN_DURATION)));
        let longer = Duration::from_millis(2500);
        assert_eq!(times(&settings(2.5)), (longer, Some(longer), Some(longer)));
        #[cfg(feature = "postgres")]
        for (seconds, millis) in [(0.0, None), (1e-9, Some(1)), (0.25, Some(250)), (60.0, Some(60_000))] {
            assert_eq!(settings(seconds).statement_timeout_millis(), millis);
        }
    }

    #[test]
    fn both_secrets_are_marked_by_their_type() {
        let schema = schemars::schema_for!(DatabaseSettings).to_value();
        for key in ["sql_db_url", "postgres_password"] {
            assert_eq!(schema["properties"][key]["writeOnly"], true, "{key}");
        }
    }

    #[test]
    fn a_url_of_a_wrong_type_is_not_quoted() {
        let error = serde_json::from_str::<DatabaseSettings>(r#"{"sql_db_url": 4711}"#).unwrap_err();
        assert!(!error.to_string().contains("4711"), "{error}");
    }
}
