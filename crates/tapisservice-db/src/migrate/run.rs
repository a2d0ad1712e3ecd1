//! Upgrade and downgrade.

use std::time::Duration;

use tokio::time::Instant;

use super::session::Session;
use super::{Downgrade, MigrationError, MigrationEvent, MigrationState, MigrationStatus, Migrator, Upgrade};
use crate::Database;
use crate::error::{QueryError, driver_message};

/// The time limit for one attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

const RETRY_DELAY: Duration = Duration::from_secs(1);

type OnEvent<'t> = &'t mut (dyn FnMut(MigrationEvent) + Send);

pub(super) async fn upgrade(
    migrator: &Migrator,
    database: &Database,
    to: Upgrade,
    timeout: Duration,
    on_event: OnEvent<'_>,
) -> Result<MigrationStatus, MigrationError> {
    let limit = match to {
        Upgrade::Head => i64::MAX,
        Upgrade::To(version) => {
            migrator.find(version, false).ok_or(MigrationError::NoSuchVersion(version))?.version
        }
    };
    let mut session = connect(database, timeout, on_event).await?;
    session.lock(on_event).await?;
    let mut checked = false;
    let status = loop {
        let status = migrator.status_of(&session.applied().await?);
        migrator.check_applied(&status)?;
        if let Upgrade::To(version) = to
            && status.current().is_some_and(|current| current > version)
        {
            return Err(MigrationError::AlreadyPast(version));
        }
        if !std::mem::replace(&mut checked, true) {
            migrator.check_pending(&status, limit)?;
        }
        let mut pending =
            status.migrations().iter().filter(|m| m.state == MigrationState::Pending && m.version <= limit);
        let Some(next) = pending.next() else { break status };
        step(migrator, &mut session, next.version, false, pending.count(), on_event).await?;
    };
    session.close().await;
    if status.unknown() > 0 {
        on_event(MigrationEvent::Ahead { unknown: status.unknown() });
    }
    Ok(status)
}

pub(super) async fn downgrade(
    migrator: &Migrator,
    database: &Database,
    to: Downgrade,
    timeout: Duration,
    on_event: OnEvent<'_>,
) -> Result<MigrationStatus, MigrationError> {
    let mut session = connect(database, timeout, on_event).await?;
    session.lock(on_event).await?;
    let mut floor = None;
    let status = loop {
        let status = migrator.status_of(&session.applied().await?);
        migrator.check_applied(&status)?;
        let floor = if let Some(floor) = floor {
            floor
        } else {
            let floor = *floor.insert(revert_floor(&status, to)?);
            migrator.check_reverts(&status, floor)?;
            floor
        };
        let mut done = status
            .migrations()
            .iter()
            .rev()
            .filter(|m| m.state != MigrationState::Pending && m.version > floor);
        let Some(next) = done.next() else { break status };
        step(migrator, &mut session, next.version, true, done.count(), on_event).await?;
    };
    session.close().await;
    Ok(status)
}

/// Waits until the database is reachable.
async fn connect(
    database: &Database,
    timeout: Duration,
    on_event: OnEvent<'_>,
) -> Result<Session, MigrationError> {
    let started = Instant::now();
    loop {
        let attempt = tokio::time::timeout(CONNECT_TIMEOUT, Session::open(database)).await;
        let reason = match attempt {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(error)) if !error.is_unavailable() || is_refused_login(&error) => return Err(error.into()),
            Ok(Err(QueryError::Unavailable { source })) => driver_message(&source),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if started.elapsed() + RETRY_DELAY > timeout {
            return Err(MigrationError::Unreachable { waited: started.elapsed(), reason });
        }
        on_event(MigrationEvent::WaitingForDatabase { reason });
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

/// Whether the login was rejected: a retry with the same password does not help.
fn is_refused_login(error: &QueryError) -> bool {
    let QueryError::Unavailable { source } = error else { return false };
    let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code.starts_with("28"))
}

async fn step(
    migrator: &Migrator,
    session: &mut Session,
    version: i64,
    down: bool,
    remaining: usize,
    on_event: OnEvent<'_>,
) -> Result<(), MigrationError> {
    let migration = migrator.get(version, down)?;
    on_event(MigrationEvent::Started {
        version,
        description: migration.description.to_string(),
        down,
        remaining,
    });
    let elapsed = session.run(migration).await?;
    on_event(MigrationEvent::Finished { version, elapsed });
    Ok(())
}

/// The version above which everything is reverted.
fn revert_floor(status: &MigrationStatus, to: Downgrade) -> Result<i64, MigrationError> {
    let mut done =
        status.migrations().iter().rev().filter(|m| m.state != MigrationState::Pending).map(|m| m.version);
    match to {
        Downgrade::Base => Ok(0),
        Downgrade::To(version) if done.any(|done| done == version) => Ok(version),
        Downgrade::To(version) if status.migrations().iter().any(|m| m.version == version) => {
            Err(MigrationError::NotReached(version))
        }
        Downgrade::To(version) => Err(MigrationError::NoSuchVersion(version)),
        Downgrade::Steps(steps) => Ok(done.nth(steps as usize).unwrap_or(0)),
    }
}
