//! Which configured module name applies to a `tracing` target.

/// Values by module name; the longest matching name wins.
///
/// Names in Python have dots, targets in Rust are paths, and a crate name has an underscore where Python has
/// a dot. So `tapisservice.auth` means the targets `tapisservice::auth` and `tapisservice_auth`, and
/// each name covers the modules below it. `bookmarks.store` does not cover `bookmarks::store_cache`.
#[derive(Clone, Debug)]
pub(super) struct ModuleTable<T> {
    /// Longest name first.
    entries: Vec<(String, T)>,
}

impl<T> Default for ModuleTable<T> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<T: Clone> ModuleTable<T> {
    pub(super) fn new<'a>(named: impl IntoIterator<Item = (&'a str, T)>) -> Self {
        let mut entries: Vec<_> = named
            .into_iter()
            .flat_map(|(name, value)| targets(name).into_iter().map(move |t| (t, value.clone())))
            .collect();
        entries.sort_by_key(|(target, _)| std::cmp::Reverse(target.len()));
        Self { entries }
    }
}

impl<T> ModuleTable<T> {
    pub(super) fn get(&self, target: &str) -> Option<&T> {
        self.entries.iter().find(|(name, _)| covers(name, target)).map(|(_, value)| value)
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().map(|(_, value)| value)
    }
}

/// Whether `target` is the module `name` or below it.
pub(super) fn covers(name: &str, target: &str) -> bool {
    target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The targets that a configured name means.
fn targets(name: &str) -> Vec<String> {
    let name = name.replace('-', "_");
    let path = name.replace('.', "::");
    if !name.contains('.') {
        return vec![path];
    }
    vec![name.replacen('.', "_", 1).replace('.', "::"), path]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_that_covers_a_target_wins() {
        let table = ModuleTable::new([
            ("tapisservice.auth", 1),
            ("bookmarks", 2),
            ("bookmarks.store", 3),
            ("bookmarks.store.sqlite", 4),
            ("tapisservice_client", 5),
            ("my-crate", 6),
        ]);
        let cases = [
            ("tapisservice_auth", Some(1)),
            ("tapisservice_auth::layer", Some(1)),
            ("tapisservice::auth::layer", Some(1)),
            ("tapisservice_authority", None),
            ("tapisservice", None),
            ("bookmarks", Some(2)),
            ("bookmarks::routes", Some(2)),
            ("bookmarks::store", Some(3)),
            ("bookmarks::store::query", Some(3)),
            ("bookmarks::store_cache", Some(2)),
            ("bookmarks::store::sqlite", Some(4)),
            ("bookmarks_store::sqlite", Some(4)),
            ("tapisservice_client::session", Some(5)),
            ("my_crate::a", Some(6)),
            ("", None),
        ];
        for (target, expected) in cases {
            assert_eq!(table.get(target).copied(), expected, "{target}");
        }
    }
}
