//! Splits a text into statements.

use super::lexer::{Dialect, Kind, Lexer, Token};
use super::line::line_breaks;

/// How many leading words identify a statement: `CREATE OR REPLACE CONSTRAINT TRIGGER`.
const MAX_HEAD: usize = 5;

/// One statement.
#[derive(Debug, Clone)]
pub(in crate::migrate) struct Statement<'s> {
    /// From its first token to its semicolon.
    pub(in crate::migrate) text: &'s str,
    /// The line on which it starts, from 1.
    pub(in crate::migrate) line: usize,
    /// Its leading words, at most [`MAX_HEAD`].
    pub(super) head: Vec<&'s str>,
    /// Whether it consists of those words only.
    pub(super) is_all_head: bool,
    /// The line of an unclosed comment in it.
    pub(super) open_comment: Option<usize>,
}

impl Statement<'_> {
    /// The line of a character of the statement. Characters are counted from 1, as in PostgreSQL.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only PostgreSQL tells the position"))]
    pub(in crate::migrate) fn line_at(&self, position: usize) -> usize {
        let before = self.text.char_indices().nth(position.saturating_sub(1));
        self.line + line_breaks(&self.text[..before.map_or(self.text.len(), |(at, _)| at)])
    }
}

/// The statements of a text, in order. Only white space, comments and stray semicolons are between them.
pub(super) fn statements(sql: &str, dialect: Dialect) -> Vec<Statement<'_>> {
    let mut found: Vec<Statement<'_>> = Vec::new();
    let (mut line, mut counted) = (1, 0);
    let mut current = Current::default();
    let mut tokens = Lexer::new(sql, dialect).peekable();
    while let Some(token) = tokens.next() {
        let ends = current.take(token) || tokens.peek().is_none();
        if !ends {
            continue;
        }
        let complete = std::mem::take(&mut current);
        let Some(start) = complete.start else { continue };
        line += line_breaks(&sql[counted..start]);
        counted = start;
        let text = &sql[start..token.end()];
        let is_all_head = complete.others == 0;
        let is_open = token.kind == Kind::OpenComment;
        let open_comment = is_open.then(|| line + line_breaks(&sql[start..token.start]));
        found.push(Statement { text, line, head: complete.head, is_all_head, open_comment });
    }
    found
}

/// The state while looking for the end of a statement.
#[derive(Default)]
struct Current<'s> {
    start: Option<usize>,
    head: Vec<&'s str>,
    /// The number of tokens that are not in `head`, without the semicolon.
    others: usize,
    /// The number of open parentheses: `CREATE RULE .. DO (..; ..)`.
    depth: usize,
    body: Body,
    /// The last two tokens.
    last: [Option<Token<'s>>; 2],
}

/// The part of a statement that contains statements.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Body {
    #[default]
    None,
    /// `BEGIN ATOMIC .. END` of a PostgreSQL function: how many `END` are still expected, those of `CASE` included.
    Routine(usize),
    /// `BEGIN ..; END` of an SQLite trigger.
    Trigger,
    /// A PostgreSQL trigger has no body: `EXECUTE FUNCTION f()`.
    Call,
}

impl<'s> Current<'s> {
    /// Takes the next token, and returns whether the statement ends with it.
    fn take(&mut self, token: Token<'s>) -> bool {
        if token.kind == Kind::Semicolon && self.ends() {
            return true;
        }
        self.start.get_or_insert(token.start);
        match token.kind {
            Kind::Open => self.depth += 1,
            Kind::Close => self.depth = self.depth.saturating_sub(1),
            Kind::Word if self.depth == 0 => self.track_nesting(token),
            _ => {}
        }
        if token.kind == Kind::Word && self.others == 0 && self.head.len() < MAX_HEAD {
            self.head.push(token.text);
        } else {
            self.others += 1;
        }
        self.last = [self.last[1], Some(token)];
        false
    }

    /// Whether a semicolon here ends the statement.
    fn ends(&self) -> bool {
        match self.body {
            _ if self.depth > 0 => false,
            Body::None | Body::Call | Body::Routine(0) => true,
            Body::Routine(_) => false,
            // As in SQLite's `sqlite3_complete`: `; END ;`.
            Body::Trigger => {
                matches!(self.last, [Some(before), Some(end)] if before.kind == Kind::Semicolon && end.is_word("end"))
            }
        }
    }

