#![doc = include_str!("../README.md")]

mod acceptor;
mod activity;
mod body;
mod connection;
mod discard;
mod error;
mod lazy_instant;
mod limits;
mod pace;
mod response_limit;
mod response_timeout;
mod server;
mod service;
mod shutdown;
mod signals;
mod stats;
mod stream;
mod wake_flag;

pub use body::{BodyTimeout, is_body_timeout};
pub use error::ServeError;
pub use limits::{Limits, uri_too_long};
pub use response_limit::ResponseLimit;
pub use response_timeout::{ResponseTimeout, ResponseTimeoutLayer};
pub use server::{Server, Stopped};
pub use shutdown::Shutdown;
pub use stats::{CloseReason, ServerStats};
