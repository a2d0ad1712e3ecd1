//! The port and peer of a connection, and the extractors that depend on them.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header::HOST;
use http::request::Parts;

use crate::caller::Caller;
use crate::envelope::ApiError;
use crate::header;
use crate::registry::ResolvedHost;
use crate::state::SiteState;

/// The local port and the peer of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectInfo {
    pub(crate) port: u16,
    pub(crate) peer: IpAddr,
}

impl FromRequestParts<Arc<SiteState>> for ResolvedHost {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<SiteState>) -> Result<Self, ApiError> {
        let port = parts.extensions.get::<ConnectInfo>().map_or(0, |connect_info| connect_info.port);
        let host = header::single_value(&parts.headers, HOST.as_str())?;
        state.registry().resolve_host(host, port)
    }
}

/// Accepts any verified caller; each operation checks the tenant it is about.
impl FromRequestParts<Arc<SiteState>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &Arc<SiteState>) -> Result<Self, ApiError> {
        let host = ResolvedHost::from_request_parts(parts, state).await?;
        Self::verify(&state.registry(), &parts.headers, &host)
    }
}
