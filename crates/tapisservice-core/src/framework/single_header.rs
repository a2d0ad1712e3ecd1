//! Header fields of which only a single one is of use.

use http::HeaderValue;

/// The field lines of one name, gathered in one pass over all headers.
///
/// Who took the first of several lines would read another request than a proxy in front, which took the last.
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
    #[inline]
    pub fn add(&mut self, value: &'a HeaderValue) {
        *self = if matches!(self, Self::Absent) { Self::One(value) } else { Self::Several };
    }

    /// The text of the only line without spaces around it, if it is visible ASCII.
    #[inline]
    pub fn ascii(self) -> Option<&'a str> {
        let Self::One(value) = self else { return None };
        value.to_str().ok().map(str::trim)
    }
}
