//! Examples on pages are tests, so none of them can be wrong for long.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Component, Path, PathBuf};

/// Folders of what is built, of data, and of what git or an editor keeps.
const SKIPPED: [&str; 5] = ["target", "node_modules", "corpus", "artifacts", "__pycache__"];
/// What a release says of the past stays as it was written.
const HISTORY: &str = "CHANGELOG.md";
/// What a block may be. rustdoc takes one without a language for Rust.
const LANGUAGES: [&str; 9] = ["rust", "console", "sh", "json", "toml", "yaml", "sql", "promql", "text"];

#[test]
fn every_page_with_rust_on_it_is_compiled() {
    let root = root();
    let included: Vec<_> = files(&root, "rs").iter().flat_map(|source| included_by(&root, source)).collect();
    let with_rust: Vec<_> = pages(&root)
        .into_iter()
        .filter(|page| blocks(&root, page).iter().any(|block| block.language() == "rust"))
        .collect();
    for page in &with_rust {
        assert!(included.contains(page), "no source includes {}: add it to src/pages.rs", page.display());
    }
    assert!(with_rust.len() > 10, "only {} pages have examples", with_rust.len());
}

#[test]
fn every_block_says_what_it_is_and_no_example_is_left_out() {
    let root = root();
    let mut seen = 0;
    for page in pages(&root).iter().filter(|page| !page.ends_with(HISTORY)) {
        for block in blocks(&root, page) {
            let place = format!("{}:{}", page.display(), block.line);
            let info = &block.info;
            assert!(LANGUAGES.contains(&info.as_str()), "{place}: `{info}` is none of {LANGUAGES:?}");
            let hidden = block.language() == "text" && block.text.lines().any(is_rust);
            assert!(!hidden, "{place}: this looks like Rust, but as `text` nobody compiles it");
            seen += 1;
        }
    }
    assert!(seen > 60, "only {seen} blocks were found");
}

/// A block by indentation has no language: rustdoc takes it for Rust, and nobody types its commands.
#[test]
fn no_block_is_one_by_its_indentation_alone() {
    let root = root();
    for page in pages(&root) {
        let text = fs::read_to_string(root.join(&page)).unwrap();
        let (mut fenced, mut blank, mut in_list) = (false, true, false);
        for (number, line) in text.lines().enumerate() {
            fenced ^= line.trim_start().starts_with("```");
            in_list = if line.starts_with(' ') || line.is_empty() { in_list } else { starts_item(line) };
            let indented = line.starts_with("    ") && blank && !fenced && !in_list;
            assert!(!indented, "{}:{}: put the block between fences", page.display(), number + 1);
            blank = line.trim().is_empty();
        }
    }
}

struct Block {
    line: usize,
    info: String,
    text: String,
}

impl Block {
    fn language(&self) -> &str {
        self.info.split([',', ' ']).next().unwrap_or_default()
    }
}

fn root() -> PathBuf {
    fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).unwrap()
}

/// All pages, by their paths from the root.
fn pages(root: &Path) -> Vec<PathBuf> {
    files(root, "md")
}

fn files(root: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let (path, name) = (folder.join(entry.file_name()), entry.file_name().into_string().unwrap());
            if entry.file_type().unwrap().is_dir() {
                if !name.starts_with('.') && !SKIPPED.contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found
}

/// The pages that a source hands to rustdoc.
fn included_by(root: &Path, source: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(root.join(source)).unwrap();
    let folder = source.parent().unwrap();
    let lines = text.lines().filter(|line| line.starts_with("#[doc") || line.starts_with("#![doc"));
    lines
        .filter_map(|line| line.split("include_str!(\"").nth(1)?.split('"').next())
        .map(|page| normalized(&folder.join(page)))
        .collect()
}

/// The path without `..`.
fn normalized(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(parts.pop(), "{} leaves the repository", path.display()),
            part => parts.push(part),
        }
    }
    parts
}

fn blocks(root: &Path, page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(root.join(page)).unwrap();
    let (mut found, mut open) = (Vec::new(), None::<Block>);
    for (number, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                open = Some(Block { line: number + 1, info: info.trim().to_owned(), text: String::new() });
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(block)) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: the last block is not closed", page.display());
    found
}

fn is_rust(line: &str) -> bool {
    let line = line.trim();
    line.ends_with(';') || line.starts_with("#[") || line.starts_with("use ") || line.contains("fn ")
}

fn starts_item(line: &str) -> bool {
    line.starts_with("- ")
        || line.starts_with("* ")
        || line.split_once(". ").is_some_and(|(n, _)| n.parse::<u8>().is_ok())
}

#[test]
fn what_looks_like_rust_is_recognized() {
    for line in ["let x = 1;", "    async fn get() {", "#[derive(Debug)]", "use tapisservice::prelude::*;"] {
        assert!(is_rust(line), "{line}");
    }
    assert!(!is_rust("bookmarks   the example service"));
}
