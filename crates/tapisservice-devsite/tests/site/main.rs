//! The site as its clients see it: real HTTP over loopback.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails the test")]

mod addresses;
mod faults;
mod half_close;
mod helpers;
mod keys;
mod minter;
mod oauth2;
mod router;
mod security;
mod systems;
mod tenants;
mod tokens;
mod unread;
