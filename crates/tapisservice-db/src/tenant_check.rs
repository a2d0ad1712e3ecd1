//! Checks the text of a statement for its tenant. It catches what was forgotten, not deliberate evasion.
//!
//! It runs before every statement of a scope, in every build. It takes a microsecond where the statement takes a
//! hundred, and turns access to another tenant's rows into an error.

use crate::error::UnscopedStatement;

/// A column that a statement must compare with the value bound by the scope, or insert that value into.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequiredColumn {
    pub(crate) column: &'static str,
    pub(crate) marker: &'static str,
}

/// # Errors
///
/// Names the first column that the statement neither compares with its marker nor inserts it into.
pub(crate) fn check(sql: &str, required: &'static [RequiredColumn]) -> Result<(), UnscopedStatement> {
    if required.is_empty() {
        return Ok(());
    }
    let tokens = tokens(sql);
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    for rule in required {
        if !compares(&tokens, rule) && !inserts(&tokens, rule) {
            let (column, marker) = (rule.column, rule.marker);
            return Err(UnscopedStatement { column, marker, statement: sql.chars().take(120).collect() });
        }
    }
    Ok(())
}

/// Whether the statement contains `column = marker` as a condition that no `OR` next to it weakens.
fn compares(tokens: &[&str], rule: &RequiredColumn) -> bool {
    tokens.windows(3).enumerate().any(|(at, window)| {
        let [left, "=", right] = window else { return false };
        let pair = (is_column(left, rule.column) && *right == rule.marker)
            || (*left == rule.marker && is_column(right, rule.column));
        pair && !has_or(tokens[..at].iter().rev(), "(", ")") && !has_or(tokens[at + 3..].iter(), ")", "(")
    })
}

/// Whether an `OR` follows before the end of the enclosing parentheses or clause.
fn has_or<'t>(tokens: impl Iterator<Item = &'t &'t str>, closes: &str, opens: &str) -> bool {
    let mut depth = 0_usize;
    for token in tokens {
        match *token {
            token if token == opens => depth += 1,
            token if token == closes && depth == 0 => return false,
            token if token == closes => depth -= 1,
            "or" if depth == 0 => return true,
            // In `SET tenant_id = $1` and in a select list it is not a condition, but `OR` cannot weaken it either.
            "where" | "on" | "having" | "select" | "set" | "order" | "group" | "limit" | "returning"
                if depth == 0 =>
            {
                return false;
            }
            _ => {}
        }
    }
    false
}

/// Whether it is `INSERT INTO t (.., column, ..) VALUES (.., marker, ..)` and cannot overwrite a row of another tenant.
fn inserts(tokens: &[&str], rule: &RequiredColumn) -> bool {
    if tokens.first() != Some(&"insert") {
        return false;
    }
    let Some(columns) = list(tokens, 0) else { return false };
    let Some(at) = columns.items.iter().position(|item| matches!(item[..], [name] if name == rule.column))
    else {
        return false;
    };
    let Some(values) = tokens.iter().position(|token| *token == "values") else { return false };
    let mut rows = values;
    while let Some(row) = list(tokens, rows) {
        if row.items.get(at).is_none_or(|item| item[..] != [rule.marker]) {
            return false;
        }
        rows = row.end;
        if tokens.get(rows) != Some(&",") {
            break;
        }
    }
    if rows == values {
        return false;
    }
    // A conflict on a key without the tenant may hit another tenant's row; `compares` accepts an upsert with a condition.
    let rest = &tokens[rows..];
    let updates = rest.windows(2).any(|pair| pair == ["do", "update"]);
    let keyed = list(rest, 0).is_some_and(|key| key.items.iter().any(|item| item[..] == [rule.column]));
    !updates || keyed
}

struct List<'t> {
    items: Vec<Vec<&'t str>>,
    /// The index of the first token after the list.
    end: usize,
}

/// The next list in parentheses, split at its commas.
fn list<'t>(tokens: &[&'t str], from: usize) -> Option<List<'t>> {
    let start = from + tokens.get(from..)?.iter().position(|token| *token == "(")?;
    let mut items = vec![Vec::new()];
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(start + 1) {
        match *token {
            ")" if depth == 0 => return Some(List { items, end: index + 1 }),
            "," if depth == 0 => {
                items.push(Vec::new());
                continue;
            }
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        items.last_mut()?.push(*token);
    }
    None
}

fn is_column(token: &str, column: &str) -> bool {
    token == column || token.strip_suffix(column).is_some_and(|qualifier| qualifier.ends_with('.'))
}

