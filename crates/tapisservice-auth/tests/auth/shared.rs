//! Material that lies beside the project: folders named by the environment.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder that the variable `name` names. Without one the test that asks is over, and fails where
/// `TAPIS_SHARED_REQUIRED` is set.
#[expect(clippy::disallowed_methods, reason = "the folder is named by the environment")]
#[expect(clippy::print_stdout, reason = "who runs the tests is to know")]
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os(name).map(PathBuf::from);
    if folder.is_none() {
        assert!(std::env::var_os("TAPIS_SHARED_REQUIRED").is_none(), "{name} is not set");
        println!("skipped: {name} names no folder");
    }
    folder
}

/// A JSON file.
pub(crate) fn json(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_slice(&text).unwrap()
}
