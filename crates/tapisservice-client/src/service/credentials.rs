//! A service's credentials at one site.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

use crate::tokens::SiteToken;
use crate::tokens::fields::{X_TAPIS_TENANT, X_TAPIS_TOKEN, X_TAPIS_USER};
use crate::{BoxFuture, ClientError, Credentials};

/// The token for the site together with the user the request is for: never one without the other (rule O3).
pub(super) struct ServiceCredentials {
    pub(super) token: Arc<SiteToken>,
    /// `X-Tapis-Tenant` and `X-Tapis-User`.
    pub(super) fields: HeaderMap,
}

impl Credentials for ServiceCredentials {
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, ClientError>> {
        Box::pin(async {
            let held = self.token.get().await?;
            let mut fields = self.fields.clone();
            fields.insert(X_TAPIS_TOKEN, held.header().clone());
            Ok(fields)
        })
    }

    fn renew<'a>(&'a self, refused: &'a HeaderMap) -> BoxFuture<'a, Result<bool, ClientError>> {
        Box::pin(async {
            match refused.get_all(X_TAPIS_TOKEN).iter().next() {
                Some(token) => self.token.renew_refused(token).await,
                None => Ok(false),
            }
        })
    }
}

impl fmt::Debug for ServiceCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name =
            |field| self.fields.get_all(field).iter().next().map(|v| String::from_utf8_lossy(v.as_bytes()));
        f.debug_struct("ServiceCredentials")
            .field("tenant", &name(X_TAPIS_TENANT))
            .field("user", &name(X_TAPIS_USER))
            .field("token", &self.token)
            .finish()
    }
}
