//! Splits the file of a migration into statements, and finds those that would end its transaction.

mod control;
mod lexer;
mod line;
mod plan;
mod statement;

pub(super) use lexer::Dialect;
pub(super) use plan::{ScriptError, plan};
pub(super) use statement::Statement;
