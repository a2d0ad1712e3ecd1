//! The middleware of every request. [`crate::stack`] has the order.

pub(crate) mod body_limit;
pub(crate) mod catch_panic;
pub(crate) mod context;
pub(crate) mod deadline;
pub(crate) mod error_mapper;
pub(crate) mod limits;
pub(crate) mod matched_route;
pub(crate) mod normalize_path;
pub(crate) mod trace;
