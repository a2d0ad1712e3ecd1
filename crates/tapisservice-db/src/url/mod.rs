//! Parses `sql_db_url` into the options of a driver.
//!
//! The driver does not parse the text, because it logs unknown parameters with their values.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(feature = "sqlite")]
pub(crate) use self::sqlite::SqliteTarget;
use crate::settings::{DatabaseSettings, DatabaseSettingsError};

/// The database to connect to. It does not implement `Debug`, because the driver's options show the password.
pub(crate) enum Target {
    #[cfg(feature = "postgres")]
    Postgres(sqlx::postgres::PgConnectOptions),
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteTarget),
}

impl Target {
    pub(crate) fn from_settings(settings: &DatabaseSettings) -> Result<Self, DatabaseSettingsError> {
        let text = settings.sql_db_url.expose().trim();
        if let Some(rest) = text.strip_prefix("sqlite:") {
            return Self::sqlite(rest, settings);
        }
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Self::postgres(text, settings),
            // What the deployer writes.
            None if text.contains('/') => Self::postgres(&format!("postgres://{text}"), settings),
            _ => Err(DatabaseSettingsError::Scheme),
        }
    }

    #[cfg(feature = "postgres")]
    fn postgres(url: &str, settings: &DatabaseSettings) -> Result<Self, DatabaseSettingsError> {
        postgres::options(url, settings).map(Self::Postgres)
    }

    #[cfg(not(feature = "postgres"))]
    fn postgres(_: &str, _: &DatabaseSettings) -> Result<Self, DatabaseSettingsError> {
        Err(DatabaseSettingsError::EngineNotBuiltIn { engine: "PostgreSQL", feature: "postgres" })
    }

    #[cfg(feature = "sqlite")]
    fn sqlite(rest: &str, settings: &DatabaseSettings) -> Result<Self, DatabaseSettingsError> {
        sqlite::target(rest, settings).map(Self::Sqlite)
    }

    #[cfg(not(feature = "sqlite"))]
    fn sqlite(_: &str, _: &DatabaseSettings) -> Result<Self, DatabaseSettingsError> {
        Err(DatabaseSettingsError::EngineNotBuiltIn { engine: "SQLite", feature: "sqlite" })
    }
}

/// Names the parameter only if it looks like one: a `?` in a password also starts a parameter.
fn unknown(name: &str) -> DatabaseSettingsError {
    let usual = name.len() <= 40 && name.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '_' | '-'));
    DatabaseSettingsError::UnknownParameter(if usual {
        format!("{name:?}")
    } else {
        "of an unusual name".to_owned()
    })
}

#[cfg(all(test, feature = "postgres", feature = "sqlite"))]
mod tests {
    use std::path::PathBuf;

    use sqlx::postgres::PgConnectOptions;

    use super::*;

    fn target(url: &str) -> Result<Target, DatabaseSettingsError> {
        Target::from_settings(&DatabaseSettings::new(url))
    }

    fn postgres_of(settings: &DatabaseSettings) -> PgConnectOptions {
        match Target::from_settings(settings) {
            Ok(Target::Postgres(options)) => options,
            Ok(Target::Sqlite(_)) => panic!("SQLite"),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn the_scheme_chooses_the_engine() {
        for url in ["postgres://u:p@h/d", "postgresql://u:p@h:5433/d", "postgres://u@%2Frun%2Fpostgresql/d"] {
            assert!(matches!(target(url), Ok(Target::Postgres(_))), "{url}");
        }
        for url in ["sqlite::memory:", "sqlite://a.db", "sqlite:///a/b.db?mode=rwc", "sqlite:a.db"] {
            assert!(matches!(target(url), Ok(Target::Sqlite(_))), "{url}");
        }
        for url in ["mysql://u:p@h/d", "bookmarks", "", "postgresql+psycopg2://u:p@h/d"] {
            assert!(matches!(target(url), Err(DatabaseSettingsError::Scheme)), "{url}");
        }
    }

    #[test]
    fn the_deployers_parts_make_a_database() {
        let settings =
            DatabaseSettings::new("bookmarks-postgres:5433/bookmarks").with_credentials("tapis", "p@/?#");
        let options = postgres_of(&settings);
        assert_eq!(options.get_host(), "bookmarks-postgres");
        assert_eq!(options.get_port(), 5433);
        assert_eq!(options.get_database(), Some("bookmarks"));
        assert_eq!(options.get_username(), "tapis");
    }

    #[test]
    fn the_url_counts_before_the_parts() {
        let settings =
            DatabaseSettings::new("postgres://a%40b:x@h/d%20e").with_credentials("tapis", "secret");
        let options = postgres_of(&settings);
        assert_eq!(options.get_username(), "a@b");
        assert_eq!(options.get_database(), Some("d e"));
    }

    #[test]
    fn refusals_name_the_parameter_and_no_value() {
        let cases = [
            ("postgres://u:canary@h/d?canary=canary", "the parameter \"canary\""),
            ("postgres://u:canary@h/d?sslmode=canary", "sslmode: expected disable"),
            ("postgres://u:canary@h/d?CANARY%20x=1", "unusual name"),
            ("postgres://u:canary@h/", "lacks the name of the database"),
            ("postgres://:canary@h/d", "lacks the user"),
            ("postgres://u:can#ary@h/d", "percent-encoded"),
            ("postgres://u:can?ary@h/d", "percent-encoded"),
            ("sqlite://x.db?mode=canary", "expected ro, rw, rwc or memory"),
            ("sqlite://x.db?key=canary", "the parameter \"key\""),
            ("sqlite://", "lacks the path"),
        ];
        for (url, reason) in cases {
            let error = target(url).err().unwrap().to_string();
            assert!(error.contains(reason), "{url}: {error}");
            assert_eq!(error.matches("canary").count(), reason.matches("canary").count(), "{url}: {error}");
        }
    }

    #[test]
    fn only_a_file_that_may_be_made_has_its_folder_made() {
        let folder = |url: &str| match target(url).unwrap_or_else(|error| panic!("{url}: {error}")) {
            Target::Sqlite(sqlite) => sqlite.folder,
            Target::Postgres(_) => panic!("PostgreSQL"),
        };
        assert_eq!(folder("sqlite://.tapis/a.db?mode=rwc"), Some(PathBuf::from(".tapis")));
        assert_eq!(folder("sqlite:///var/lib/x/a.db"), Some(PathBuf::from("/var/lib/x")));
        for url in ["sqlite://x/a.db?mode=rw", "sqlite://x/a.db?mode=ro", "sqlite://a.db", "sqlite::memory:"]
        {
            assert_eq!(folder(url), None, "{url}");
        }
    }
}

#[cfg(all(test, not(all(feature = "postgres", feature = "sqlite"))))]
mod tests_of_one_engine {
    use super::*;

    #[test]
    fn a_url_of_an_engine_that_is_not_compiled_in_names_the_feature_and_no_value() {
        let (url, feature) = if cfg!(feature = "postgres") {
            ("sqlite:///canary.db", "`sqlite`")
        } else {
            ("postgres://canary:canary@canary/canary", "`postgres`")
        };
        let error = Target::from_settings(&DatabaseSettings::new(url)).err().unwrap().to_string();
        assert!(error.contains(feature) && !error.contains("canary"), "{error}");
    }
}
