//! Parses `sql_db_url` into the options of a driver.
//!
//! The driver does not parse the text, because it logs unknown parameters with their values.

use std::borrow::Cow;
use std::path::PathBuf;
use std::str::FromStr as _;

use percent_encoding::percent_decode_str;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};
use url::Url;

use crate::settings::{DatabaseSettings, DatabaseSettingsError};

/// The database to connect to. It does not implement `Debug`, because the driver's options show the password.
pub(crate) enum Target {
    Postgres(PgConnectOptions),
    Sqlite(SqliteTarget),
}

pub(crate) struct SqliteTarget {
    pub(crate) options: SqliteConnectOptions,
    /// Whether the database is in memory: it disappears with its last connection.
    pub(crate) in_memory: bool,
    /// Whether the file may be written.
    pub(crate) writes: bool,
    /// The folder to create for the file.
    pub(crate) folder: Option<PathBuf>,
}

impl Target {
    pub(crate) fn from_settings(settings: &DatabaseSettings) -> Result<Self, DatabaseSettingsError> {
        let text = settings.sql_db_url.expose().trim();
        if let Some(rest) = text.strip_prefix("sqlite:") {
            return sqlite(rest, settings).map(Self::Sqlite);
        }
        let url = match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Url::parse(text),
            // What the deployer writes.
            None if text.contains('/') => Url::parse(&format!("postgres://{text}")),
            _ => return Err(DatabaseSettingsError::Scheme),
        };
        postgres(&url.map_err(|_| DatabaseSettingsError::Malformed)?, settings).map(Self::Postgres)
    }
}

fn postgres(url: &Url, settings: &DatabaseSettings) -> Result<PgConnectOptions, DatabaseSettingsError> {
    if url.fragment().is_some() {
        return Err(DatabaseSettingsError::Malformed);
    }
    let mut options = PgConnectOptions::new_without_pgpass()
        .application_name(&settings.application_name)
        .ssl_mode(PgSslMode::Prefer)
        .port(url.port().unwrap_or(5432))
        .database(&decoded(non_empty(url.path().trim_start_matches('/'), "name of the database")?)?);
    let user = Some(decoded(url.username())?).filter(|user| !user.is_empty());
    let user = user.or(settings.postgres_user.as_deref().map(Cow::Borrowed));
    let user = user.unwrap_or_default();
    options = options.username(non_empty(&user, "user, and `postgres_user` is not set")?);
    let password = url.password().map(decoded).transpose()?;
    if let Some(password) =
        password.or(settings.postgres_password.as_ref().map(|p| Cow::Borrowed(p.expose().as_str())))
    {
        options = options.password(&password);
    }
    let mut host = decoded(url.host_str().unwrap_or_default())?;
    for (name, value) in url.query_pairs() {
        match &*name {
            "host" if value.starts_with('/') => host = value,
            _ => options = parameter(options, &name, &value)?,
        }
    }
    if settings.sql_statement_timeout_seconds > 0 {
        options =
            options.options([("statement_timeout", format!("{}s", settings.sql_statement_timeout_seconds))]);
    }
    let host = non_empty(&host, "host")?;
    Ok(if host.starts_with('/') { options.socket(host) } else { options.host(host) })
}

fn parameter(
    options: PgConnectOptions,
    name: &str,
    value: &str,
) -> Result<PgConnectOptions, DatabaseSettingsError> {
    let misfit = |name, expected| DatabaseSettingsError::Parameter { name, expected };
    Ok(match name {
        "host" => return Err(misfit("host", "the absolute path of the folder of a socket")),
        "sslmode" => {
            let expected = "disable, allow, prefer, require, verify-ca or verify-full";
            options.ssl_mode(PgSslMode::from_str(value).map_err(|_| misfit("sslmode", expected))?)
        }
        "sslrootcert" => options.ssl_root_cert(value),
        "sslcert" => options.ssl_client_cert(value),
        "sslkey" => options.ssl_client_key(value),
        "application_name" => options.application_name(value),
        "statement-cache-capacity" => options.statement_cache_capacity(
            value.parse().map_err(|_| misfit("statement-cache-capacity", "a whole number"))?,
        ),
        _ => return Err(unknown(name)),
    })
}

fn sqlite(rest: &str, settings: &DatabaseSettings) -> Result<SqliteTarget, DatabaseSettingsError> {
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut in_memory = path == ":memory:";
    let mut mode = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let (name, fits, expected) = match &*name {
            "mode" => ("mode", matches!(&*value, "ro" | "rw" | "rwc" | "memory"), "ro, rw, rwc or memory"),
            "cache" => ("cache", matches!(&*value, "private" | "shared"), "private or shared"),
            "immutable" => ("immutable", matches!(&*value, "true" | "false" | "1" | "0"), "true or false"),
            _ => return Err(unknown(&name)),
        };
        if !fits {
            return Err(DatabaseSettingsError::Parameter { name, expected });
        }
        if name == "mode" {
            in_memory |= value == "memory";
            mode = Some(value.into_owned());
        }
    }
    if path.is_empty() && !in_memory {
        return Err(DatabaseSettingsError::Missing("path of the file"));
    }
    let options = SqliteConnectOptions::from_str(rest).map_err(|_| DatabaseSettingsError::Malformed)?;
    let creates = !in_memory && matches!(mode.as_deref(), None | Some("rwc"));
    let writes = !in_memory && mode.as_deref() != Some("ro");
    let mut options =
        options.create_if_missing(creates).foreign_keys(true).busy_timeout(settings.acquire_timeout());
    if writes {
        // FULL: acknowledged commits survive a power loss, as on PostgreSQL.
        options = options.synchronous(SqliteSynchronous::Full);
    }
    let folder = options.get_filename().parent().filter(|folder| creates && !folder.as_os_str().is_empty());
    Ok(SqliteTarget { folder: folder.map(PathBuf::from), in_memory, writes, options })
}

fn decoded(text: &str) -> Result<Cow<'_, str>, DatabaseSettingsError> {
    percent_decode_str(text).decode_utf8().map_err(|_| DatabaseSettingsError::Malformed)
}

fn non_empty<'t>(text: &'t str, part: &'static str) -> Result<&'t str, DatabaseSettingsError> {
    if text.is_empty() { Err(DatabaseSettingsError::Missing(part)) } else { Ok(text) }
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

#[cfg(test)]
mod tests {
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
