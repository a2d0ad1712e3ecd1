use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};
use tapisservice_devsite::{DevSite, DevSiteError};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::helpers::{envelope, get, http, site};

/// Starts a service and routes `bookmarks` to it.
pub(crate) async fn routed(service: Router) -> DevSite {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let site = site().await;
    site.route_to("bookmarks", &format!("http://{address}")).unwrap();
    site
}

/// Answers with the request as it came.
async fn mirror(req: Request) -> Response {
    let fields =
        |name| req.headers().get_all(name).iter().map(|v| v.to_str().unwrap().to_owned()).collect::<Vec<_>>();
    let names = [
        "host",
        "x-tapis-token",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-port",
        "x-forwarded-proto",
        "connection",
        "x-hop",
        "te",
        "forwarded",
    ];
    let headers: Value = names.into_iter().map(|name| (name.to_owned(), json!(fields(name)))).collect();
    let body = json!({"method": req.method().as_str(), "target": req.uri().to_string(), "headers": headers});
    ([("keep-alive", "timeout=5"), ("x-answer", "kept")], body.to_string()).into_response()
}

#[tokio::test]
async fn requests_reach_the_service_as_they_were_sent() {
    let site = routed(Router::new().fallback(mirror)).await;
    let request = http().patch(format!("{}/v3/bookmarks//a%2Fb/?q=%20x", site.tenant_url("dev").unwrap()));
    let request = request.header("X-Tapis-Token", "token").header("X-Forwarded-For", "8.8.8.8");
    let request =
        request.header("Forwarded", "for=8.8.8.8").header("Connection", "x-hop").header("X-Hop", "1");
    let res = request.header("TE", "trailers").send().await.unwrap();
    assert_eq!(res.headers()["x-answer"], "kept");
    assert!(!res.headers().contains_key("keep-alive"));

    let seen: Value = res.json().await.unwrap();
    assert_eq!((&seen["method"], &seen["target"]), (&json!("PATCH"), &json!("/v3/bookmarks//a%2Fb/?q=%20x")));
    let host = site.tenant_url("dev").unwrap().trim_start_matches("http://").to_owned();
    let headers = &seen["headers"];
    assert_eq!((&headers["host"], &headers["x-forwarded-host"]), (&json!([host]), &json!([host])));
    assert_eq!(headers["x-tapis-token"], json!(["token"]));
    let peer = headers["x-forwarded-for"][0].as_str().unwrap();
    assert!(
        ["127.0.0.1", "::1"].contains(&peer) && headers["x-forwarded-for"].as_array().unwrap().len() == 1
    );
    assert_eq!(headers["x-forwarded-proto"], json!(["http"]));
    assert_eq!(headers["x-forwarded-port"][0].as_str().unwrap(), host.rsplit(':').next().unwrap());
    for gone in ["x-hop", "te", "forwarded"] {
        assert_eq!(headers[gone], json!([]), "{gone}");
    }
}

#[tokio::test]
async fn every_host_is_passed_on_for_the_service_to_judge() {
    let site = routed(Router::new().fallback(mirror)).await;
    let request = http().get(format!("{}/v3/bookmarks", site.url())).header("Host", "unknown.example.org");
    let seen: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(seen["headers"]["host"], json!(["unknown.example.org"]));
}

#[tokio::test]
async fn bodies_are_streamed_both_ways() {
    let echo = |req: Request| async { Body::from_stream(req.into_body().into_data_stream()) };
    let site = routed(Router::new().fallback(echo)).await;
    let (sender, receiver) = mpsc::channel::<&'static str>(1);
    let chunks = stream::unfold(receiver, |mut receiver| async {
        let chunk = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(chunk), receiver))
    });
    let request =
        http().post(format!("{}/v3/bookmarks/echo", site.url())).body(reqwest::Body::wrap_stream(chunks));
    // Each chunk comes back before the next one is sent: nothing on the way waits for the whole body.
    sender.send("one").await.unwrap();
    let mut res = request.send().await.unwrap();
    assert_eq!(res.chunk().await.unwrap().unwrap(), "one");
    sender.send("two").await.unwrap();
    assert_eq!(res.chunk().await.unwrap().unwrap(), "two");
    drop(sender);
    assert!(res.chunk().await.unwrap().is_none());
}

#[tokio::test]
async fn a_service_that_is_down_is_unavailable() {
    let site = site().await;
    envelope(get(format!("{}/v3/bookmarks", site.url())).await, 404).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    site.route_to("bookmarks", &format!("http://{closed}")).unwrap();
    let res = get(format!("{}/v3/bookmarks/x", site.url())).await;
    assert!(res.headers().contains_key("retry-after"));
    envelope(res, 503).await;
    site.remove_route("bookmarks");
    envelope(get(format!("{}/v3/bookmarks", site.url())).await, 404).await;
}

#[tokio::test]
async fn a_service_that_breaks_off_is_a_bad_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = site().await;
    site.route_to("bookmarks", &format!("http://{}", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    envelope(get(format!("{}/v3/bookmarks", site.url())).await, 502).await;
}

#[tokio::test]
async fn a_route_lists_the_service_at_the_primary_site_and_may_replace_an_api() {
    let site = routed(Router::new().fallback(mirror)).await;
    site.route_to("notes", "http://127.0.0.1:1").unwrap();
    let record = envelope(get(format!("{}/v3/sites/tacc", site.url())).await, 200).await;
    assert!(record["result"]["services"].as_array().unwrap().contains(&json!("notes")));
    site.route_to("systems", "http://127.0.0.1:1").unwrap();
    envelope(get(format!("{}/v3/systems/hello", site.url())).await, 503).await;
    assert!(matches!(site.route_to("a/b", "http://127.0.0.1:1"), Err(DevSiteError::InvalidId(_))));
    assert!(matches!(site.route_to("notes", "localhost:1"), Err(DevSiteError::InvalidUpstream(_))));
}
