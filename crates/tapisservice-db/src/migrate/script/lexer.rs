//! A lexer for the SQL of both engines, after PostgreSQL's manual, "Lexical Structure", and SQLite's `tokenize.c`.
//!
//! The SQL parser of a library would reject what it does not know, but a migration may contain anything that its
//! engine accepts.

/// The engine whose rules apply where they differ: nested comments, line breaks, `E'\''`, `` `a` `` and `[a]`.
///
/// Dollar quotes are recognized for SQLite too. There `$a$` is a variable, which migrations do not use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::migrate) enum Dialect {
    Postgres,
    Sqlite,
}

impl Dialect {
    pub(in crate::migrate) const ALL: [Self; 2] = [Self::Postgres, Self::Sqlite];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A keyword or a name without quotes.
    Word,
    Semicolon,
    Open,
    Close,
    /// `/*` without its `*/`.
    OpenComment,
    /// A quoted name or text, a number, an operator.
    Other,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind,
    pub(super) text: &'s str,
    /// Its offset in the text, in bytes.
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The tokens of a text, without white space and closed comments. An unclosed token extends to the end of the text.
pub(super) struct Lexer<'s> {
    sql: &'s str,
    at: usize,
    dialect: Dialect,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(sql: &'s str, dialect: Dialect) -> Self {
        Self { sql, at: 0, dialect }
    }

    /// The rest of the text. The lexer always stops at a character boundary: it skips ASCII bytes, or complete runs of
    /// non-ASCII bytes.
    fn rest(&self) -> &'s [u8] {
        &self.sql.as_bytes()[self.at..]
    }

    fn skip_while(&mut self, matches: impl Fn(u8) -> bool) {
        self.at += self.rest().iter().take_while(|byte| matches(**byte)).count();
    }

    /// Skips past the next `end`, or to the end of the text. Returns whether there is one.
    fn skip_past(&mut self, end: &[u8]) -> bool {
        let found = self.rest().windows(end.len()).position(|window| window == end);
        self.at = found.map_or(self.sql.len(), |found| self.at + found + end.len());
        found.is_some()
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            let before = self.at;
            self.skip_while(is_blank);
            // Windows editors write it at the start of a file. SQLite treats it as white space wherever a word may start.
            if self.rest().starts_with(BYTE_ORDER_MARK) {
                self.at += BYTE_ORDER_MARK.len();
            }
            if self.rest().starts_with(b"--") {
                let postgres = self.dialect == Dialect::Postgres;
                self.skip_while(|byte| byte != b'\n' && !(postgres && byte == b'\r'));
            } else if self.rest().starts_with(b"/*") {
                let start = self.at;
                if !self.skip_block_comment() {
                    self.at = start;
                    return;
                }
            }
            if self.at == before {
                return;
            }
        }
    }

    /// Returns whether it is closed.
    fn skip_block_comment(&mut self) -> bool {
        self.at += 2;
        if self.dialect == Dialect::Sqlite {
            return self.skip_past(b"*/");
        }
        let mut depth = 1_usize;
        while depth > 0 && self.at < self.sql.len() {
            if self.rest().starts_with(b"/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with(b"*/") {
                depth -= 1;
                self.at += 2;
            } else {
                self.at += 1;
                self.skip_while(|byte| !byte.is_ascii());
            }
        }
        depth == 0
    }

    /// A quoted text, from its opening quote; a doubled quote is an escaped one.
    fn skip_quoted(&mut self, quote: u8, escapes: bool) {
        self.at += 1;
        loop {
            self.skip_while(|byte| byte != quote && !(escapes && byte == b'\\'));
            match self.rest() {
                [] => return,
                [b'\\', ..] => {
                    self.at += 1;
                    self.skip_character();
                }
                [first, second, ..] if *first == quote && *second == quote => self.at += 2,
                _ => {
                    self.at += 1;
                    return;
                }
            }
        }
    }

    /// A PostgreSQL string after `E`. A string after a line break continues it, with the same escapes.
    fn skip_escape_string(&mut self) {
        self.skip_quoted(b'\'', true);
        loop {
            let gap = self.rest().iter().take_while(|byte| is_blank(**byte)).count();
            let breaks = self.rest()[..gap].iter().any(|byte| matches!(byte, b'\n' | b'\r'));
            if !breaks || self.rest().get(gap) != Some(&b'\'') {
                return;
            }
            self.at += gap;
            self.skip_quoted(b'\'', true);
        }
    }

    fn skip_character(&mut self) {
        let rest = self.sql.get(self.at..).unwrap_or_default();
        self.at += rest.chars().next().map_or(0, char::len_utf8);
    }

    /// `$$ .. $$` or `$tag$ .. $tag$`, from its first `$`; or a single `$`, as in `$1`.
    fn skip_dollar(&mut self) {
        let tag = self.rest()[1..].iter().take_while(|byte| is_name(**byte) && **byte != b'$').count();
        let mark = self.rest().get(..tag + 2).filter(|mark| mark.ends_with(b"$"));
        match mark {
            Some(mark) if tag == 0 || !mark[1].is_ascii_digit() => {
                self.at += mark.len();
                self.skip_past(mark);
            }
            _ => self.at += 1,
        }
    }

    /// A word, or a string with the prefix `E`.
    fn skip_word(&mut self) -> Kind {
        let start = self.at;
        self.skip_while(is_name);
        let escapes = self.dialect == Dialect::Postgres && self.rest().starts_with(b"'");
        if escapes && self.sql[start..self.at].eq_ignore_ascii_case("e") {
            self.skip_escape_string();
            return Kind::Other;
        }
        Kind::Word
    }
}

impl<'s> Iterator for Lexer<'s> {
    type Item = Token<'s>;

    fn next(&mut self) -> Option<Token<'s>> {
        self.skip_blanks_and_comments();
        let start = self.at;
        let sqlite = self.dialect == Dialect::Sqlite;
        let mut kind = Kind::Other;
        match *self.rest().first()? {
            quote @ (b'\'' | b'"') => self.skip_quoted(quote, false),
            b'`' if sqlite => self.skip_quoted(b'`', false),
            b'[' if sqlite => drop(self.skip_past(b"]")),
            b'$' => self.skip_dollar(),
            b'/' if self.rest().starts_with(b"/*") => {
                self.at = self.sql.len();
                kind = Kind::OpenComment;
            }
            byte if byte.is_ascii_digit() => self.skip_while(|byte| is_name(byte) && byte != b'$'),
            byte if is_name(byte) => kind = self.skip_word(),
            byte => {
                self.at += 1;
                kind = match byte {
                    b';' => Kind::Semicolon,
                    b'(' => Kind::Open,
                    b')' => Kind::Close,
                    _ => Kind::Other,
                };
            }
        }
        let text = &self.sql[start..self.at];
        Some(Token { kind, text, start })
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'\x0b' | b'\x0c')
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}
