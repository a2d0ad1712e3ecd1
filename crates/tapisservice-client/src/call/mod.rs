//! Calls: building a request from an operation and its arguments, sending it, and reading the answer.

mod answer;
mod arguments;
mod body;
mod builder;
mod caller;
mod download;
mod envelope;
mod headers;
mod materialise;
mod multipart;
mod path;
mod request;
mod style;
mod upload;

pub use answer::Answer;
pub(crate) use arguments::accepted_by;
pub use builder::Call;
pub use caller::Caller;
pub use envelope::ResponseEnvelope;
pub use multipart::Multipart;
pub use upload::{Progress, Upload};
