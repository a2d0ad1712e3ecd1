//! The span of a request and what a line takes from it.

use serde_json::Value;
use tracing::{Metadata, Span, field};

use super::fields::Fields;

/// The name of the span [`request_span`] opens.
pub(super) const REQUEST_SPAN: &str = "request";

/// Longest path kept, in bytes: it stands on every line of the request.
const MAX_PATH: usize = 512;

/// Opens the span of one request. Every line written inside carries both ids.
///
/// `path` is cut at its `?`, because a query may hold a token, and after 512 bytes. Tenant and user follow once
/// they are known: [`record_identity`]. The span is enabled at every `log_level`. A spawned task leaves it
/// unless it is instrumented (`tracing::Instrument::in_current_span`).
///
/// ```
/// use tapisservice::logs::{record_identity, request_span};
///
/// let span = request_span("0190-1", "trk-7", "GET", "/v3/bookmarks?token=none-of-your-business");
/// record_identity(&span, "tacc", "alice");
/// span.in_scope(|| tracing::info!("listed"));
/// ```
pub fn request_span(request_id: &str, tracking_id: &str, method: &str, path: &str) -> Span {
    tracing::error_span!(
        REQUEST_SPAN,
        request_id,
        tracking_id,
        tenant = field::Empty,
        user = field::Empty,
        method,
        path = shown(path)
    )
}

/// Adds the effective tenant and user to a span made by [`request_span`]. The last call wins.
pub fn record_identity(span: &Span, tenant: &str, user: &str) {
    span.record("tenant", tenant);
    span.record("user", user);
}

/// The four ids of a request, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) tenant: Option<String>,
    pub(super) user: Option<String>,
    pub(super) request_id: Option<String>,
    pub(super) tracking_id: Option<String>,
}

impl Ids {
    /// Moves the ids out of the fields of a request span.
    pub(super) fn take_from(fields: &mut Fields) -> Self {
        let mut id = |name| match fields.take(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        Self {
            tenant: id("tenant"),
            user: id("user"),
            request_id: id("request_id"),
            tracking_id: id("tracking_id"),
        }
    }

    pub(super) fn map(self, change: impl Fn(String) -> String) -> Self {
        Self {
            tenant: self.tenant.map(&change),
            user: self.user.map(&change),
            request_id: self.request_id.map(&change),
            tracking_id: self.tracking_id.map(&change),
        }
    }

    /// The ids that are known, with the keys of the JSON format.
    pub(super) fn known(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("tenant", &self.tenant),
            ("user", &self.user),
            ("request_id", &self.request_id),
            ("tracking_id", &self.tracking_id),
        ]
        .into_iter()
        .filter_map(|(key, id)| Some((key, id.as_deref()?)))
    }
}

/// Whether a span is one that [`request_span`] made.
pub(super) fn is_request(metadata: &Metadata<'_>) -> bool {
    metadata.name() == REQUEST_SPAN && metadata.fields().field("request_id").is_some()
}

fn shown(path: &str) -> &str {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    &path[..path.floor_char_boundary(MAX_PATH)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_shown_without_query_and_bounded() {
        assert_eq!(shown("/v3/x?token=abc"), "/v3/x");
        assert_eq!(shown("/v3/x"), "/v3/x");
        assert_eq!(shown(&"é".repeat(5000)).len(), MAX_PATH);
    }
}
