//! The statements of a file to run, without an enclosing `BEGIN` and `COMMIT`.

use super::control::{Effect, control};
use super::lexer::Dialect;
use super::statement::{Statement, statements};

/// Why a file is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::migrate) enum ScriptError {
    /// It would begin, end or set the transaction that it runs in.
    Control { statement: &'static str, line: usize },
    /// It runs without a transaction, and would leave open the one that it begins here.
    UnclosedTransaction { statement: &'static str, line: usize },
    /// A comment is not closed, so that the rest of the file would not run. Only PostgreSQL reports that itself.
    UnclosedComment { line: usize },
}

/// The statements to run.
///
/// In a transaction, a plain `BEGIN` as the first statement and a plain `COMMIT` as the last, as other tools write
/// them, are skipped: they ask for the transaction that the file gets anyway.
pub(in crate::migrate) fn plan(
    sql: &str,
    dialect: Dialect,
    in_transaction: bool,
) -> Result<Vec<Statement<'_>>, ScriptError> {
    let mut all = statements(sql, dialect);
    if let Some(line) = all.iter().find_map(|statement| statement.open_comment) {
        return Err(ScriptError::UnclosedComment { line });
    }
    if !in_transaction {
        return unclosed_transaction(&all).map_or(Ok(all), Err);
    }
    if has_plain_pair(&all) {
        all.pop();
        all.remove(0);
    }
    let refused = all.iter().find_map(|statement| {
        control(statement)
            .map(|control| ScriptError::Control { statement: control.name, line: statement.line })
    });
    refused.map_or(Ok(all), Err)
}

