//! What a line contains of its request.

use serde_json::Value;
use tapisservice_core::RequestContext;
use tracing::Metadata;

use super::fields::Fields;

/// The target of the span of a request, whose name is `request`, and of a run of a background task, whose name is `background task`.
///
/// The span is for other layers of a subscriber. Log lines take nothing from it, because the [`RequestContext`] has the same
/// values.
pub const REQUEST_SPAN: &str = "tapisservice::request";

/// The maximum length of the path in bytes, because it is on every line of the request.
const MAX_PATH: usize = 512;

/// The ids of a request, as far as they are known: the effective tenant and user, not those of the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) tenant: Option<String>,
    pub(super) user: Option<String>,
    /// The holder of the token, if that is not its user: `username@tenant` (rule A12).
    pub(super) delegate: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) tracking_id: Option<String>,
}

impl Ids {
    pub(super) fn of(g: &RequestContext) -> Self {
        Self {
            tenant: g.request_tenant_id().map(ToString::to_string),
            user: g.request_username().map(ToString::to_string),
            delegate: g.token().and_then(|token| token.claims().delegation.as_ref()).map(ToString::to_string),
            request_id: Some(g.request_id().to_owned()),
            tracking_id: Some(g.tracking_id().to_string()),
        }
    }

    pub(super) fn map(self, change: impl Fn(String) -> String) -> Self {
        Self {
            tenant: self.tenant.map(&change),
            user: self.user.map(&change),
            delegate: self.delegate.map(&change),
            request_id: self.request_id.map(&change),
            tracking_id: self.tracking_id.map(&change),
        }
    }

    /// The ids that are known, with the keys of the JSON format.
    pub(super) fn known(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("tenant", &self.tenant),
            ("user", &self.user),
            ("delegate", &self.delegate),
            ("request_id", &self.request_id),
            ("tracking_id", &self.tracking_id),
        ]
        .into_iter()
        .filter_map(|(key, id)| Some((key, id.as_deref()?)))
    }
}

/// Adds the method and the path, or the name of the background task, unless the line has fields of these names.
pub(super) fn add_target(fields: &mut Fields, g: &RequestContext) {
    let mut target = Fields::default();
    if let Some(task) = g.background_task() {
        target.set("task", Value::from(task));
    } else {
        target.set("method", Value::from(g.method().as_str()));
        target.set("path", Value::from(shown(g.path())));
    }
    fields.inherit(&target);
}

/// Whether this is the span of a request or of a run ([`REQUEST_SPAN`]).
pub(super) fn is_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.target() == REQUEST_SPAN
}

fn shown(path: &str) -> &str {
    &path[..path.floor_char_boundary(MAX_PATH)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_bounded() {
        assert_eq!(shown("/v3/x"), "/v3/x");
        assert_eq!(shown(&"\u{e9}".repeat(5000)).len(), MAX_PATH);
    }
}
