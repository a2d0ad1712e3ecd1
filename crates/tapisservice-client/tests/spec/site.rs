//! A server that has specifications.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Response, Uri};
use tokio::net::TcpListener;
use url::Url;

/// A server with one response for every path, counting how often it is asked.
pub(crate) struct Site {
    pub(crate) base: Url,
    asked: Arc<AtomicUsize>,
}

impl Site {
    pub(crate) async fn start(
        respond: impl Fn(&str) -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> Self {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let app = Router::new().fallback(move |uri: Uri| {
            counter.fetch_add(1, Ordering::SeqCst);
            let response = respond(uri.path());
            async move { response }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { base, asked }
    }

    /// One that answers every path with this text.
    pub(crate) async fn with(text: &'static str) -> Self {
        Self::start(move |_| Response::new(Body::from(text))).await
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        self.base.join(path).unwrap()
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}
