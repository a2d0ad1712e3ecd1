//! The Tenants API as it is, and as it is when it fails (rules T1 and T8, F03 and F05).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write as _;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, LOCATION};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::get;
use tapisservice_client::{ClientSettings, ClientSettingsError, TenantsApi};
use tapisservice_core::Seconds;
use tapisservice_tenants::TenantSource as _;

async fn serve(tenants: fn() -> Response<Body>) -> String {
    let sites = || async { r#"{"result": [{"site_id": "tacc"}]}"# };
    let app = Router::new()
        .route("/v3/sites", get(sites))
        .route("/v3/tenants", get(move || async move { tenants() }))
        .route("/elsewhere", get(|| async { r#"{"result": [{"tenant_id": "moved"}]}"# }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/")
}

fn api(base_url: String) -> TenantsApi {
    let mut settings = ClientSettings::new(base_url);
    settings.registry_timeout_seconds = Seconds::try_from(0.5).unwrap();
    settings.registry_max_bytes = 10_000;
    TenantsApi::new(&settings).unwrap()
}

fn body(text: &'static str) -> Response<Body> {
    Response::new(Body::from(text))
}

fn redirect(to: &'static str) -> Response<Body> {
    Response::builder().status(StatusCode::FOUND).header(LOCATION, to).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn both_lists_are_read() {
    let base_url =
        serve(|| body(r#"{"result": [{"tenant_id": "a"}, {"tenant_id": "b"}], "status": "success"}"#)).await;
    let data = api(base_url).fetch().await.unwrap();
    assert_eq!((data.tenants.len(), data.sites.len()), (2, 1));
}

/// Rule T1: Tenants is asked before there can be a token.
#[tokio::test]
async fn the_registry_is_asked_without_a_token() {
    let respond = |headers: HeaderMap| async move {
        let signed_in =
            headers.keys().any(|name| name.as_str().starts_with("x-tapis") || name == AUTHORIZATION);
        if signed_in {
            StatusCode::IM_A_TEAPOT.into_response()
        } else {
            body(r#"{"result": []}"#).into_response()
        }
    };
    let app = Router::new().route("/v3/tenants", get(respond)).route("/v3/sites", get(respond));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    api(format!("http://{address}")).fetch().await.unwrap();
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed() {
    let base_url = serve(|| redirect("/elsewhere")).await;
    assert_eq!(api(base_url).fetch().await.unwrap().tenants[0].field("tenant_id"), Some("moved".into()));
}

#[tokio::test]
async fn what_is_no_list_of_records_is_an_error_that_quotes_nothing() {
    type CallResponse = fn() -> Response<Body>;
    let cases: [(CallResponse, &str); 7] = [
        (|| body("<html>canary</html>"), "not a list of records"),
        (|| body(r#"{"result": "canary"}"#), "not a list of records"),
        (|| body(r#"{"result": [{"tenant_id": "canary"#), "not a list of records"),
        (|| body(""), "not a list of records"),
        (|| Response::builder().status(500).body(Body::from("canary")).unwrap(), "status 500"),
        (|| redirect("http://127.0.0.2:9/canary"), "another origin"),
        (
            || {
                Response::new(Body::from_stream(futures_util::stream::pending::<
                    Result<String, std::io::Error>,
                >()))
            },
            "within 0.5 s",
        ),
    ];
    for (response, reason) in cases {
        let error = api(serve(response).await).fetch().await.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert!(!error.contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn a_response_is_measured_after_decompression() {
    fn bomb() -> Response<Body> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&vec![b'0'; 5_000_000]).unwrap();
        let body = Body::from(encoder.finish().unwrap());
        Response::builder().header(CONTENT_ENCODING, "gzip").body(body).unwrap()
    }
    let error = api(serve(bomb).await).fetch().await.unwrap_err().to_string();
    assert!(error.contains("larger than 10000 bytes"), "{error}");
}

/// What fits in 8 MiB when it is made to cost as much as it can.
#[tokio::test]
async fn a_response_of_too_many_records_is_refused_with_the_reason() {
    async fn fetch(record: &'static str) -> Result<usize, String> {
        let app = Router::new().fallback(get(move || async move {
            let records = vec![record; (8 << 20) / (record.len() + 1) - 10];
            format!(r#"{{"result": [{}]}}"#, records.join(","))
        }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let mut settings = ClientSettings::new(base_url);
        settings.registry_timeout_seconds = Seconds::new(60);
        let fetched = TenantsApi::new(&settings).unwrap().fetch().await;
        fetched.map(|data| data.tenants.len()).map_err(|error| error.to_string())
    }
    for record in ["{}", r#"{"a":{}}"#, "0"] {
        let error = fetch(record).await.unwrap_err();
        assert_eq!(error, "GET /v3/tenants: the response has more than 10000 records");
    }
}

#[test]
fn a_base_url_of_the_primary_site_has_no_user_query_or_fragment() {
    for (url, part) in [
        ("https://admin.tapis.test/?x", "query"),
        ("https://admin.tapis.test/#x", "fragment"),
        ("https://admin.tapis.test/v3", "path"),
        ("https://me@admin.tapis.test", "user or password"),
    ] {
        let refused = TenantsApi::new(&ClientSettings::new(url)).unwrap_err();
        assert_eq!(refused, ClientSettingsError::BaseUrlPart(part), "{url}");
    }
}

#[tokio::test]
async fn nobody_there_is_an_error_at_once() {
    let error =
        tokio::time::timeout(Duration::from_secs(5), api("http://127.0.0.1:1".to_owned()).fetch()).await;
    assert!(error.unwrap().unwrap_err().to_string().starts_with("GET /v3/"));
}

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    let wrong = ClientSettings::new("ftp://admin.tapis.test");
    assert_eq!(TenantsApi::new(&wrong).unwrap_err(), ClientSettingsError::BaseUrl);
    let mut wrong = ClientSettings::new("http://a.test");
    wrong.connect_timeout_seconds = Seconds::ZERO;
    assert_eq!(TenantsApi::new(&wrong).unwrap_err(), ClientSettingsError::Zero("connect_timeout_seconds"));
}
