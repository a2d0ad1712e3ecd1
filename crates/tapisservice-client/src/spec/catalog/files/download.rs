//! Fetches specifications, with limits of time and size.

use std::time::Duration;

use reqwest::Client;
use reqwest::redirect::Policy;
use url::Url;

use crate::registry::{chain, same_origin};
use crate::spec::reader::MAX_BYTES;
use crate::{ClientError, ClientSettingsError, SetupError, http_client};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(2);

/// Fetches files without credentials. No redirect leaves the origin. Unlike calls to Tapis, these requests use the proxies of the
/// environment: the files are public.
#[derive(Debug, Clone)]
pub(super) struct Downloader {
    client: Client,
    total: Duration,
}

impl Downloader {
    pub(super) fn new(total: Duration) -> Result<Self, ClientError> {
        let client = http_client::through_proxies()
            .connect_timeout(CONNECT)
            .redirect(Policy::custom(same_origin))
            .build()
            .map_err(|e| SetupError::from(ClientSettingsError::Client(e.to_string())))?;
        Ok(Self { client, total })
    }

    pub(super) async fn fetch(&self, url: &Url) -> Result<Vec<u8>, String> {
        tokio::time::timeout(self.total, self.read(url))
            .await
            .map_err(|_| format!("no complete response within {} s", self.total.as_secs_f64()))?
    }

    async fn read(&self, url: &Url) -> Result<Vec<u8>, String> {
        let mut response = self.client.get(url.clone()).send().await.map_err(|e| chain(&e))?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| chain(&e))? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(format!("it is larger than {MAX_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}
