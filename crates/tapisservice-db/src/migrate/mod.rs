//! Migrations: reversible, embedded in the binary, run by the binary itself.
//!
//! A [`Migrator`] holds what `sqlx::migrate!` embedded. A service offers [`MigrateCommand`] on its command line; its container
//! of migrations is started with the argument `upgrade` (rule D3). Any number of runners may be started at once: one works,
//! the others wait and find it done.

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

pub use command::{CommandError, MigrateCommand};
pub use error::MigrationError;
pub use event::MigrationEvent;
pub use migrator::Migrator;
pub use new::new_migration;
pub use status::{MigrationEntry, MigrationState, MigrationStatus, NotAtHead};
pub use target::{Downgrade, InvalidTarget, Upgrade};
