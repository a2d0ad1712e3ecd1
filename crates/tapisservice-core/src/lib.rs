#![doc = include_str!("../README.md")]

mod claims;
mod context;
mod envelope;
mod error;
mod extract;
#[doc(hidden)]
pub mod framework;
mod id;
mod identity;
pub mod json;
mod seconds;
mod secret;
pub mod secrets;
#[cfg(feature = "testing")]
pub mod testing;
mod throttle;
mod tracking;
mod view;

pub use claims::{AccessToken, AccountType, Claims, Delegation, Payload};
pub use context::{MissingContext, RequestContext, RequestContextBuilder, ServiceInfo, g};
pub use envelope::{DEFAULT_MESSAGE, Envelope, Enveloped, JSON_MEDIA_TYPE, Metadata, ResponseFormat};
pub use error::{Error, ErrorKind, ErrorOrigin, ErrorReport, Result, ResultExt, ServiceError};
pub use id::{InvalidId, SiteId, TenantId, Username};
pub use identity::{Identity, OnBehalfOf, RequestTenant};
pub use seconds::{InvalidSeconds, Seconds};
pub use secret::Secret;
pub use throttle::Throttled;
pub use tracking::{InvalidTrackingId, TrackingId};
pub use view::ContextView;
