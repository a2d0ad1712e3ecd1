//! The files of a new migration.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::macros::format_description;

use super::MigrationError;

const MAX_NAME_LENGTH: usize = 80;

/// Creates `<version>_<name>.up.sql` and `.down.sql` in `folder` and returns their paths. The version is the current time (UTC), or
/// one more than that of the newest file if that is later.
///
/// # Errors
///
/// When the name is not valid, or the files cannot be written.
pub fn new_migration(folder: &Path, name: &str) -> Result<[PathBuf; 2], MigrationError> {
    let slug = slug(name)?;
    let error = |path: &Path| {
        let path = path.to_owned();
        move |source| MigrationError::File { path, source }
    };
    std::fs::create_dir_all(folder).map_err(error(folder))?;
    let version = now().max(newest(folder).map_err(error(folder))? + 1);
    let file = |direction| folder.join(format!("{version}_{slug}.{direction}.sql"));
    let (up, down) = (file("up"), file("down"));
    let up_text = "-- Plain SQL that PostgreSQL and SQLite both take. What old code needs stays until it is gone: \
                   expand, move, contract.\n\
                   -- It runs in a transaction of its own: without BEGIN and COMMIT.\n";
    write(&up, up_text).map_err(error(&up))?;
    write(&down, "-- Takes back what the .up.sql beside this does.\n").map_err(error(&down))?;
    Ok([up, down])
}

fn slug(name: &str) -> Result<String, MigrationError> {
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-'));
    let words: Vec<&str> = name.split([' ', '_', '-']).filter(|word| !word.is_empty()).collect();
    let slug = words.join("_").to_ascii_lowercase();
    if fits && (1..=MAX_NAME_LENGTH).contains(&slug.len()) {
        Ok(slug)
    } else {
        Err(MigrationError::InvalidName)
    }
}

/// The time as a number that sorts: `20261101120000`.
fn now() -> i64 {
    let format = format_description!("[year][month][day][hour][minute][second]");
    let text = OffsetDateTime::now_utc().format(&format).unwrap_or_default();
    text.parse().unwrap_or(0)
}

fn newest(folder: &Path) -> std::io::Result<i64> {
    let mut newest = 0;
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let version = name.to_str().and_then(|name| name.split_once('_')).and_then(|(v, _)| v.parse().ok());
        newest = newest.max(version.unwrap_or(0));
    }
    Ok(newest)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_migration_is_a_pair_of_files_that_sorts_last() {
        let folder = tempfile::tempdir().unwrap();
        let [up, down] = new_migration(folder.path(), "Add notes").unwrap();
        assert!(up.to_str().unwrap().ends_with("_add_notes.up.sql"));
        assert!(down.to_str().unwrap().ends_with("_add_notes.down.sql"));
        std::fs::write(folder.path().join("99991231235959_future.up.sql"), "").unwrap();
        let [up, _] = new_migration(folder.path(), "later").unwrap();
        assert!(up.file_name().unwrap().to_str().unwrap().starts_with("99991231235960_"));
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", "../x", "a/b", "--", "é", &"x".repeat(81)] {
            assert!(matches!(new_migration(folder.path(), name), Err(MigrationError::InvalidName)), "{name}");
        }
    }
}
