//! Wrong routes, handlers and errors do not compile, and the compiler says what to do (`docs/COMPILER.md`).
//!
//! Each file of `tests/compile_fail` is a case. Its head says, after "The compiler says:", what has to be among the messages: the
//! sentences that an author acts upon, and not the places and lists around them, which change with the compiler and with the crates.
//!
//! The cases are compiled against the library that this test was built with. A harness that builds the library by itself would
//! build all that it depends on once more.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

const CASES: usize = 13;

#[test]
fn what_is_wrong_does_not_compile_and_the_message_says_what_to_do() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert_eq!(cases.len(), CASES);
    let (deps, library) = library();
    let faults: Vec<_> = cases.iter().filter_map(|case| check(case, &deps, &library).err()).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
}

fn check(case: &Path, deps: &Path, library: &Path) -> Result<(), String> {
    let name = case.file_stem().unwrap().to_string_lossy();
    let expected = expected(&fs::read_to_string(case).unwrap());
    assert!(!expected.is_empty(), "{name} does not say what the compiler says");
    let out = tempfile::tempdir().unwrap();
    let output = Command::new("rustc")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["--edition=2024", "--emit=metadata", "--color=never", "--out-dir"])
        .arg(out.path())
        .arg("-L")
        .arg(format!("dependency={}", deps.display()))
        .arg("--extern")
        .arg(format!("tapisservice={}", library.display()))
        .arg(case)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        return Err(format!("{name} compiles"));
    }
    match expected.iter().find(|line| !said.contains(&***line)) {
        Some(missing) => Err(format!("{name}: the compiler does not say\n  {missing}\nbut\n{said}")),
        None => Ok(()),
    }
}

/// The lines after "The compiler says:" in the head of a case.
fn expected(source: &str) -> Vec<String> {
    let head = source.lines().map_while(|line| line.strip_prefix("//!"));
    let said = head.skip_while(|line| line.trim() != "The compiler says:").skip(1);
    said.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The folder of everything this test was built with, and the library in it: of several, built with other features, the newest.
fn library() -> (PathBuf, PathBuf) {
    let test = std::env::current_exe().unwrap();
    let deps = test.parent().unwrap();
    let built = |path: &PathBuf| {
        fs::metadata(path).and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let files = fs::read_dir(deps).unwrap().map(|entry| entry.unwrap().path());
    let libraries = files.filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libtapisservice-") && name.ends_with(".rlib")
    });
    let newest = libraries.max_by_key(built).expect("the library is beside the test");
    (deps.to_owned(), newest)
}
