//! The file of a migration: its name, whether it can run, whether only its line endings changed.

use sqlx::migrate::Migration;
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use super::MigrationError;
use super::script::{Dialect, ScriptError, plan};

/// The name of the file, without leading zeros in the version.
pub(super) fn file_name(migration: &Migration) -> String {
    let (description, suffix) = (migration.description.replace(' ', "_"), migration.migration_type.suffix());
    format!("{}_{description}{suffix}", migration.version)
}

/// Rejects a file that would end the transaction it runs in. It is checked by the rules of both engines, so that both reject it or
/// neither does.
pub(super) fn check(migration: &Migration) -> Result<(), MigrationError> {
    for dialect in Dialect::ALL {
        plan(migration.sql.as_str(), dialect, !migration.no_tx)
            .map_err(|error| script_error(migration, error))?;
    }
    Ok(())
}

pub(super) fn script_error(migration: &Migration, error: ScriptError) -> MigrationError {
    let file = file_name(migration);
    match error {
        ScriptError::Control { statement, line } => {
            MigrationError::TransactionControl { file, line, statement }
        }
        ScriptError::UnclosedComment { line } => MigrationError::UnclosedComment { file, line },
        ScriptError::UnclosedTransaction { statement, line } => {
            MigrationError::UnclosedTransaction { file, line, statement }
        }
    }
}

/// The line endings that the file had when it was applied, if nothing else has changed since.
pub(super) fn former_line_endings(migration: &Migration, checksum: &[u8]) -> Option<&'static str> {
    let unix = migration.sql.as_str().replace("\r\n", "\n");
    let windows = unix.replace('\n', "\r\n");
    [("LF", unix), ("CRLF", windows)]
        .into_iter()
        .find(|(_, text)| digest(text) == checksum)
        .map(|(name, _)| name)
}

/// The checksum that `sqlx` computes for a file.
fn digest(sql: &str) -> Vec<u8> {
    let sql = AssertSqlSafe(sql).into_sql_str();
    Migration::new(0, "".into(), sqlx::migrate::MigrationType::ReversibleUp, sql, false).checksum.into_owned()
}

#[cfg(test)]
mod tests {
    use sqlx::migrate::MigrationType;

    use super::*;

    fn file(sql: &'static str) -> Migration {
        Migration::new(7, "add notes".into(), MigrationType::ReversibleDown, sql.into_sql_str(), false)
    }

    #[test]
    fn a_file_is_called_as_it_is_on_the_disk() {
        assert_eq!(file_name(&file("")), "7_add_notes.down.sql");
    }

    #[test]
    fn changed_line_endings_are_told_from_other_changes() {
        let (unix, windows) = ("SELECT 1;\n-- x\n", "SELECT 1;\r\n-- x\r\n");
        let cases =
            [(unix, windows, Some("CRLF")), (windows, unix, Some("LF")), (windows, "SELECT 1;\n", None)];
        for (now, then, expected) in cases {
            assert_eq!(former_line_endings(&file(now), &digest(then)), expected, "{now:?} {then:?}");
        }
    }
}
