//! The query parameters and the metadata of a list.

use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tapisservice::core::{Error, Metadata};
use tapisservice::utoipa::{self, IntoParams, ToSchema};

use crate::{Bookmark, InvalidField, SystemId, Tag};

/// The query parameters of a list. All are optional, with the names of other Tapis services.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// The maximum number of bookmarks to return. The list ends earlier if it would exceed 1 MiB: `recordCount` is the number returned, and
    /// `skip` + `recordCount` is the `skip` of the next page.
    #[param(value_type = Option<u16>, minimum = 0, maximum = 1000, default = 100)]
    limit: Option<String>,
    /// How many to skip.
    #[param(value_type = Option<u32>, minimum = 0, default = 0)]
    skip: Option<String>,
    /// What to sort by: `name`, `system_id`, `path`, `created` or `updated`, each with `(asc)` or `(desc)`, separated by commas.
    #[param(default = "created(asc)", example = "name(asc)")]
    order_by: Option<String>,
    /// Whether to count all matching bookmarks.
    #[param(value_type = Option<bool>, default = false)]
    compute_total: Option<String>,
    /// Only bookmarks on this system.
    #[serde(rename = "system_id")]
    #[param(rename = "system_id")]
    system_id: Option<String>,
    /// Only bookmarks with this tag.
    tag: Option<String>,
    /// Whether the response is indented.
    #[param(value_type = Option<bool>, default = false)]
    #[serde(rename = "pretty")]
    _pretty: Option<String>,
}

/// A valid query for a list.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ListQuery {
    /// The maximum number of bookmarks to return.
    pub limit: u32,
    /// How many to skip.
    pub skip: u32,
    /// What to sort by.
    pub order_by: Vec<OrderBy>,
    /// Whether to count all matches.
    pub compute_total: bool,
    /// Only bookmarks on this system.
    pub system_id: Option<SystemId>,
    /// Only bookmarks with this tag.
    pub tag: Option<Tag>,
}

/// A sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderBy {
    /// The column, one of a fixed set.
    pub column: &'static str,
    /// Whether the order is descending.
    pub descending: bool,
}

/// The metadata of a list (docs/PROTOCOL.md, section 4).
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListMetadata {
    /// The number of records in this response. It may be less than `limit` although there are more: the next page starts at
    /// `skip` + `recordCount`. It is 0 when there are none left.
    record_count: usize,
    /// `limit`.
    record_limit: u32,
    /// `skip`.
    records_skipped: u32,
    /// `orderBy`, null when it was not given.
    order_by: Option<String>,
    /// Null: these lists do not support continuation by key.
    #[schema(value_type = Option<String>, required)]
    start_after: (),
    /// The number of matches regardless of `limit` and `skip`; -1 without `computeTotal`.
    #[schema(example = -1)]
    total_count: i64,
}

impl ListQuery {
    /// The default `limit`.
    pub const DEFAULT_LIMIT: u32 = 100;
    /// The maximum `limit`.
    pub const MAX_LIMIT: u32 = 1000;
    /// The maximum size of the bookmarks of one response as JSON, without indentation. The first one is always included. Users may
    /// request many lists at once, and all of them have to fit into the memory of the service.
    pub const MAX_BYTES: usize = 1 << 20;

