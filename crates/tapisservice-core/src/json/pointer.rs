//! JSON pointers ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).
//!
//! ```
//! use tapisservice_core::json::pointer;
//!
//! let at = pointer::item(&pointer::member("", "a/b"), 3);
//! assert_eq!(at, "/a~1b/3");
//! assert_eq!(pointer::keys(&at).collect::<Vec<_>>(), ["a/b", "3"]);
//! ```

/// The pointer to the member `key` of the object at `parent`.
pub fn member(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// The pointer to the item `index` of the array at `parent`.
pub fn item(parent: &str, index: usize) -> String {
    format!("{parent}/{index}")
}

/// The keys and indices of a pointer.
pub fn keys(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
}

/// Whether `inner` is `outer` or below it.
pub fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The pointer and its ancestors, nearest first, the whole document last.
pub fn ancestors(pointer: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(pointer), |p| p.rfind('/').map(|end| &p[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped() {
        assert_eq!(member("/a", "b/c~d"), "/a/b~1c~0d");
        assert_eq!(item("/a", 3), "/a/3");
        assert_eq!(keys("/a/b~1c~0d/~01").collect::<Vec<_>>(), ["a", "b/c~d", "~1"]);
    }

    #[test]
    fn a_longer_name_is_not_within() {
        assert!(is_within("/a", "/a"));
        assert!(is_within("/a/b", "/a"));
        assert!(is_within("/a", ""));
        assert!(!is_within("/ab", "/a"));
    }

    #[test]
    fn ancestors_end_with_the_document() {
        assert_eq!(ancestors("/a/b").collect::<Vec<_>>(), ["/a/b", "/a", ""]);
    }
}
