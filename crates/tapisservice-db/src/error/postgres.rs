//! PostgreSQL's error codes (its manual, appendix A).

use sqlx::postgres::PgDatabaseError;

use super::{ErrorClass, column};

/// PostgreSQL's own error, if it is one.
pub(super) fn database_error(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

pub(super) fn classify(error: &PgDatabaseError) -> Option<ErrorClass> {
    Some(match error.code() {
        // An exclusion constraint is a generalized unique constraint.
        "23505" | "23P01" => ErrorClass::UniqueViolation(error.detail().map(key).unwrap_or_default()),
        "23503" => ErrorClass::ForeignKey,
        "23001" => ErrorClass::Referenced,
        "23502" | "23514" => ErrorClass::Value(error.column().and_then(column)),
        // Too long, out of range, invalid in the encoding (a NUL), invalid text for the type.
        "22001" | "22003" | "22021" | "22P02" | "22P05" => ErrorClass::Value(None),
        "40001" | "40P01" => ErrorClass::SerializationFailure,
        // An undefined column or table, or schema.
        "42703" | "42P01" | "3F000" => ErrorClass::SchemaMissing,
        // Cancelled (by the timeout), lock not available, shut down, crashed, starting, idle for too long; a read-only
        // standby, as in a failover; the database does not exist yet.
        "57014" | "55P03" | "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25006" | "25P02" | "25P03"
        | "3D000" => ErrorClass::Unavailable,
        // Classes: connection, invalid authorization, insufficient resources, system error.
        code if ["08", "28", "53", "58"].contains(&code.get(..2).unwrap_or_default()) => {
            ErrorClass::Unavailable
        }
        _ => return None,
    })
}

/// The columns of `Key (tenant_id, name)=(acme, results) already exists.`, whatever language the rest is in.
fn key(detail: &str) -> Vec<String> {
    let columns =
        detail.split_once('(').and_then(|(_, rest)| rest.split_once(")=(")).map(|(columns, _)| columns);
    columns.map(|columns| columns.split(',').filter_map(column).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_read_in_any_language() {
        assert_eq!(key("Key (tenant_id, name)=(acme, results) already exists."), ["tenant_id", "name"]);
        assert_eq!(key("Schlüssel »(name)=(a)=(b)« existiert bereits."), ["name"]);
        assert_eq!(key("Key (lower(name), owner)=(a, b) already exists."), ["owner"]);
        assert!(key("no key").is_empty());
    }
}
