//! Handles a request: counts it, injects a fault if one is set, and forwards it to a service or serves it.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::Request;
use tower::ServiceExt as _;

use crate::connect_info::ConnectInfo;
use crate::envelope::enveloped;
use crate::fault::Disconnected;
use crate::state::SiteState;
use crate::unread::RequestBody;

#[derive(Clone, Debug)]
pub(crate) struct Dispatcher {
    pub(crate) state: Arc<SiteState>,
    pub(crate) api: Router,
}

impl Dispatcher {
    pub(crate) async fn respond(
        self,
        req: Request<RequestBody>,
        connect_info: ConnectInfo,
    ) -> Result<Response, Disconnected> {
        self.state.counts.record(&format!("{} {}", req.method(), req.uri().path()));
        match self.state.faults.trigger(req.method(), req.uri().path()) {
            Some(fault) => fault.respond(self.serve(req, connect_info)).await,
            None => Ok(self.serve(req, connect_info).await),
        }
    }

    async fn serve(&self, mut req: Request<RequestBody>, connect_info: ConnectInfo) -> Response {
        if let Some(upstream) = self.state.proxy.upstream(req.uri().path()) {
            return self.state.proxy.forward(req, &upstream, connect_info).await;
        }
        req.extensions_mut().insert(connect_info);
        match self.api.clone().oneshot(req).await {
            Ok(res) => enveloped(res).await,
            Err(never) => match never {},
        }
    }
}
