//! Writes the bundled index from the OpenAPI files of the Tapis services, a folder with one `.yml` per service:
//!
//! ```sh
//! cargo run -p tapisservice-client --example extract_index -- crates/tapisservice-client/tests/spec/openapi
//! ```
//!
//! Only facts that building a request needs are kept: no descriptions, no responses.
#![expect(clippy::print_stdout, reason = "what a command line tool is for")]

use std::error::Error;
use std::path::{Path, PathBuf};

use tapisservice_client::spec::Resource;

fn main() -> Result<(), Box<dyn Error>> {
    let folder =
        std::env::args_os().nth(1).ok_or("usage: extract_index <folder with one .yml per service>")?;
    let index = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/spec/index");
    for file in specs(Path::new(&folder))? {
        let name = file.file_stem().and_then(|stem| stem.to_str()).ok_or("a file has no name")?;
        let resource = Resource::from_openapi(name, &std::fs::read(&file)?)?;
        for note in resource.notes() {
            println!("{name}: {note}");
        }
        let text = resource.to_index();
        println!("{name}: {} operations, {} bytes", resource.operations().len(), text.len());
        std::fs::write(index.join(format!("{name}.json")), text)?;
    }
    Ok(())
}

fn specs(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yml") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() { Err("there is no .yml file in the folder".into()) } else { Ok(files) }
}