    fn track_nesting(&mut self, token: Token<'s>) {
        let after = |word| self.last[1].is_some_and(|last| last.is_word(word));
        let is_routine = || self.creates(&["function", "procedure"]);
        let is_trigger = || self.creates(&["trigger"]);
        let calls = || after("execute") && (token.is_word("function") || token.is_word("procedure"));
        self.body = match self.body {
            Body::None if token.is_word("atomic") && after("begin") && is_routine() => Body::Routine(1),
            Body::Routine(blocks @ 1..) if token.is_word("case") => Body::Routine(blocks + 1),
            Body::Routine(blocks @ 1..) if token.is_word("end") => Body::Routine(blocks - 1),
            Body::None if token.is_word("begin") && is_trigger() => Body::Trigger,
            // In PostgreSQL a column or table may be named `begin`.
            Body::None | Body::Trigger if calls() && is_trigger() => Body::Call,
            body => body,
        };
    }

    /// Whether it is `CREATE` of one of these, with or without `OR REPLACE` and the like.
    fn creates(&self, what: &[&str]) -> bool {
        const MODIFIERS: [&str; 5] = ["or", "replace", "constraint", "temp", "temporary"];
        let is_any = |word: &str, of: &[&str]| of.iter().any(|one| word.eq_ignore_ascii_case(one));
        let Some((first, rest)) = self.head.split_first() else { return false };
        let kind = rest.iter().find(|word| !is_any(word, &MODIFIERS));
        first.eq_ignore_ascii_case("create") && kind.is_some_and(|kind| is_any(kind, what))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(sql: &str, dialect: Dialect) -> Vec<&str> {
        statements(sql, dialect).iter().map(|statement| statement.text).collect()
    }

    /// Both engines read these alike.
    #[test]
    fn a_text_is_cut_where_its_statements_end() {
        let cases: &[&[&str]] = &[
            &[],
            &["SELECT 1;", "SELECT 2"],
            &["SELECT ';' || 'it''s; COMMIT; ''';", "SELECT \"a;\"\"b\";", "é"],
            &["SELECT 1 -- ; COMMIT;\n + /* ; ' $$ */ 2;", "SELECT 3"],
            &["DO $$ BEGIN x; IF a THEN b; END IF; END $$;", "COMMIT"],
            &["DO $é1$ BEGIN $$;$$; $é$ END $é1$;", "COMMIT"],
            &["SELECT a$b$c;", "SELECT $1, '$$';", "SELECT 1$$;$$"],
            &["CREATE RULE r AS ON INSERT TO a DO (DELETE FROM b; DELETE FROM c);", "END"],
            &[
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN a THEN 1 END; END;",
                "END",
            ],
            &[
                "create or replace procedure p() begin /**/ atomic select (case when a then 1 end); end;",
                "END;",
            ],
            &["CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT 2';", "COMMIT;"],
            &[
                "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT CASE WHEN x THEN 1 END; DELETE FROM b; END;",
                "END;",
            ],
            &[
                "create temp trigger if not exists t after insert on a begin delete from b;\n-- x\nend\n;",
                "COMMIT",
            ],
            &["CREATE TRIGGER t BEFORE UPDATE OF begin ON a EXECUTE FUNCTION f();", "COMMIT;", "SELECT 1; "],
            &["CREATE OR REPLACE TRIGGER t BEFORE INSERT ON a EXECUTE PROCEDURE f();", "COMMIT;"],
            &["CREATE TABLE begin (trigger BIGINT);", "COMMIT;"],
            &["SELECT 'open; COMMIT;"],
            &["SELECT /* open; COMMIT;"],
            &["SELECT $a$ open; COMMIT; $$;"],
        ];
        for statements in cases {
            for (gap, dialect) in [" ", "\n-- ';\n", ";;\u{c}/* ' */ ;"]
                .into_iter()
                .flat_map(|gap| Dialect::ALL.map(|dialect| (gap, dialect)))
            {
                let sql = format!("\u{feff}{gap}{}", statements.join(gap));
                let expected: Vec<&str> = statements.iter().map(|text| text.trim_end()).collect();
                let found: Vec<&str> = split(&sql, dialect);
                let found: Vec<&str> = found.iter().map(|text| text.trim_end()).collect();
                assert_eq!(found, expected, "{dialect:?} {sql:?}");
            }
        }
    }

    #[test]
    fn each_engine_has_rules_of_its_own() {
        use Dialect::{Postgres, Sqlite};
        let cases: &[(Dialect, &[&str])] = &[
            (Postgres, &["A /* /* ; */ ; */;", "B"]),
            (Sqlite, &["A /* /* ; */;", "*/ B"]),
            (Postgres, &["SELECT E'it\\'s; \\\\';", "SELECT '\\';", "B"]),
            (Postgres, &["SELECT e'a'\n  'it\\'s;';", "SELECT xe'\\';", "B"]),
            (Sqlite, &["SELECT * FROM a E'\\';", "B"]),
            (Sqlite, &["SELECT [a;'], `b;``'`;", "B"]),
            (Postgres, &["SELECT ARRAY['a', 'b]'];", "SELECT a[1];", "B"]),
            (Postgres, &["A -- ; \r;", "B"]),
            (Sqlite, &["A -- ; \r; \n;", "B"]),
        ];
        for (dialect, expected) in cases {
            let sql = expected.join("");
            assert_eq!(split(&sql, *dialect), *expected, "{dialect:?}");
        }
    }

    #[test]
    fn statements_and_what_is_in_them_have_lines() {
        let sql = "-- first\r\n\r\nSELECT 'a\nb',\r\n  nowhere; SELECT 2;\n\nSELECT 3";
        let found = statements(sql, Dialect::Postgres);
        assert_eq!(found.iter().map(|statement| statement.line).collect::<Vec<_>>(), [3, 5, 7]);
        let nowhere = found[0].text.find("nowhere").unwrap();
        for (position, line) in [(0, 3), (1, 3), (9, 3), (11, 4), (nowhere + 1, 5), (usize::MAX, 5)] {
            assert_eq!(found[0].line_at(position), line, "{position}");
        }
        // Characters are counted, not bytes.
        let found = statements("SELECT 'äöü',\nx", Dialect::Postgres);
        assert_eq!((found[0].line_at(13), found[0].line_at(15)), (1, 2));
    }

    /// Any text, most of all what means something here.
    fn any_sql() -> impl Strategy<Value = String> {
        const PIECES: &[&str] = &[
            "'",
            "\"",
            "`",
            "[",
            "]",
            "$",
            "$$",
            "$a$",
            "--",
            "/*",
            "*/",
            ";",
            "(",
            ")",
            "\n",
            "\r",
            "\\",
            " ",
            "E'",
            "é",
            "\u{feff}",
            "CREATE ",
            "TRIGGER ",
            "FUNCTION ",
            "BEGIN ",
            "ATOMIC ",
            "CASE ",
            "END ",
            "EXECUTE ",
            "COMMIT",
            "1",
        ];
        let piece = prop_oneof![4 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_of_a_text_is_lost_but_blanks_and_comments(sql in any_sql()) {
            for dialect in Dialect::ALL {
                let mut at = 0;
                for statement in statements(&sql, dialect) {
                    let start = statement.text.as_ptr() as usize - sql.as_ptr() as usize;
                    prop_assert!(start >= at && !statement.text.is_empty());
                    prop_assert_eq!(&sql[start..start + statement.text.len()], statement.text);
                    prop_assert_eq!(statement.line, 1 + line_breaks(&sql[..start]));
                    prop_assert!(is_separator(&sql[at..start], dialect), "{:?} is lost", &sql[at..start]);
                    at = start + statement.text.len();
                }
                prop_assert!(is_separator(&sql[at..], dialect), "{:?} is lost", &sql[at..]);
            }
        }

        /// What runs is what was read: a statement sent by itself is read as the same single statement.
        #[test]
        fn a_statement_by_itself_is_the_same(sql in any_sql()) {
            for dialect in Dialect::ALL {
                for statement in statements(&sql, dialect) {
                    prop_assert_eq!(split(statement.text, dialect), [statement.text]);
                }
            }
        }
    }

    fn is_separator(text: &str, dialect: Dialect) -> bool {
        Lexer::new(text, dialect).all(|token| token.kind == Kind::Semicolon)
    }
}