    const COLUMNS: [&'static str; 5] = ["name", "system_id", "path", "created", "updated"];
    const DEFAULT_ORDER: OrderBy = OrderBy { column: "created", descending: false };
}

/// The remaining size of a response.
#[derive(Debug)]
pub(crate) struct ByteBudget {
    left: usize,
    is_empty: bool,
}

impl ByteBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { left: bytes, is_empty: true }
    }

    /// Returns the record if it fits. The first one always does, so that every page makes progress.
    pub(crate) fn take<T: Serialize>(&mut self, record: T) -> Option<T> {
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

impl TryFrom<&ListParameters> for ListQuery {
    type Error = Error;

    fn try_from(parameters: &ListParameters) -> Result<Self, Error> {
        let default_order = || Ok(vec![Self::DEFAULT_ORDER]);
        Ok(Self {
            limit: number("limit", parameters.limit.as_deref(), Self::DEFAULT_LIMIT, Self::MAX_LIMIT)?,
            skip: number("skip", parameters.skip.as_deref(), 0, i32::MAX.unsigned_abs())?,
            order_by: parameters.order_by.as_deref().map_or_else(default_order, order_by)?,
            compute_total: parse_bool("computeTotal", parameters.compute_total.as_deref())?,
            system_id: field("system_id", parameters.system_id.as_deref(), SystemId::new)?,
            tag: field("tag", parameters.tag.as_deref(), Tag::new)?,
        })
    }
}

impl ListMetadata {
    /// Describes a page of a list.
    pub fn new(
        parameters: &ListParameters,
        query: &ListQuery,
        page: &[Bookmark],
        total: Option<i64>,
    ) -> Self {
        Self {
            record_count: page.len(),
            record_limit: query.limit,
            records_skipped: query.skip,
            order_by: parameters.order_by.clone(),
            start_after: (),
            total_count: total.unwrap_or(-1),
        }
    }

    /// Converts it to the `metadata` of an envelope.
    ///
    /// # Errors
    ///
    /// Never: numbers and text serialize.
    pub fn into_metadata(self) -> Result<Metadata, Error> {
        match serde_json::to_value(self)? {
            Value::Object(members) => Ok(members),
            _ => Ok(Metadata::new()),
        }
    }
}

fn number(name: &str, text: Option<&str>, default: u32, max: u32) -> Result<u32, Error> {
    let Some(text) = text else { return Ok(default) };
    let fits = text.parse().ok().filter(|number| *number <= max);
    fits.ok_or_else(|| invalid(name, format_args!("expected a whole number from 0 to {max}")))
}

/// Python clients send `True` and `False`.
fn parse_bool(name: &str, text: Option<&str>) -> Result<bool, Error> {
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(invalid(name, "expected true or false")),
    }
}

fn field<T>(
    name: &str,
    text: Option<&str>,
    check: impl FnOnce(String) -> Result<T, InvalidField>,
) -> Result<Option<T>, Error> {
    text.map(|text| check(text.to_owned()).map_err(|reason| invalid(name, reason))).transpose()
}

fn order_by(text: &str) -> Result<Vec<OrderBy>, Error> {
    let mut orders: Vec<OrderBy> = Vec::new();
    for part in text.split(',') {
        let order = one_order(part.trim()).ok_or_else(|| {
            let columns = ListQuery::COLUMNS.join(", ");
            invalid(
                "orderBy",
                format_args!("expected one or more of {columns}, each with (asc) or (desc) or neither"),
            )
        })?;
        // Sorting by the same column again changes nothing.
        if orders.iter().all(|earlier| earlier.column != order.column) {
            orders.push(order);
        }
    }
    Ok(orders)
}

fn one_order(text: &str) -> Option<OrderBy> {
    let (name, descending) = match text.split_once('(') {
        None => (text, false),
        Some((name, direction)) => match direction.to_ascii_lowercase().as_str() {
            "asc)" => (name, false),
            "desc)" => (name, true),
            _ => return None,
        },
    };
    let column = ListQuery::COLUMNS.into_iter().find(|column| *column == name)?;
    Some(OrderBy { column, descending })
}

fn invalid(name: &str, reason: impl std::fmt::Display) -> Error {
    Error::bad_input(format!("Invalid query parameter {name:?}: {reason}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_read_in_the_form_of_tapis() {
        let by = |column, descending| OrderBy { column, descending };
        assert_eq!(order_by("name").unwrap(), [by("name", false)]);
        assert_eq!(
            order_by("system_id(DESC), name(asc),system_id").unwrap(),
            [by("system_id", true), by("name", false)]
        );
        for wrong in
            ["", "owner", "name(up)", "name(", "name(asc) desc", "name,", "name;DROP TABLE bookmarks"]
        {
            let error = order_by(wrong).unwrap_err();
            assert!(error.message().contains("expected one or more of name, system_id"), "{wrong}: {error}");
        }
    }

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
    fn limits_are_told() {
        assert_eq!(number("limit", Some("1000"), 100, 1000).unwrap(), 1000);
        assert_eq!(number("limit", None, 100, 1000).unwrap(), 100);
        for wrong in ["-1", "1001", "ten", "", "1.5", "99999999999999999999"] {
            let error = number("limit", Some(wrong), 100, 1000).unwrap_err();
            assert_eq!(
                error.message(),
                "Invalid query parameter \"limit\": expected a whole number from 0 to 1000."
            );
        }
    }

    #[test]
    fn truth_is_read_as_python_writes_it() {
        assert!(parse_bool("computeTotal", Some("True")).unwrap());
        assert!(!parse_bool("computeTotal", Some("False")).unwrap());
        assert!(parse_bool("computeTotal", Some("1")).is_err());
    }
}
