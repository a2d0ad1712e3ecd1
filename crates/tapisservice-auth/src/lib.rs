#![doc = include_str!("../README.md")]

mod authenticator;
mod callback;
mod claims;
mod decide;
mod headers;
mod jws;
mod layer;
mod on_behalf_of;
mod policy;
mod policy_layer;
mod refusal;
mod response_future;
mod settings;
mod tenant;
mod time;
mod token_cache;
mod token_digest;

pub use authenticator::Authenticator;
pub use callback::{Authn, BoxFuture, Callbacks, PolicyRequest};
pub use decide::{Outcome, decide};
pub use headers::{IdentityHeaders, TokenHeader, TokenText};
pub use jws::{JwsError, ParsedToken, verify_compact};
pub use layer::{AuthLayer, AuthService};
pub use policy::{Policy, PublicPolicy};
pub use policy_layer::{PolicyLayer, PolicyService};
pub use refusal::{Refusal, TokenFault};
pub use response_future::ResponseFuture;
pub use settings::{AuthSettings, Server};
pub use time::UnixTime;
pub use token_cache::TokenCache;
