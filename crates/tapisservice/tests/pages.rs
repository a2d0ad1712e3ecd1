//! Examples on pages are tests, so none of them can be wrong for long.

use std::fs;
use std::path::Path;

/// The files that hand pages to rustdoc.
const INCLUDED_BY: [&str; 2] = ["crates/tapisservice/src/pages.rs", "crates/tapisservice-client/src/lib.rs"];

#[test]
fn every_page_with_rust_on_it_is_compiled() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let included: String = INCLUDED_BY.map(|file| fs::read_to_string(root.join(file)).unwrap()).concat();
    let docs = fs::read_dir(root.join("docs")).unwrap().map(|page| page.unwrap().file_name());
    let pages = docs.map(|page| format!("docs/{}", page.to_str().unwrap())).chain(["README.md".to_owned()]);
    let mut compiled = 0;
    for page in pages {
        if fs::read_to_string(root.join(&page)).unwrap().contains("```rust") {
            let include = format!("include_str!(\"../../../{page}\")");
            assert!(included.contains(&include), "add {page} to {}", INCLUDED_BY[0]);
            compiled += 1;
        }
    }
    assert!(compiled > 2, "only {compiled} pages have examples");
}
