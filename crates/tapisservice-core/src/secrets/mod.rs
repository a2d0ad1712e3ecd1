//! What is a secret, by the name it goes by and by its shape: the one list for the printed configuration (C8)
//! and for log lines (F24).
//!
//! ```
//! use tapisservice_core::secrets::{Naming, mask, naming};
//!
//! assert_eq!(naming("PGPASSWORD"), Naming::Secret);
//! assert_eq!(naming("service_token_ttl_seconds"), Naming::Mention);
//! assert_eq!(naming("compass"), Naming::Open);
//! assert_eq!(mask("GET /data?access_token=abc"), "GET /data?access_token=***");
//! ```

mod names;
mod shapes;
mod text;

pub use names::{Naming, is_always_secret, is_private_jwk_member, naming};
pub use text::{looks_secret, mask};

/// What stands in place of a secret.
pub const MASK: &str = "***";
