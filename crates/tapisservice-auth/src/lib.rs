#![doc = include_str!("../README.md")]

mod admit;
mod authenticator;
mod cache;
mod decide;
mod error;
mod headers;
mod layer;
mod policy;
mod response_future;
mod settings;
mod time;
mod verify;

pub use authenticator::Authenticator;
pub use cache::TokenCache;
pub use decide::{Outcome, decide};
pub use error::{AuthError, TokenError};
pub use headers::{IdentityHeaders, RawToken, TokenHeader};
pub use layer::{AuthLayer, AuthService};
pub use policy::{Authn, Callbacks, Policy, PolicyLayer, PolicyRequest, PolicyService, PublicPolicy};
pub use response_future::ResponseFuture;
pub use settings::{AuthSettings, Environment};
pub use tapisservice_tenants::BoxFuture;
pub use time::UnixTime;
pub use verify::{ClaimError, DateClaim, Jws, JwsError, TokenVerifier, VerifiedToken, Verifier};
