//! JSON pointers ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)).
//!
//! ```
//! use tapisservice_core::json::pointer;
//!
//! let at = pointer::item(&pointer::member("", "a/b"), 3);
//! assert_eq!(at, "/a~1b/3");
//! assert_eq!(pointer::keys(&at).collect::<Vec<_>>(), ["a/b", "3"]);
//! ```

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

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

/// The fragment of a reference within the same document, percent-decoded. `#/a%20b` has the pointer `/a b`
/// ([RFC 6901 section 6](https://www.rfc-editor.org/rfc/rfc6901#section-6)). `None` for another document, and
/// for a fragment that is not UTF-8.
pub fn local_fragment(reference: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(reference.strip_prefix('#')?).decode_utf8().ok()
}

/// What a reference such as `#` or `#/a/b` refers to in the document. One hop: the target may be a reference
/// itself, so whoever follows them has to end a cycle.
///
/// ```
/// use tapisservice_core::json::pointer;
///
/// let document = serde_json::json!({"a/b": {"c d": 1}});
/// assert_eq!(pointer::resolve(&document, "#/a~1b/c%20d").unwrap(), 1);
/// assert!(pointer::resolve(&document, "https://example.org/#/a~1b").is_none());
/// ```
pub fn resolve<'v>(document: &'v Value, reference: &str) -> Option<&'v Value> {
    document.pointer(&local_fragment(reference)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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

    #[test]
    fn only_references_within_the_document_resolve() {
        let document = json!({"a/b": {"c d": 1, "~": 2, "%": 3}, "": 4, "ü": 5});
        for (reference, target) in [
            ("#", Some(&document)),
            ("#/", Some(&json!(4))),
            ("#/a~1b/c%20d", Some(&json!(1))),
            ("#/a~1b/~0", Some(&json!(2))),
            ("#/a~1b/%25", Some(&json!(3))),
            ("#/%C3%BC", Some(&json!(5))),
            ("#/%FC", None),
            ("#/a/b", None),
            ("#name", None),
            ("", None),
            ("/a~1b", None),
            ("other.json#/a~1b", None),
        ] {
            assert_eq!(resolve(&document, reference), target, "{reference}");
        }
    }
}
