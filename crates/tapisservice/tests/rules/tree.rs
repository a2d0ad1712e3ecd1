//! The files of the repository that may cite rules.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders of what is built, generated, or no text.
const SKIPPED: [&str; 8] =
    ["target", "seeds", "corpus", "artifacts", "wycheproof", "node_modules", "__pycache__", "index"];
const EXTENSIONS: [&str; 5] = ["rs", "md", "py", "sh", "json"];
/// Files without an extension, and the folder with a dot that is part of the project.
const NAMES: [&str; 2] = ["justfile", "run"];
const HIDDEN: [&str; 2] = [".ci", ".github"];

pub(crate) struct Tree {
    root: PathBuf,
}

impl Tree {
    pub(crate) fn of_the_workspace() -> Self {
        Self { root: Path::new(env!("CARGO_MANIFEST_DIR")).join("../..") }
    }

    /// The text of a file that is there.
    pub(crate) fn text(&self, path: &str) -> String {
        self.find(path).unwrap_or_else(|| panic!("{path} cannot be read as text"))
    }

    /// The text of a file, if there is one.
    pub(crate) fn find(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }

    /// The paths of all files, from the root, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.walk("", &mut found);
        found.sort();
        assert!(found.len() > 300, "only {} files were found", found.len());
        found
    }

    fn walk(&self, folder: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(self.root.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type().unwrap();
            if kind.is_dir() && is_searched(&name) {
                self.walk(&path, found);
            } else if kind.is_file() && is_text(&name) {
                found.push(path);
            }
        }
    }
}

fn is_searched(folder: &str) -> bool {
    !SKIPPED.contains(&folder) && (!folder.starts_with('.') || HIDDEN.contains(&folder))
}

fn is_text(name: &str) -> bool {
    NAMES.contains(&name)
        || name.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

#[test]
fn sources_pages_and_scripts_are_searched_and_what_is_built_is_not() {
    let files = Tree::of_the_workspace().files();
    for file in
        [".ci/run", "README.md", "docs/PROTOCOL.md", "crates/tapisservice/src/lib.rs", "ci/test_promises.py"]
    {
        assert!(files.iter().any(|found| found == file), "{file}");
    }
    assert!(!files.iter().any(|file| file.contains("target/") || file == "Cargo.lock"));
}
