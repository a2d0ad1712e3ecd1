use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tapisservice_devsite::DevSite;

pub(crate) async fn site() -> DevSite {
    DevSite::builder().server("dev").service("bookmarks", "open-sesame").start().await.unwrap()
}

pub(crate) fn http() -> Client {
    #[expect(clippy::disallowed_methods, reason = "the proxies are taken away here")]
    let builder = Client::builder().no_proxy();
    builder.build().unwrap()
}

/// An address below a tenant's base URL.
pub(crate) fn at(site: &DevSite, tenant: &str, path: &str) -> String {
    format!("{}{path}", site.tenant_url(tenant).unwrap())
}

pub(crate) async fn get(url: impl reqwest::IntoUrl) -> Response {
    http().get(url).send().await.unwrap()
}

/// The body of a response that must have this status, be exactly `application/json`, and be an envelope.
pub(crate) async fn envelope(res: Response, status: u16) -> Value {
    let (got, headers) = (res.status(), res.headers().clone());
    let body: Value = serde_json::from_slice(&res.bytes().await.unwrap()).unwrap();
    assert_eq!(got, StatusCode::from_u16(status).unwrap(), "{body}");
    let media_types: Vec<_> = headers.get_all("content-type").iter().collect();
    assert_eq!(media_types, ["application/json"]);
    assert_eq!(body["status"], if status < 400 { "success" } else { "error" });
    assert!(
        body["message"].is_string() && body["version"].is_string() && body["metadata"].is_object(),
        "{body}"
    );
    assert!(status < 400 || body["result"].is_null(), "{body}");
    assert_eq!(headers.contains_key("www-authenticate"), status == 401);
    body
}

pub(crate) async fn response(req: RequestBuilder, status: u16) -> Value {
    envelope(req.send().await.unwrap(), status).await
}

/// What the Python tapisservice asks the Tokens API for.
pub(crate) fn service_token_request() -> Value {
    json!({
        "account_type": "service", "token_tenant_id": "admin", "token_username": "bookmarks", "target_site_id": "tacc",
        "access_token_ttl": 86400, "generate_refresh_token": true, "refresh_token_ttl": 3_153_600_000_i64,
    })
}

/// The claims of a token whose signature verifies with the key that the Tenants API publishes, by another library.
pub(crate) async fn verified_claims(site: &DevSite, tenant: &str, token: &str) -> Value {
    let record = envelope(get(at(site, "tacc", &format!("/v3/tenants/{tenant}"))).await, 200).await;
    let pem = record["result"]["public_key"].as_str().unwrap();
    let key = jsonwebtoken::DecodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
    let validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
    jsonwebtoken::decode::<Value>(token, &key, &validation).unwrap().claims
}
