//! Opening log files.

use std::{
    fs::{File, OpenOptions},
    io::ErrorKind,
    path::Path,
};

use super::LogError;

/// Opens a file for appending, and creates it if it does not exist.
///
/// In append mode every write goes to the current end of the file. That makes several writers safe, and rotation
/// by copying and truncating. Files are never renamed, because a mounted file cannot be.
pub(super) fn open(path: &Path) -> Result<File, LogError> {
    if path.is_dir() {
        return Err(LogError::Directory { path: path.to_owned() });
    }
    OpenOptions::new().append(true).create(true).open(path).map_err(|source| LogError::Open {
        path: path.to_owned(),
        hint: hint(source.kind()),
        source,
    })
}

fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            "create the directory it lies in, or mount the file"
        }
        ErrorKind::PermissionDenied => {
            "make it writable for the user the service runs as (uid 4872 in the image)"
        }
        ErrorKind::ReadOnlyFilesystem => {
            "mount a writable file there, or leave log_file out to log to standard output"
        }
        _ => "check the path, or leave log_file out to log to standard output",
    }
}
