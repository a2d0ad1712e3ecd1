//! The options of SQLite's driver.

use std::path::PathBuf;
use std::str::FromStr as _;

use sqlx::sqlite::{SqliteConnectOptions, SqliteSynchronous};

use super::unknown;
use crate::settings::{DatabaseSettings, DatabaseSettingsError};

/// A file, or a database in memory.
pub(crate) struct SqliteTarget {
    pub(crate) options: SqliteConnectOptions,
    /// Whether the database is in memory: it disappears with its last connection.
    pub(crate) in_memory: bool,
    /// Whether the file may be written.
    pub(crate) writes: bool,
    /// The folder to create for the file.
    pub(crate) folder: Option<PathBuf>,
}

/// Of what follows `sqlite:`.
pub(super) fn target(rest: &str, settings: &DatabaseSettings) -> Result<SqliteTarget, DatabaseSettingsError> {
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
