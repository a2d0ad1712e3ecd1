//! The statements of a migration's file, and which of them would end the transaction it runs in.

mod control;
mod lexer;
mod line;
mod plan;
mod statement;

pub(super) use lexer::Dialect;
pub(super) use plan::{ScriptError, plan};
pub(super) use statement::Statement;
