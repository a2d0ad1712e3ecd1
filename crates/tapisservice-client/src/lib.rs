#![doc = include_str!("../README.md")]

pub mod call;
mod credentials;
mod error;
mod http_client;
mod registry;
pub mod routing;
mod sdk_configuration;
pub mod service;
mod settings;
pub mod spec;
mod tokens;
pub mod transport;
mod typed;

pub use call::{Call, CallResponse, Progress, ResourceClient, Upload};
pub use credentials::Credentials;
pub use error::{
    AcceptedArgument, ArgumentError, ArgumentErrorKind, ClientError, RoutingError, SessionStoreError,
    SetupError, StatusError, UnknownOperation,
};
pub use registry::TenantsApi;
pub use routing::Route;
pub use sdk_configuration::SdkConfiguration;
pub use service::{ServiceClient, ServiceClientSettings, ServiceSession};
pub use settings::{ClientSettings, ClientSettingsError};
pub use tapisservice_tenants::BoxFuture;
pub use transport::{CallDestination, Transport, TransportSettings};
pub use typed::{Operations, TypedOperation};
