//! The query parameters of a list.

use serde::Deserialize;
use tapisservice::core::Error;
use tapisservice::extract::UpTo;
use tapisservice::list::ListMetadata;
use tapisservice::utoipa::{self, IntoParams};

use crate::{Bookmark, InvalidField, SystemId, Tag};

/// The query parameters of a list. All are optional, with the names of other Tapis services.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParameters {
    /// The maximum number of bookmarks to return. The list ends earlier if it would exceed 1 MiB: `recordCount` is the number returned, and
    /// `skip` + `recordCount` is the `skip` of the next page.
    #[param(inline, default = 100)]
    limit: Option<UpTo<{ ListQuery::MAX_LIMIT }>>,
    /// How many to skip.
    #[param(inline, default = 0)]
    skip: Option<UpTo<{ i32::MAX.unsigned_abs() }>>,
    /// What to sort by: `name`, `system_id`, `path`, `created` or `updated`, each with `(asc)` or `(desc)`, separated by commas.
    #[param(default = "created(asc)", example = "name(asc)")]
    order_by: Option<String>,
    /// Whether to count all matching bookmarks.
    #[param(default = false)]
    #[serde(default)]
    compute_total: bool,
    /// Only bookmarks on this system.
    #[serde(rename = "system_id")]
    #[param(rename = "system_id")]
    system_id: Option<String>,
    /// Only bookmarks with this tag.
    tag: Option<String>,
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

impl TryFrom<&ListParameters> for ListQuery {
    type Error = Error;

    fn try_from(parameters: &ListParameters) -> Result<Self, Error> {
        let default_order = || Ok(vec![Self::DEFAULT_ORDER]);
        Ok(Self {
            limit: parameters.limit.map_or(Self::DEFAULT_LIMIT, UpTo::get),
            skip: parameters.skip.map_or(0, UpTo::get),
            order_by: parameters.order_by.as_deref().map_or_else(default_order, order_by)?,
            compute_total: parameters.compute_total,
            system_id: field("system_id", parameters.system_id.as_deref(), SystemId::new)?,
            tag: field("tag", parameters.tag.as_deref(), Tag::new)?,
        })
    }
}

impl ListQuery {
    /// Describes a page of the list.
    pub fn metadata(
        &self,
        parameters: &ListParameters,
        page: &[Bookmark],
        total: Option<i64>,
    ) -> ListMetadata {
        let metadata = ListMetadata::new(page.len(), self.limit, self.skip);
        metadata.with_order_by(parameters.order_by.clone()).with_total(total)
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
}
