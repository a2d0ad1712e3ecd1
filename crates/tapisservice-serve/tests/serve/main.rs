//! The accept loop over real sockets: what clients may hold, how requests travel, how it ends.
//!
//! Limits are tenths of seconds; what is waited for has `PATIENCE`, so that a slow machine is no failure.

#![expect(clippy::unwrap_used, reason = "in a test a failure is a panic, helpers included")]

mod crowds;
mod ends;
mod helpers;
mod limits;
#[cfg(target_os = "linux")]
mod processes;
mod requests;
mod shutdown;
mod unread;
