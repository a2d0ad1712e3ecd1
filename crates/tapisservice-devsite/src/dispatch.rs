//! One request: counted, perhaps spoiled, and then passed on to a service or answered by the site itself.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::Request;
use tower::ServiceExt as _;

use crate::arrival::Arrival;
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
    pub(crate) async fn answer(
        self,
        req: Request<RequestBody>,
        arrival: Arrival,
    ) -> Result<Response, Disconnected> {
        self.state.counts.record(&format!("{} {}", req.method(), req.uri().path()));
        match self.state.faults.strike(req.method(), req.uri().path()) {
            Some(fault) => fault.answer(self.serve(req, arrival)).await,
            None => Ok(self.serve(req, arrival).await),
        }
    }

    async fn serve(&self, mut req: Request<RequestBody>, arrival: Arrival) -> Response {
        if let Some(upstream) = self.state.proxy.upstream(req.uri().path()) {
            return self.state.proxy.forward(req, &upstream, arrival).await;
        }
        req.extensions_mut().insert(arrival);
        match self.api.clone().oneshot(req).await {
            Ok(res) => enveloped(res).await,
            Err(never) => match never {},
        }
    }
}
