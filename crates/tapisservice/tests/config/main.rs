//! A service's configuration as a whole: the framework's keys, a service's own, files, environment and defaults together.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up is to stop")]

mod conformance;
mod development;
mod documentation;
mod keys;
mod loading;
mod properties;
mod violations;