/// Words in lower case and single characters, without comments, with quoted text as `''`.
fn tokens(sql: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // Quotes around a name do not matter.
            '"' => continue,
            c if c.is_alphanumeric() || matches!(c, '_' | '.' | '$') => {
                word.extend(c.to_lowercase());
                continue;
            }
            _ => {}
        }
        if !word.is_empty() {
            tokens.push(std::mem::take(&mut word));
        }
        match (c, chars.peek()) {
            ('-', Some('-')) => while chars.next().is_some_and(|c| c != '\n') {},
            ('/', Some('*')) => {
                let mut last = ' ';
                while let Some(c) = chars.next()
                    && (last, c) != ('*', '/')
                {
                    last = c;
                }
            }
            ('\'', _) => {
                while chars.next().is_some_and(|c| c != '\'') {}
                tokens.push("''".to_owned());
            }
            (c, _) if c.is_whitespace() => {}
            (c, _) => tokens.push(c.to_string()),
        }
    }
    if !word.is_empty() {
        tokens.push(word);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &[RequiredColumn] = &[RequiredColumn { column: "tenant_id", marker: "$1" }];
    const OWNER: &[RequiredColumn] = &[
        RequiredColumn { column: "tenant_id", marker: "$1" },
        RequiredColumn { column: "owner", marker: "$2" },
    ];

    #[test]
    fn statements_that_keep_to_their_tenant_pass() {
        for sql in [
            "SELECT * FROM b WHERE tenant_id = $1",
            "select * from b where TENANT_ID=$1 and name = $10",
            "SELECT * FROM b JOIN t ON t.id = b.id WHERE $1 = \"b\".\"tenant_id\" AND (x = $3 OR y = $4)",
            "SELECT * FROM b WHERE a IN (SELECT a FROM c WHERE x = 1 OR y = 2) AND b.tenant_id = $1 ORDER BY a",
            "UPDATE b SET name = $3 WHERE tenant_id = $1 RETURNING name",
            "DELETE FROM t WHERE id IN (SELECT id FROM b WHERE id = $3 AND tenant_id = $1)",
            "INSERT INTO b (id, tenant_id) VALUES ($3, $1)",
            "INSERT INTO b (id, tenant_id) VALUES ($3, $1), (lower(f($4, 5)), $1) RETURNING id",
            "INSERT INTO b (tenant_id, id) VALUES ($1, $2) ON CONFLICT (tenant_id, id) DO UPDATE SET n = 1",
            "INSERT INTO b (tenant_id, id) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = 1 WHERE b.tenant_id = $1",
            "INSERT INTO b (tenant_id, id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            "INSERT INTO t (id, tag) SELECT id, $3 FROM b WHERE id = $4 AND tenant_id = $1",
        ] {
            assert_eq!(check(sql, TENANT).map_err(|error| error.to_string()), Ok(()), "{sql}");
        }
    }

    #[test]
    fn statements_that_forget_their_tenant_are_named() {
        for sql in [
            "SELECT * FROM b",
            "SELECT * FROM b WHERE tenant_id = $10",
            "SELECT * FROM b WHERE tenant_id = $2 AND owner = $1",
            "SELECT * FROM b WHERE not_tenant_id = $1",
            "SELECT * FROM b -- WHERE tenant_id = $1",
            "SELECT * FROM b /* WHERE tenant_id = $1 */",
            "SELECT 'WHERE tenant_id = $1' FROM b",
            "SELECT * FROM b WHERE tenant_id = $1 OR public",
            "SELECT * FROM b WHERE public OR (a AND b) AND tenant_id = $1",
            "INSERT INTO b (id, tenant_id) VALUES ($1, $2)",
            "INSERT INTO b (id, tenant_id) VALUES ($3, $1), ($1, $3)",
            "INSERT INTO b (tenant_id, id) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET n = 1",
            "INSERT INTO b VALUES ($1, $2)",
            "INSERT INTO b (tenant_id",
            "",
        ] {
            let error = check(sql, TENANT).expect_err(sql).to_string();
            assert!(error.contains("tenant_id = $1"), "{sql}: {error}");
        }
    }

    #[test]
    fn a_scope_of_an_owner_needs_both() {
        check("SELECT * FROM b WHERE tenant_id = $1 AND owner = $2", OWNER).unwrap();
        check("INSERT INTO b (id, tenant_id, owner) VALUES ($3, $1, $2)", OWNER).unwrap();
        let error = check("SELECT * FROM b WHERE tenant_id = $1", OWNER).unwrap_err();
        assert!(error.to_string().contains("owner = $2"), "{error}");
    }
}
