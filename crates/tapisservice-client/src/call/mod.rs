//! Calls: building a request from an operation and its arguments, sending it, and reading the response.

mod arguments;
mod body;
mod builder;
#[cfg(feature = "download")]
mod download;
mod envelope;
mod headers;
mod multipart;
mod path;
mod prepare;
mod request;
mod resource_client;
mod response;
mod style;
mod upload;

pub(crate) use arguments::accepted_by;
pub use builder::Call;
pub use envelope::ResponseEnvelope;
pub use multipart::Multipart;
pub use resource_client::ResourceClient;
pub use response::CallResponse;
pub use upload::{Progress, Upload};
