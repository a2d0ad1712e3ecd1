//! The subcommands of a service for its migrations.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};

use super::progress::Progress;
use super::{Downgrade, MigrationError, MigrationState, MigrationStatus, Migrator, Upgrade, new_migration};
use crate::Database;

/// `up`, `down`, `status` and `new`: the subcommands of `migrate`.
///
/// Results go to standard output, progress and errors to standard error. A run that does not reach its target is
/// an error. Only commands that need the database connect to it.
///
/// ```
/// use clap::{Parser, Subcommand};
/// use tapisservice_db::migrate::MigrateCommand;
///
/// #[derive(Parser)]
/// struct Cli {
///     #[command(subcommand)]
///     command: Command,
/// }
///
/// #[derive(Subcommand)]
/// enum Command {
///     /// Serve until a signal ends it
///     Serve,
///     /// Apply, revert, list or create migrations
///     #[command(subcommand)]
///     Migrate(MigrateCommand),
/// }
///
/// let cli = Cli::parse_from(["bookmarks", "migrate", "up"]);
/// assert!(matches!(cli.command, Command::Migrate(MigrateCommand::Up { .. })));
/// ```
#[derive(Debug, Clone, Subcommand)]
#[non_exhaustive]
pub enum MigrateCommand {
    /// Apply pending migrations, up to the newest or to a version; waits for the database
    Up(UpArguments),
    /// Revert the last migration, or all after a version; data that only they hold is lost
    Down {
        /// `-1` or another number of steps, the version of a migration, or `base` for all
        #[arg(default_value = "-1", allow_hyphen_values = true)]
        to: Downgrade,
        /// How many seconds to wait for the database
        #[arg(long, default_value_t = 300)]
        wait: u64,
    },
    /// List the migrations of this build and of the database, with their state
    Status {
        /// Fail unless the database is at head
        #[arg(long)]
        check: bool,
    },
    /// Create the up and down files of a new migration
    New {
        /// What it does, in a few words
        #[arg(required = true)]
        name: Vec<String>,
        /// The folder with the migrations
        #[arg(long, default_value = "migrations")]
        folder: PathBuf,
    },
}

/// The arguments of `migrate up`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct UpArguments {
    /// `head`, or the version of a migration
    #[arg(default_value = "head")]
    pub to: Upgrade,
    /// How many seconds to wait for the database
    #[arg(long, default_value_t = 300)]
    pub wait: u64,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError<E> {
    /// The settings of the database are missing or invalid.
    #[error(transparent)]
    Connect(E),
    /// A migration failed or was rejected.
    #[error(transparent)]
    Migration(#[from] MigrationError),
}

impl MigrateCommand {
    /// Runs the command.
    ///
    /// # Errors
    ///
    /// The error of `connect`; when a migration fails; when the database is not at its target at the end.
    pub async fn run<E>(
        self,
        migrator: &Migrator,
        connect: impl FnOnce() -> Result<Database, E>,
    ) -> Result<(), CommandError<E>> {
        let connect = || connect().map_err(CommandError::Connect);
        let text = match self {
            Self::Up(UpArguments { to, wait }) => upgrade(migrator, &connect()?, to, wait).await?,
            Self::Down { to, wait } => downgrade(migrator, &connect()?, to, wait).await?,
            Self::Status { check } => status(migrator, &connect()?, check).await?,
            Self::New { name, folder } => new(&folder, &name.join(" "))?,
        };
        // The reader may have closed the pipe, as `head` does.
        let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
        Ok(())
    }
}

async fn upgrade(
    migrator: &Migrator,
    database: &Database,
    to: Upgrade,
    wait: u64,
) -> Result<String, MigrationError> {
    let mut progress = Progress::new();
    let on_event = &mut |event| progress.show(&event);
    let status = migrator.upgrade(database, to, Duration::from_secs(wait), on_event).await?;
    if to == Upgrade::Head {
        // Check again on another connection, as a service does: the changes are visible to others.
        let status = migrator.status(database).await?;
        status.at_head().map_err(MigrationError::NotAtHead)?;
    }
    Ok(position(migrator, status.current()))
}

async fn downgrade(
    migrator: &Migrator,
    database: &Database,
    to: Downgrade,
    wait: u64,
) -> Result<String, MigrationError> {
    let mut progress = Progress::new();
    let on_event = &mut |event| progress.show(&event);
    let status = migrator.downgrade(database, to, Duration::from_secs(wait), on_event).await?;
    Ok(position(migrator, status.current()))
}

async fn status(migrator: &Migrator, database: &Database, check: bool) -> Result<String, MigrationError> {
    let status = migrator.status(database).await?;
    let text = list(&status);
    if check {
        // Report a file that cannot run, which is why `up` would fail.
        migrator.check_pending(&status, i64::MAX)?;
        status.at_head().map_err(MigrationError::NotAtHead)?;
    }
    Ok(text + &position(migrator, status.current()))
}

fn list(status: &MigrationStatus) -> String {
    let mut text = String::new();
    for migration in status.migrations() {
        let state = match migration.state {
            MigrationState::Applied => "applied",
            MigrationState::Pending => "pending",
            MigrationState::Changed => "applied (checksum differs)",
            MigrationState::LineEndingsChanged { .. } => "applied (line endings differ)",
            MigrationState::Unfinished => "unfinished",
            MigrationState::Unknown => "applied (unknown)",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{} {:<40} {state}", migration.version, migration.description);
    }
    text
}

fn new(folder: &Path, name: &str) -> Result<String, MigrationError> {
    let [up, down] = new_migration(folder, name)?;
    Ok(format!("{}\n{}", up.display(), down.display()))
}

fn position(migrator: &Migrator, current: Option<i64>) -> String {
    match current {
        Some(current) if migrator.head() == Some(current) => format!("{current} (head)"),
        Some(current) => current.to_string(),
        None => "base".to_owned(),
    }
}
