//! A site, services on it, and a service that keeps what it was sent.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::request::Parts;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tapisservice_client::transport::{LocalhostResolver, RetryPolicy, Transport, TransportSettings};
use tapisservice_client::{
    ClientError, ClientSettings, ServiceClient, ServiceClientSettings, ServiceSession, TenantsApi,
};
use tapisservice_core::{TenantId, Username};
use tapisservice_devsite::{DevSite, DevSiteBuilder};
use tapisservice_tenants::TenantCache;

/// How long something that happens in the background may take on a busy machine.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

pub(crate) fn builder() -> DevSiteBuilder {
    DevSite::builder().server("dev")
}

pub(crate) async fn site() -> DevSite {
    builder().start().await.unwrap()
}

/// A transport that finds `*.localhost` and repeats nothing, so that counts are exact.
pub(crate) fn transport() -> Transport {
    let mut settings = TransportSettings::default();
    settings.client_breaker_failures = 0;
    let builder = Transport::builder(&settings).retry_policy(RetryPolicy::never());
    builder.http(|http| http.dns_resolver(LocalhostResolver)).build().unwrap()
}

pub(crate) fn tenants(site: &DevSite) -> TenantCache {
    let api = TenantsApi::new(&ClientSettings::new(site.primary_site_admin_tenant_base_url())).unwrap();
    TenantCache::builder(api).build()
}

pub(crate) fn settings(config: Value) -> ServiceClientSettings {
    serde_json::from_value(config).unwrap()
}

/// The client of a service of the primary site, its settings changed.
pub(crate) fn client_with(site: &DevSite, change: impl FnOnce(&mut ServiceClientSettings)) -> ServiceClient {
    let mut settings = settings(site.config_json("bookmarks").unwrap());
    change(&mut settings);
    ServiceClient::builder(settings, tenants(site)).transport(transport()).build().unwrap()
}

pub(crate) fn client(site: &DevSite) -> ServiceClient {
    client_with(site, |_| ())
}

pub(crate) fn acting_for(client: &ServiceClient, user: &str, tenant: &str) -> ServiceSession {
    client.on_behalf_of_user(TenantId::new(tenant).unwrap(), Username::new(user).unwrap()).unwrap()
}

/// The ids of the systems that the session sees.
pub(crate) async fn systems(session: &ServiceSession) -> Result<Vec<String>, ClientError> {
    let call = session.operation("systems", "getSystems");
    let list = call.arg("listType", "ALL").send().await?.deserialize::<Value>().await?;
    Ok(list.as_array().unwrap().iter().map(|system| system["id"].as_str().unwrap().to_owned()).collect())
}

/// Asks again until the answer fits.
pub(crate) async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < TIMEOUT, "it did not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A service that answers everything and keeps the heads of what it was sent.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<Sent>>>);

/// One request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) path: String,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Value,
}

impl Recorder {
    /// Puts a recording service of this name behind the site's router.
    pub(crate) async fn behind(site: &DevSite, service: &str) -> Self {
        let recorder = Self::default();
        let record = |State(kept): State<Self>, parts: Parts, body: bytes::Bytes| async move {
            kept.keep(&parts, &body);
            Json(json!({"message": "kept", "result": null, "status": "success", "version": "1"}))
        };
        let app = Router::new().fallback(record).with_state(recorder.clone());
        let url = serve(app).await;
        site.route_to(service, &url).unwrap();
        recorder
    }

    pub(crate) fn keep(&self, parts: &Parts, body: &[u8]) {
        let body = serde_json::from_slice(body).unwrap_or_default();
        let sent = Sent { path: parts.uri.path().to_owned(), headers: parts.headers.clone(), body };
        self.0.lock().push(sent);
    }

    pub(crate) fn all(&self) -> Vec<Sent> {
        self.0.lock().clone()
    }
}

impl Sent {
    /// The one value of a field; `None` when there is none.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().unwrap());
        assert!(values.next().is_none(), "{name} is sent once");
        value
    }

    /// The claims of the token that was sent.
    pub(crate) fn claims(&self) -> Value {
        let payload = self.field("x-tapis-token").unwrap().split('.').nth(1).unwrap().to_owned();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }
}

pub(crate) async fn serve(app: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    url
}
