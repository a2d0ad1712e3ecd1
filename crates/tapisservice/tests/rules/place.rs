//! A file that a rule names, and what is to be found in it.

use crate::tree::Tree;

/// `path` (`name`, `name`), the path from the root of the repository.
#[derive(Debug, PartialEq)]
pub(crate) struct Place {
    path: String,
    names: Vec<String>,
}

/// The places of one line.
pub(crate) fn places(line: &str) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let mut inside = false;
    for (index, piece) in line.split('`').enumerate() {
        if index % 2 == 0 {
            inside = (inside || piece.contains('(')) && !piece.contains(')');
        } else if inside && let Some(place) = places.last_mut() {
            place.names.push(piece.to_owned());
        } else {
            places.push(Place { path: piece.to_owned(), names: Vec::new() });
        }
    }
    places
}

impl Place {
    /// What is wrong with a place in the code: no such file, or a name that is not in it.
    pub(crate) fn code_faults(&self, tree: &Tree) -> Vec<String> {
        let Some(text) = tree.find(&self.path) else { return vec![format!("there is no {}", self.path)] };
        let missing = self.names.iter().filter(|name| !contains_word(&text, name));
        missing.map(|name| format!("{} has no {name}", self.path)).collect()
    }

    /// What is wrong with a place of tests: no such file, no test named, or one that is not in it.
    pub(crate) fn test_faults(&self, tree: &Tree) -> Vec<String> {
        let Some(text) = tree.find(&self.path) else { return vec![format!("there is no {}", self.path)] };
        if self.names.is_empty() {
            return vec![format!("{}: no test of it is named", self.path)];
        }
        let missing = self.names.iter().filter(|name| !has_test(&self.path, &text, name));
        missing.map(|name| format!("{} has no test {name}", self.path)).collect()
    }
}

fn has_test(path: &str, text: &str, name: &str) -> bool {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "rs" => has_rust_test(text, name),
        "py" => text.contains(&format!("def {name}(")),
        "json" => ["group", "id"].iter().any(|key| text.contains(&format!("\"{key}\": \"{name}\""))),
        _ => false,
    }
}

/// Whether there is such a function, and an attribute above it makes it a test.
fn has_rust_test(text: &str, name: &str) -> bool {
    let function = format!("fn {name}(");
    let Some((before, _)) = text.split_once(&function) else { return false };
    let above = before.rsplit_once('\n').map_or("", |(above, _)| above).lines().rev().map(str::trim);
    let mut attributes = above.take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))
}

fn contains_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = text.match_indices(word);
    found.any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[test]
fn a_line_names_files_and_what_is_in_them() {
    let place = |path: &str, names: &[&str]| Place {
        path: path.to_owned(),
        names: names.iter().copied().map(ToOwned::to_owned).collect(),
    };
    let found = places("`a/b.rs` (`one`, `two`), `Dockerfile`, `c.py` (`three`)");
    assert_eq!(
        found,
        [place("a/b.rs", &["one", "two"]), place("Dockerfile", &[]), place("c.py", &["three"])]
    );
}

#[test]
fn a_test_is_a_function_with_the_attribute() {
    let text = "#[test]\n#[cfg(unix)]\nfn one() {}\n\nfn two() {}\n\n#[tokio::test(start_paused = true)]\nasync fn three() {}\n";
    let found = ["one", "two", "three", "four"].map(|name| has_test("a.rs", text, name));
    assert_eq!(found, [true, false, true, false]);
    assert!(has_test("a.py", "    def f01(self):", "f01") && !has_test("a.py", "def f010(self):", "f01"));
    assert!(has_test("a.json", "{\"group\": \"host\"}", "host") && !has_test("a.txt", "fn one(", "one"));
}

#[test]
fn a_name_is_a_whole_word() {
    assert!(contains_word("pub fn check(", "check") && !contains_word("fn check_again(", "check"));
}
