//! The headers with the credentials of a service.

use http::{HeaderMap, HeaderName, HeaderValue};
use tapisservice_core::{TenantId, Username};

use crate::ClientError;

pub(crate) const X_TAPIS_TOKEN: HeaderName = HeaderName::from_static("x-tapis-token");
pub(crate) const X_TAPIS_TENANT: HeaderName = HeaderName::from_static("x-tapis-tenant");
pub(crate) const X_TAPIS_USER: HeaderName = HeaderName::from_static("x-tapis-user");

/// `X-Tapis-Tenant` and `X-Tapis-User`, both marked sensitive: the user the request is for (rule O3).
///
/// # Errors
///
/// When a name would change on its way, or cannot be sent.
pub(crate) fn on_behalf_of(tenant: &TenantId, user: &Username) -> Result<HeaderMap, ClientError> {
    let mut fields = HeaderMap::with_capacity(3);
    fields.insert(X_TAPIS_TENANT, value(&X_TAPIS_TENANT, tenant.as_str())?);
    fields.insert(X_TAPIS_USER, value(&X_TAPIS_USER, user.as_str())?);
    Ok(fields)
}

/// Receivers reject commas, which could join two headers, and strip leading and trailing spaces (RFC 9110 section 5.5), which would make
/// it the name of another user.
fn value(field: &HeaderName, name: &str) -> Result<HeaderValue, ClientError> {
    let unfit =
        |reason: &str| ClientError::InvalidValue { name: field.to_string(), reason: reason.to_owned() };
    if name.contains(',') || name.trim() != name {
        return Err(unfit("a name with a comma, or with leading or trailing spaces, cannot be sent"));
    }
    let value = HeaderValue::from_bytes(name.as_bytes());
    let mut value = value.map_err(|_| unfit("a name with control characters cannot be sent"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(user: &str) -> Option<Vec<u8>> {
        let fields = on_behalf_of(&TenantId::new("tacc").unwrap(), &Username::new(user).unwrap()).ok()?;
        fields.get_all(X_TAPIS_USER).iter().next().map(|value| value.as_bytes().to_vec())
    }

    #[test]
    fn a_name_arrives_as_it_is_or_is_not_sent() {
        for name in ["alice", "alice b", "josé", "a@b.c"] {
            assert_eq!(sent(name).unwrap(), name.as_bytes(), "{name}");
        }
        for name in [" alice", "alice ", "alice,bob", "alice\u{a0}"] {
            assert_eq!(sent(name), None, "{name:?}");
        }
    }
}
