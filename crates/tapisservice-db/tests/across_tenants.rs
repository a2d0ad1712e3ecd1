//! Who looks across tenants stands on a list (see `Database::across_tenants`).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Files of the workspace and how often they call it. Whoever adds one says in the review why the tenant is not known.
const ALLOWED: [(&str, usize); 0] = [];

#[test]
fn only_what_is_listed_looks_across_tenants() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeMap::new();
    for file in sources(crates) {
        let code = fs::read_to_string(&file).unwrap();
        let calls = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let calls = calls.map(|line| line.matches(".across_tenants(").count()).sum();
        if calls > 0 {
            found.insert(file.strip_prefix(crates).unwrap().to_str().unwrap().to_owned(), calls);
        }
    }
    let allowed = ALLOWED.iter().map(|(file, calls)| ((*file).to_owned(), *calls)).collect();
    assert_eq!(found, allowed, "queries across tenants, file by file, and those that are allowed");
}

/// The Rust files of all crates but their tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") && !path.ends_with("target") {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}
