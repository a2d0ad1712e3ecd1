//! SQLite's result codes (its manual, "Result and Error Codes").

use sqlx::error::{DatabaseError as _, ErrorKind};
use sqlx::sqlite::SqliteError;

use super::{ErrorClass, column};

pub(super) fn classify(error: &SqliteError) -> Option<ErrorClass> {
    let message = error.message();
    match error.kind() {
        ErrorKind::UniqueViolation => return Some(ErrorClass::UniqueViolation(columns(message))),
        ErrorKind::ForeignKeyViolation => return Some(ErrorClass::ForeignKey),
        ErrorKind::NotNullViolation => return Some(ErrorClass::Value(columns(message).pop())),
        ErrorKind::CheckViolation => return Some(ErrorClass::Value(None)),
        _ => {}
    }
    let code: i32 = error.code()?.parse().ok()?;
    // The last byte of an extended code is the primary one.
    Some(match code & 0xff {
        // BUSY, LOCKED: the write lock was not available, or another transaction wrote after this one read.
        5 | 6 => ErrorClass::SerializationFailure,
        // READONLY, IOERR, FULL, CANTOPEN.
        8 | 10 | 13 | 14 => ErrorClass::Unavailable,
        // TOOBIG, MISMATCH, other kinds of CONSTRAINT.
        18..=20 => ErrorClass::Value(None),
        1 if ["no such table", "no such column", "has no column named"]
            .iter()
            .any(|m| message.contains(m)) =>
        {
            ErrorClass::SchemaMissing
        }
        _ => return None,
    })
}

/// The columns of `UNIQUE constraint failed: bookmarks.tenant_id, bookmarks.name`.
fn columns(message: &str) -> Vec<String> {
    let Some((_, list)) = message.split_once("constraint failed: ") else { return Vec::new() };
    list.split(',').filter_map(|part| column(part.rsplit_once('.')?.1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_from_the_message() {
        assert_eq!(columns("UNIQUE constraint failed: b.tenant_id, b.name"), ["tenant_id", "name"]);
        assert_eq!(columns("NOT NULL constraint failed: b.name"), ["name"]);
        assert!(columns("UNIQUE constraint failed: index 'b_name'").is_empty());
        assert!(columns("database is locked").is_empty());
    }
}
