//! The fields of a bookmark, validated once, at the edge.

use std::fmt;

use tapisservice::db::Value;

/// Why a text is not valid. The message never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidField {
    /// Too short or too long.
    #[error("expected {min} to {max} characters")]
    Length {
        /// The fewest characters.
        min: usize,
        /// The most characters.
        max: usize,
    },
    /// A control character.
    #[error("expected no control characters")]
    ControlCharacter,
    /// Leading or trailing white space, which is invisible.
    #[error("expected no leading or trailing white space")]
    OuterSpace,
    /// A character that is not allowed in the id of a system.
    #[error("expected letters, digits, `-`, `.`, `_` and `~`, the first a letter or a digit")]
    SystemId,
    /// A path that does not start at the root of its system.
    #[error("expected an absolute path, starting with `/`")]
    NotAbsolute,
    /// A path with a segment `..`.
    #[error("expected no `..` in the path")]
    ParentSegment,
    /// A tag with a comma.
    #[error("expected no comma")]
    Comma,
    /// Too many tags.
    #[error("expected at most {max} tags")]
    TooManyTags {
        /// The most tags.
        max: usize,
    },
}

macro_rules! text_field {
    ($(#[$doc:meta])* $name:ident, $min:literal..=$max:literal, $($check:expr),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Value)]
        pub struct $name(String);

        impl $name {
            /// Validates `text`.
            ///
            /// # Errors
            ///
            /// When it violates a rule of the type.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidField> {
                let text = text.into();
                length(&text, $min, $max)?;
                $($check(&text)?;)+
                Ok(Self(text))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_field! {
    /// What a user calls a bookmark: 1 to 80 characters in one line, unique among the bookmarks of its owner.
    BookmarkName, 1..=80, no_control_characters, no_outer_space
}
text_field! {
    /// The id of a Tapis system, of 1 to 80 characters. Whether there is such a system, only the Systems API knows.
    SystemId, 1..=80, system_id
}
text_field! {
    /// An absolute path on a system, of 1 to 4096 characters; no segment is `..`.
    SystemPath, 1..=4096, no_control_characters, absolute, no_parent_segment
}
text_field! {
    /// Free text of at most 2048 characters, line breaks and tabs among them.
    Description, 0..=2048, no_control_characters_but_line_breaks
}
text_field! {
    /// A word or two to find bookmarks by: 1 to 40 characters, no comma.
    Tag, 1..=40, no_control_characters, no_outer_space, no_comma
}

/// The tags of a bookmark: at most 20, each once, in the order they were given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tags(Vec<Tag>);

impl Tags {
    /// The most tags of a bookmark.
    pub const MAX: usize = 20;

    /// Collects tags; duplicates are dropped.
    ///
    /// # Errors
    ///
    /// When there are more than [`MAX`](Self::MAX).
    pub fn new(tags: impl IntoIterator<Item = Tag>) -> Result<Self, InvalidField> {
        let mut kept: Vec<Tag> = Vec::new();
        for tag in tags {
            if kept.contains(&tag) {
                continue;
            }
            if kept.len() == Self::MAX {
                return Err(InvalidField::TooManyTags { max: Self::MAX });
            }
            kept.push(tag);
        }
        Ok(Self(kept))
    }

    /// The tags in order.
    pub fn iter(&self) -> impl Iterator<Item = &Tag> {
        self.0.iter()
    }
}

fn length(text: &str, min: usize, max: usize) -> Result<(), InvalidField> {
    // Stop counting early: the body of a request may be one long name.
    let count = text.chars().take(max + 1).count();
    ensure((min..=max).contains(&count), InvalidField::Length { min, max })
}

fn no_control_characters(text: &str) -> Result<(), InvalidField> {
    ensure(!text.chars().any(char::is_control), InvalidField::ControlCharacter)
}

fn no_control_characters_but_line_breaks(text: &str) -> Result<(), InvalidField> {
    let fits = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    ensure(text.chars().all(fits), InvalidField::ControlCharacter)
}

fn no_outer_space(text: &str) -> Result<(), InvalidField> {
    ensure(text.trim().len() == text.len(), InvalidField::OuterSpace)
}

fn system_id(text: &str) -> Result<(), InvalidField> {
    let first_fits = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    ensure(first_fits && text.chars().all(fits), InvalidField::SystemId)
}

fn absolute(text: &str) -> Result<(), InvalidField> {
    ensure(text.starts_with('/'), InvalidField::NotAbsolute)
}

fn no_parent_segment(text: &str) -> Result<(), InvalidField> {
    ensure(text.split('/').all(|segment| segment != ".."), InvalidField::ParentSegment)
}

fn no_comma(text: &str) -> Result<(), InvalidField> {
    ensure(!text.contains(','), InvalidField::Comma)
}

fn ensure(fits: bool, otherwise: InvalidField) -> Result<(), InvalidField> {
    if fits { Ok(()) } else { Err(otherwise) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_characters() {
        assert!(BookmarkName::new("é".repeat(80)).is_ok());
        let length = InvalidField::Length { min: 1, max: 80 };
        assert_eq!(BookmarkName::new("é".repeat(81)), Err(length));
        assert_eq!(BookmarkName::new(""), Err(length));
        assert!(Description::new("").is_ok());
    }

    #[test]
    fn a_path_is_absolute_and_stays_below_the_root() {
        for good in ["/", "/data/alice", "/a..b/...", "/with space/é"] {
            assert!(SystemPath::new(good).is_ok(), "{good}");
        }
        let cases = [
            ("work", InvalidField::NotAbsolute),
            ("~/x", InvalidField::NotAbsolute),
            ("/a/../b", InvalidField::ParentSegment),
            ("/..", InvalidField::ParentSegment),
            ("/a\nb", InvalidField::ControlCharacter),
            ("/a\0", InvalidField::ControlCharacter),
        ];
        for (path, reason) in cases {
            assert_eq!(SystemPath::new(path), Err(reason), "{path:?}");
        }
    }

    #[test]
    fn tags_are_kept_once_and_in_order() {
        let tags = |texts: &[&str]| Tags::new(texts.iter().map(|text| Tag::new(*text).unwrap()));
        let kept: Vec<_> = tags(&["b", "a", "b"]).unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(kept, ["b", "a"]);
        let many: Vec<_> = (0..21).map(|n| n.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(tags(&many), Err(InvalidField::TooManyTags { max: 20 }));
        assert!(tags(&many[..20]).is_ok());
        assert_eq!(Tag::new("a,b"), Err(InvalidField::Comma));
    }

    #[test]
    fn only_ids_that_systems_can_have_pass() {
        assert!(SystemId::new("ls6.tacc~x_1-2").is_ok());
        for wrong in ["-a", "a b", "a/b", "é"] {
            assert_eq!(SystemId::new(wrong), Err(InvalidField::SystemId), "{wrong}");
        }
    }
}
