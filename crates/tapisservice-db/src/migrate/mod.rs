//! Migrations: reversible, embedded in the binary, run by the binary itself.
//!
//! A [`Migrator`] holds the migrations that `sqlx::migrate!` embedded. A service offers [`MigrateCommand`] on its command line; its migrations
//! container runs the command `upgrade` (rule D3). Any number of runs may start at once: one works,
//! and the others wait until it is done.

mod apply;
mod command;
mod error;
mod event;
mod file;
mod migrator;
mod new;
mod progress;
mod run;
mod script;
mod session;
mod status;
mod target;

pub use command::{CommandError, MigrateCommand, UpArguments};
pub use error::MigrationError;
pub use event::MigrationEvent;
pub use migrator::Migrator;
pub use new::new_migration;
pub use status::{MigrationEntry, MigrationState, MigrationStatus, NotAtHead};
pub use target::{Downgrade, InvalidTarget, Upgrade};
