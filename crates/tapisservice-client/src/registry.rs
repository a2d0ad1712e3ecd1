//! The registry over HTTP (rules T1 and T8).

use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response};
use tapisservice_tenants::{BoxFuture, RegistryData, RegistryRecord, SourceError, TenantSource};
use url::Url;

use crate::settings::not_zero;
use crate::transport::send;
use crate::{ClientSettings, ClientSettingsError, http_client};

/// How many redirects within one origin are followed.
const MAX_REDIRECTS: usize = 3;

/// Reads `GET /v3/tenants` and `GET /v3/sites` of the primary site. No token is sent, because Tenants must work before Security Kernel
/// and Tokens are up.
///
/// Both calls together may take five seconds. A response may have 8 MiB after decompression and [`RegistryRecord::MAX_COUNT`] records. No
/// redirect leaves the origin, and no proxy of the environment is used.
#[derive(Debug, Clone)]
pub struct TenantsApi {
    client: Client,
    base_url: Url,
    total: Duration,
    max_bytes: usize,
}

impl TenantsApi {
    /// The Tenants API that the settings name.
    ///
    /// # Errors
    ///
    /// When a setting cannot be used.
    pub fn new(settings: &ClientSettings) -> Result<Self, ClientSettingsError> {
        let client = http_client::direct()
            .connect_timeout(not_zero(settings.connect_timeout_seconds, "connect_timeout_seconds")?)
            .redirect(Policy::custom(same_origin))
            .build()
            .map_err(|e| ClientSettingsError::Client(e.to_string()))?;
        Ok(Self {
            client,
            base_url: settings.base_url()?,
            total: not_zero(settings.registry_timeout_seconds, "registry_timeout_seconds")?,
            max_bytes: settings.registry_max_bytes,
        })
    }

    async fn list(&self, name: &str) -> Result<Vec<RegistryRecord>, SourceError> {
        let path = format!("/v3/{name}");
        let fault = |what: String| SourceError::new(format!("GET {path}: {what}"));
        let url = format!("{}{path}", self.base_url.as_str().trim_end_matches('/'));
        let response = send(self.client.get(url)).await.map_err(|e| fault(chain(&e)))?;
        if !response.status().is_success() {
            return Err(fault(format!("status {}", response.status().as_u16())));
        }
        let body = self.read(response).await.map_err(fault)?;
        // Parsing megabytes would block a worker of the runtime.
        let records = tokio::task::spawn_blocking(move || RegistryRecord::list(body)).await;
        records.map_err(|e| fault(e.to_string()))?.map_err(|e| fault(e.to_string()))
    }

    async fn read(&self, mut response: Response) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| chain(&e))? {
            if body.len() + chunk.len() > self.max_bytes {
                return Err(format!("the response is larger than {} bytes", self.max_bytes));
            }
            body.extend_from_slice(&chunk);
            // A small response may decompress to a large one without ever waiting for data.
            tokio::task::consume_budget().await;
        }
        Ok(body)
    }
}

impl TenantSource for TenantsApi {
    fn fetch(&self) -> BoxFuture<'_, Result<RegistryData, SourceError>> {
        Box::pin(async move {
            // One after the other, so that only one response is in memory. Tenants first: a failing registry fails there.
            let both = async { Ok((self.list("tenants").await?, self.list("sites").await?)) };
            let (tenants, sites) = tokio::time::timeout(self.total, both).await.map_err(|_| {
                SourceError::new(format!("no complete response within {} s", self.total.as_secs_f64()))
            })??;
            Ok(RegistryData::new(tenants, sites))
        })
    }

    fn describe(&self) -> String {
        format!("Tenants API at {}", self.base_url.origin().ascii_serialization())
    }
}

pub(crate) fn same_origin(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let stays = attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
    if attempt.previous().len() > MAX_REDIRECTS {
        attempt.error("too many redirects")
    } else if stays {
        attempt.follow()
    } else {
        attempt.error("a redirect to another origin is not followed")
    }
}

/// The causes of an error, without its URL.
pub(crate) fn chain(error: &reqwest::Error) -> String {
    let mut texts = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    if texts.is_empty() { "request failed".to_owned() } else { texts.join(": ") }
}
