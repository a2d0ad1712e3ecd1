use std::time::Duration;

use tapisservice_client::ClientError;
use tapisservice_devsite::DevSite;
use tapisservice_user::UserClient;
use tapisservice_user::{Tokens, UserClientBuilder};

pub(crate) const PASSWORD: &str = "canary-password";
pub(crate) const CLIENT: (&str, &str) = ("notebook", "canary-client-key");
pub(crate) const TOKENS: &str = "POST /v3/oauth2/tokens";
pub(crate) const SYSTEMS: &str = "GET /v3/systems";

pub(crate) async fn site() -> DevSite {
    let site = DevSite::builder().server("dev").user("alice", PASSWORD).client(CLIENT.0, CLIENT.1);
    site.start().await.unwrap()
}

pub(crate) fn at(site: &DevSite, tenant: &str) -> UserClientBuilder {
    UserClient::builder(site.tenant_url(tenant).unwrap())
}

/// Alice's tokens, of which the access token lives so long, and a refresh token.
pub(crate) fn tokens(site: &DevSite, life: Duration) -> Tokens {
    let access = site.token().for_user("tacc", "alice").expires_in(life).mint();
    Tokens::new(access).with_refresh_token(site.refresh_token_for_user("tacc", "alice"))
}

pub(crate) fn expired(site: &DevSite) -> Tokens {
    Tokens::new(site.expired_token_for_user("tacc", "alice"))
        .with_refresh_token(site.refresh_token_for_user("tacc", "alice"))
}

/// A refresh token that the site refuses.
pub(crate) fn bad_refresh_token(site: &DevSite) -> String {
    site.token().for_user("tacc", "alice").refresh().signed_by("dev").mint()
}

pub(crate) async fn with(site: &DevSite, tokens: impl Into<Tokens>) -> UserClient {
    at(site, "tacc").access_token(tokens).await.unwrap()
}

/// The ids of the systems that the user owns.
pub(crate) async fn systems(tapis: &UserClient) -> Result<Vec<String>, ClientError> {
    let response = tapis.operation("systems", "getSystems").send().await?;
    let systems: Vec<serde_json::Value> = response.deserialize().await?;
    Ok(systems.iter().map(|system| system["id"].as_str().unwrap().to_owned()).collect())
}

pub(crate) fn is_signed_out(error: &ClientError, wanted_temporary: bool) -> bool {
    matches!(error, ClientError::Credentials { temporary, .. } if *temporary == wanted_temporary)
}
