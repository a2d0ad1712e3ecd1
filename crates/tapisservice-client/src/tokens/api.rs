//! The Tokens API of the service's own tenant.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Response;
use serde::{Deserialize, Serialize};
use tapisservice_core::{Secret, SiteId, TenantId, Username};
use tapisservice_tenants::TenantCache;

use super::endpoint::{ServiceTokenError, TokenEndpoint};
use super::fields::X_TAPIS_TOKEN;
use super::pair::{Pair, ServiceToken};
use crate::BoxFuture;
use crate::transport::send;

/// Far more than two tokens and their dates need.
const MAX_RESPONSE_BYTES: usize = 256 * 1024;

/// Obtains tokens with `POST` and `PUT {base_url of the service's tenant}/v3/tokens`.
pub(crate) struct TokensApi {
    /// Without retries and circuit breakers: the background task paces the attempts, and a failed refresh must not delay the fallback to the
    /// password.
    pub(crate) http: reqwest::Client,
    pub(crate) tenants: TenantCache,
    pub(crate) account: ServiceAccount,
    /// The timeout of one call.
    pub(crate) timeout: Duration,
}

/// The account of the service, and the lifetimes of its tokens.
pub(crate) struct ServiceAccount {
    pub(crate) name: Username,
    pub(crate) password: Option<Secret>,
    pub(crate) tenant_id: TenantId,
    /// `X-Tapis-Tenant` and `X-Tapis-User` of the service itself.
    pub(crate) fields: HeaderMap,
    /// Seconds.
    pub(crate) access_ttl: u64,
    /// Seconds.
    pub(crate) refresh_ttl: u64,
}

#[derive(Serialize)]
struct NewToken<'a> {
    account_type: &'static str,
    token_tenant_id: &'a TenantId,
    token_username: &'a Username,
    target_site_id: &'a SiteId,
    access_token_ttl: u64,
    generate_refresh_token: bool,
    refresh_token_ttl: u64,
}

#[derive(Serialize)]
struct Renewal<'a> {
    refresh_token: &'a str,
}

#[derive(Deserialize)]
struct TokenResponse {
    result: Pair,
}

impl TokenEndpoint for TokensApi {
    fn create<'a>(
        &'a self,
        target_site: &'a SiteId,
    ) -> BoxFuture<'a, Result<ServiceToken, ServiceTokenError>> {
        Box::pin(async move {
            let new = NewToken {
                account_type: "service",
                token_tenant_id: &self.account.tenant_id,
                token_username: &self.account.name,
                target_site_id: target_site,
                access_token_ttl: self.account.access_ttl,
                generate_refresh_token: true,
                refresh_token_ttl: self.account.refresh_ttl,
            };
            let what = format!("a token of service {} for site {target_site}", self.account.name);
            self.ask(Method::POST, (AUTHORIZATION, self.basic()?), &new, &what).await
        })
    }

    /// The old access token is sent too, expired or not, because the Tokens API expects it. Only the refresh token matters.
    fn refresh<'a>(
        &'a self,
        held: &'a ServiceToken,
    ) -> BoxFuture<'a, Result<ServiceToken, ServiceTokenError>> {
        Box::pin(async move {
            let token = held
                .refresh_token()
                .ok_or_else(|| ServiceTokenError::temporary("there is no refresh token"))?;
            let renewal = Renewal { refresh_token: token.expose() };
            let what = format!("the renewal of a token of service {}", self.account.name);
            self.ask(Method::PUT, (X_TAPIS_TOKEN, held.header().clone()), &renewal, &what).await
        })
    }
}

impl TokensApi {
    /// `credentials` is the only header with credentials: the API rejects a password together with a token.
    async fn ask(
        &self,
        method: Method,
        credentials: (HeaderName, HeaderValue),
        body: &(impl Serialize + Sync),
        what: &str,
    ) -> Result<ServiceToken, ServiceTokenError> {
        let url = self.url()?;
        let describe_failure = |reason: &str| format!("{method} {url} for {what}: {reason}");
        let fault = |reason: &str| ServiceTokenError::temporary(describe_failure(reason));
        let request = self.http.request(method.clone(), &url).timeout(self.timeout).json(body);
        let request = request.headers(self.account.fields.clone()).header(ACCEPT, "application/json");
        let request = request.header(credentials.0, credentials.1);
        let response = send(request).await.map_err(|error| fault(&describe(&error)))?;
        let status = response.status();
        if !status.is_success() {
            let refused = matches!(status.as_u16(), 400 | 401 | 403);
            let reason = describe_failure(&format!("status {}", status.as_u16()));
            return Err(if refused {
                ServiceTokenError::lasting(reason)
            } else {
                ServiceTokenError::temporary(reason)
            });
        }
        let body = read(response).await.map_err(|reason| fault(&reason))?;
        // serde_json's message could quote the response, which holds tokens.
        let response: TokenResponse =
            serde_json::from_slice(&body).map_err(|_| fault("the response has no access token"))?;
        ServiceToken::new(response.result).map_err(fault)
    }

    fn url(&self) -> Result<String, ServiceTokenError> {
        let registry = self
            .tenants
            .snapshot()
            .ok_or_else(|| ServiceTokenError::temporary("the tenant registry has not been loaded yet"))?;
        let id = &self.account.tenant_id;
        let tenant = registry.tenant(id.as_str()).ok_or_else(|| {
            ServiceTokenError::temporary(format!("the service's own tenant {id} is not in the registry"))
        })?;
        Ok(format!("{}/v3/tokens", tenant.base_url()))
    }

    fn basic(&self) -> Result<HeaderValue, ServiceTokenError> {
        let reason = "service_password is not set";
        let password = self.account.password.as_ref().filter(|password| !password.expose().is_empty());
        let missing = || ServiceTokenError::lasting(reason);
        let pair = Secret::from(format!("{}:{}", self.account.name, password.ok_or_else(missing)?.expose()));
        let text = Secret::from(format!("Basic {}", STANDARD.encode(pair.expose())));
        let mut value = HeaderValue::from_str(text.expose()).map_err(|_| missing())?;
        value.set_sensitive(true);
        Ok(value)
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| describe(&error))? {
        if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
            return Err("the response is too large".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The cause, without the URL, which the message around it has.
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no complete response in time".to_owned();
    }
    let causes = std::iter::successors(std::error::Error::source(error), |&cause| cause.source());
    causes.last().map_or_else(|| "request failed".to_owned(), ToString::to_string)
}