fn has_plain_pair(all: &[Statement<'_>]) -> bool {
    let is_plain = |statement, effect| {
        control(statement).is_some_and(|control| control.is_plain && control.effect == effect)
    };
    matches!(all, [first, .., last] if is_plain(first, Effect::Starts) && is_plain(last, Effect::Commits))
}

fn unclosed_transaction(all: &[Statement<'_>]) -> Option<ScriptError> {
    let mut open = None;
    for statement in all {
        let Some(control) = control(statement) else { continue };
        match control.effect {
            Effect::Starts | Effect::Chains => {
                open =
                    Some(ScriptError::UnclosedTransaction { statement: control.name, line: statement.line });
            }
            Effect::Commits | Effect::Abandons => open = None,
            Effect::Stays => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sql: &str, in_transaction: bool) -> Option<(&'static str, usize)> {
        let [postgres, sqlite] = Dialect::ALL.map(|dialect| plan(sql, dialect, in_transaction).err());
        assert_eq!(postgres, sqlite, "{sql}");
        postgres.map(|refusal| match refusal {
            ScriptError::Control { statement, line }
            | ScriptError::UnclosedTransaction { statement, line } => (statement, line),
            ScriptError::UnclosedComment { line } => ("/*", line),
        })
    }

    #[test]
    fn what_would_end_start_or_set_the_transaction_is_found() {
        for (sql, name) in [
            ("COMMIT", "COMMIT"),
            ("commit work", "COMMIT"),
            ("CoMmIt /* x */ TRANSACTION", "COMMIT"),
            ("COMMIT AND CHAIN", "COMMIT"),
            ("COMMIT PREPARED 'x'", "COMMIT"),
            ("END", "END"),
            ("END TRANSACTION", "END"),
            ("ROLLBACK", "ROLLBACK"),
            ("ROLLBACK TRANSACTION", "ROLLBACK"),
            ("ROLLBACK PREPARED 'x'", "ROLLBACK"),
            ("ABORT", "ABORT"),
            ("BEGIN", "BEGIN"),
            ("BEGIN IMMEDIATE", "BEGIN"),
            ("BEGIN ISOLATION LEVEL SERIALIZABLE", "BEGIN"),
            ("START TRANSACTION", "START TRANSACTION"),
            ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"),
            ("SET TRANSACTION READ ONLY", "SET TRANSACTION"),
            ("SET LOCAL TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET TRANSACTION"),
        ] {
            for sql in [
                format!("CREATE TABLE a (x BIGINT);\n-- x\n{sql};\nSELECT 1;"),
                format!("\u{feff};;\n/* ' */\n{sql}"),
                format!("DO $$ BEGIN\nCOMMIT; END $$;\n{sql}; SELECT 1"),
                format!("CREATE TRIGGER t AFTER INSERT ON a BEGIN\nSELECT 1; END;\n{sql}; SELECT 1"),
            ] {
                assert_eq!(refused(&sql, true), Some((name, 3)), "{sql}");
            }
        }
    }

    #[test]
    fn what_only_looks_like_it_passes() {
        for sql in [
            "",
            "-- COMMIT;\n/* COMMIT; */ SELECT 'a; COMMIT;', \"COMMIT\"",
            "\"COMMIT\"; 'COMMIT'; (COMMIT)",
            "CREATE TABLE t (\"end\" BIGINT, commit BIGINT); SELECT CASE WHEN commit = 1 THEN 2 END",
            "DO $$ BEGIN COMMIT; END $$",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END",
            "SAVEPOINT a; ROLLBACK TO a; ROLLBACK TRANSACTION TO SAVEPOINT a; RELEASE a",
            "SET transaction_timeout = 0; SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
            "PREPARE p AS SELECT 1; EXPLAIN COMMIT; COMMITS; BEGINNING",
        ] {
            assert_eq!(refused(sql, true), None, "{sql}");
        }
    }

    #[test]
    fn one_plain_pair_around_the_file_is_left_out() {
        for (begin, end) in [
            ("BEGIN", "COMMIT"),
            ("begin transaction", "commit transaction"),
            ("BEGIN WORK", "END"),
            ("START TRANSACTION", "COMMIT WORK"),
            ("BEGIN IMMEDIATE TRANSACTION", "END TRANSACTION"),
        ] {
            for end in [format!("{end};\n-- done\n"), end.to_owned()] {
                for dialect in Dialect::ALL {
                    let sql = format!("-- by a tool\n{begin};\nSELECT 1;\nSELECT 2;\n{end}");
                    let left: Vec<_> = plan(&sql, dialect, true)
                        .unwrap()
                        .iter()
                        .map(|statement| (statement.text, statement.line))
                        .collect();
                    assert_eq!(left, [("SELECT 1;", 3), ("SELECT 2;", 4)], "{sql}");
                }
            }
        }
        assert_eq!(refused("BEGIN; COMMIT;", true), None);
    }

    #[test]
    fn what_is_not_one_pair_or_not_closed_is_refused_at_its_line() {
        for (sql, expected) in [
            ("BEGIN;\nSELECT 1;", ("BEGIN", 1)),
            ("SELECT 1;\nCOMMIT;", ("COMMIT", 2)),
            ("BEGIN;\nSELECT 1;\nROLLBACK;", ("BEGIN", 1)),
            ("BEGIN;\nA;\nCOMMIT;\nBEGIN;\nB;\nCOMMIT;", ("COMMIT", 3)),
            ("BEGIN;\nBEGIN;\nCOMMIT;\nCOMMIT;", ("BEGIN", 2)),
            ("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nA;\nCOMMIT;", ("BEGIN", 2)),
            ("BEGIN ISOLATION LEVEL SERIALIZABLE;\nA;\nCOMMIT;", ("BEGIN", 1)),
            ("BEGIN;\nA;\nCOMMIT AND CHAIN;", ("BEGIN", 1)),
            ("BEGIN", ("BEGIN", 1)),
            ("SELECT 1;\nSELECT 2\n/* ; COMMIT;", ("/*", 3)),
            ("SELECT 1;\n/*", ("/*", 2)),
        ] {
            assert_eq!(refused(sql, true), Some(expected), "{sql}");
        }
    }

    #[test]
    fn without_a_transaction_only_one_that_is_left_open_is_refused() {
        for (sql, expected) in [
            ("CREATE INDEX CONCURRENTLY i ON a (x);\nBEGIN; A; COMMIT;\nBEGIN; B; ROLLBACK;", None),
            ("COMMIT; ROLLBACK", None),
            ("SELECT 1;\n/* x", Some(("/*", 2))),
            ("BEGIN; A; COMMIT;\nBEGIN;\nB;", Some(("BEGIN", 2))),
            ("BEGIN;\nCOMMIT AND CHAIN;\nB", Some(("COMMIT", 2))),
            ("BEGIN; PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'", None),
        ] {
            assert_eq!(refused(sql, false), expected, "{sql}");
        }
    }
}
