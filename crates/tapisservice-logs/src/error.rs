//! Why logging could not be set up.

use std::{io, path::PathBuf};

/// Why logging could not be set up. Each message says what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A logging key has an invalid value.
    #[error("configuration key `{key}`: {expected}")]
    Setting {
        /// The configuration key.
        key: String,
        /// The expected values.
        expected: &'static str,
    },
    /// The log file is a directory. Docker creates one if the source of a bind mount is missing.
    #[error(
        "log file {} is a directory: Docker creates one in place of a mounted file that does not \
         exist on the host; remove that directory, create an empty file, and start again",
        path.display()
    )]
    Directory {
        /// The configured path.
        path: PathBuf,
    },
    /// The log file could not be opened for appending.
    #[error("log file {} cannot be opened for appending: {hint}", path.display())]
    Open {
        /// The configured path.
        path: PathBuf,
        /// What to do about it.
        hint: &'static str,
        /// The error of the operating system.
        #[source]
        source: io::Error,
    },
    /// The thread that writes the lines could not be started.
    #[error("the log writer thread cannot be started")]
    Thread(#[source] io::Error),
    /// Another subscriber is already installed for this process.
    #[error("logging is already set up: call logs::init once, before anything else installs a subscriber")]
    AlreadySet,
}
