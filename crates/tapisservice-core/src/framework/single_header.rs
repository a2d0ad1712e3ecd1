//! Header fields that must not be repeated.

use http::HeaderValue;

/// The field lines of one name, gathered in one pass over all headers.
///
/// With several lines, one party may read the first and a proxy in front the last: they would see different requests.
///
/// ```
/// use http::HeaderValue;
/// use tapisservice_core::framework::SingleHeader;
///
/// let (a, b) = (HeaderValue::from_static("a"), HeaderValue::from_static("b"));
/// let mut header = SingleHeader::Absent;
/// header.add(&a);
/// assert_eq!(header, SingleHeader::One(&a));
/// header.add(&b);
/// assert_eq!(header, SingleHeader::Several);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SingleHeader<'a> {
    /// No line.
    Absent,
    /// One line.
    One(&'a HeaderValue),
    /// More than one line.
    Several,
}

impl<'a> SingleHeader<'a> {
    /// Adds a line.
    pub fn add(&mut self, value: &'a HeaderValue) {
        *self = if matches!(self, Self::Absent) { Self::One(value) } else { Self::Several };
    }

    /// The text of the only line, trimmed, if it is visible ASCII.
    pub fn ascii(self) -> Option<&'a str> {
        let Self::One(value) = self else { return None };
        value.to_str().ok().map(str::trim)
    }
}
