//! Lists: their metadata, their schema, and a limit on their size.

use std::io;

use serde::Serialize;
use serde_json::{Value, json};
use tapisservice_core::Metadata;

/// The metadata of a list (docs/PROTOCOL.md, section 4), as the fifth stanza of the envelope.
///
/// ```
/// use tapisservice::list::ListMetadata;
/// use tapisservice::prelude::*;
///
/// let books = vec!["Emma", "Ulysses"];
/// let metadata = ListMetadata::new(books.len(), 100, 0).with_total(2);
/// let envelope = Envelope::new(books).with_metadata(metadata.into());
/// # let _ = envelope;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(rename_all = "camelCase"))]
pub struct ListMetadata {
    /// The number of records in this response. It may be less than `limit` although there are more: the next page starts at
    /// `skip` + `recordCount`. It is 0 when there are none left.
    record_count: usize,
    /// `limit`.
    record_limit: u32,
    /// `skip`.
    records_skipped: u32,
    /// `orderBy`, null when it was not given.
    #[cfg_attr(feature = "openapi", schema(required))]
    order_by: Option<String>,
    /// The key after which the list starts, null when it was not given.
    #[cfg_attr(feature = "openapi", schema(required))]
    start_after: Option<String>,
    /// The number of matches regardless of `limit` and `skip`; -1 without `computeTotal`.
    #[cfg_attr(feature = "openapi", schema(example = -1))]
    total_count: i64,
}

impl ListMetadata {
    /// The metadata of a page with this many records, after `skip` and at most `limit`.
    pub fn new(count: usize, limit: u32, skip: u32) -> Self {
        Self {
            record_count: count,
            record_limit: limit,
            records_skipped: skip,
            order_by: None,
            start_after: None,
            total_count: -1,
        }
    }

    /// Sets the order that the caller asked for.
    #[must_use]
    pub fn with_order_by(mut self, order_by: impl Into<Option<String>>) -> Self {
        self.order_by = order_by.into();
        self
    }

    /// Sets the key that the caller asked to start after.
    #[must_use]
    pub fn with_start_after(mut self, key: impl Into<Option<String>>) -> Self {
        self.start_after = key.into();
        self
    }

    /// Sets the number of matches, if it was computed.
    #[must_use]
    pub fn with_total(mut self, total: impl Into<Option<i64>>) -> Self {
        self.total_count = total.into().unwrap_or(-1);
        self
    }
}

impl From<ListMetadata> for Metadata {
    fn from(list: ListMetadata) -> Self {
        let members: [(&str, Value); 6] = [
            ("recordCount", list.record_count.into()),
            ("recordLimit", list.record_limit.into()),
            ("recordsSkipped", list.records_skipped.into()),
            ("orderBy", json!(list.order_by)),
            ("startAfter", json!(list.start_after)),
            ("totalCount", list.total_count.into()),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// The schema of an envelope around a list with [`ListMetadata`]: `body = ListOf<Bookmark>`.
#[cfg(feature = "openapi")]
#[derive(Debug, utoipa::ToSchema)]
#[schema(description = "A page of a list.")]
#[expect(dead_code, reason = "it describes; the envelope itself is what is sent")]
pub struct ListOf<T> {
    /// What happened, for people.
    message: String,
    /// The records.
    result: Vec<T>,
    /// `success`.
    #[schema(example = "success")]
    status: String,
    /// The version of the service.
    version: String,
    /// The metadata of the list.
    metadata: ListMetadata,
}

/// The remaining size of a list, in bytes of JSON. A list that ends when it is used up cannot fill the memory of the service, however long
/// its records are and however many users ask at once.
///
/// ```
/// use tapisservice::list::ByteBudget;
///
/// let mut budget = ByteBudget::new(10);
/// let page: Vec<_> = ["four", "more", "left out"].into_iter().map_while(|record| budget.take(record)).collect();
/// assert_eq!(page, ["four"]);
/// ```
#[derive(Debug)]
pub struct ByteBudget {
    left: usize,
    is_empty: bool,
}

impl ByteBudget {
    /// A budget of this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self { left: bytes, is_empty: true }
    }

    /// Returns the record if it fits. The first one always does, so that every page makes progress.
    pub fn take<T: Serialize>(&mut self, record: T) -> Option<T> {
        let mut size = Size(",".len());
        let fits = serde_json::to_writer(&mut size, &record).is_ok() && size.0 <= self.left;
        if !fits && !self.is_empty {
            return None;
        }
        self.is_empty = false;
        self.left = self.left.saturating_sub(size.0);
        Some(record)
    }
}

/// A writer that counts bytes.
struct Size(usize);

impl io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_admitted_while_there_is_room_and_the_first_in_any_case() {
        // Each takes 4 bytes with its comma.
        for (budget, admitted) in [(0, 1), (3, 1), (4, 1), (7, 1), (8, 2), (9, 2), (12, 3)] {
            let mut room_left = ByteBudget::new(budget);
            let count = (0..10).map_while(|_| room_left.take("x")).count();
            assert_eq!(count, admitted, "{budget}");
        }
        let mut budget = ByteBudget::new(10);
        assert_eq!(budget.take("far too large"), Some("far too large"));
        assert_eq!(budget.take(""), None);
    }

    #[test]
    fn what_was_not_asked_for_is_null_or_minus_one() {
        let metadata = Metadata::from(ListMetadata::new(2, 100, 5));
        let expected = json!({
            "recordCount": 2, "recordLimit": 100, "recordsSkipped": 5, "orderBy": null, "startAfter": null, "totalCount": -1,
        });
        assert_eq!(Value::Object(metadata), expected);
        let asked = ListMetadata::new(2, 100, 5).with_order_by("name(asc)".to_owned()).with_total(7);
        let asked = Metadata::from(asked);
        assert_eq!((&asked["orderBy"], &asked["totalCount"]), (&json!("name(asc)"), &json!(7)));
    }
}
