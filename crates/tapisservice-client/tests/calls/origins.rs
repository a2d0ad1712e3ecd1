//! No token crosses an origin.

use std::sync::Arc;

use http::Method;
use tapisservice_client::{ClientError, ResourceClient};

use crate::helpers::{Server, Tokens, response, transport};

#[tokio::test]
async fn a_redirect_to_another_origin_is_not_followed() {
    let (here, there) = (Server::start().await, Server::start().await);
    let caller = ResourceClient::new(&transport(0), here.destination(), Some(Arc::new(Tokens::default())));
    for status in [301, 302, 303, 307, 308] {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE] {
            here.respond(response(status, &[("location", &format!("{}/v3/x", there.base_url))], ""));
            let error = caller.request(method.clone(), "/v3/x").send().await.unwrap_err();
            let expected = if matches!(method, Method::GET | Method::HEAD) { None } else { Some(status) };
            assert_eq!(error.status().map(|s| s.as_u16()), expected, "{method} {error}");
        }
    }
    assert!(there.take().is_empty());
    assert_eq!(here.take().len(), 25);
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed_for_get_only() {
    let server = Server::start().await;
    let caller = ResourceClient::new(&transport(0), server.destination(), Some(Arc::new(Tokens::default())));
    server.respond(response(307, &[("location", "/v3/y?a=b")], ""));
    caller.get("/v3/x").header("If-Match", "1").send().await.unwrap();
    let seen = server.take();
    assert_eq!((seen[0].target.as_str(), seen[1].target.as_str()), ("/v3/x", "/v3/y?a=b"));
    assert!(
        seen.iter().all(|r| r.field("x-tapis-token") == Some("token-0") && r.field("if-match") == Some("1"))
    );

    server.respond(response(307, &[("location", "/v3/y")], ""));
    let error = caller.post("/v3/x").body_json(1).send().await.unwrap_err();
    assert_eq!((error.status().map(|s| s.as_u16()), server.take().len()), (Some(307), 1));
}

#[tokio::test]
async fn redirects_in_a_circle_or_to_nowhere_end() {
    let server = Server::start().await;
    for _ in 0..4 {
        server.respond(response(302, &[("location", "/v3/x")], ""));
    }
    let error = server.resource_client().get("/v3/x").send().await.unwrap_err();
    assert!(matches!(error, ClientError::InvalidResponse { .. }), "{error}");
    assert_eq!(server.take().len(), 4);
    for location in ["http://", "http://[", "javascript:alert(1)", "//evil.test/v3/x"] {
        server.respond(response(302, &[("location", location)], ""));
        let error = server.resource_client().get("/v3/x").send().await.unwrap_err();
        assert!(matches!(error, ClientError::InvalidResponse { .. }), "{location}: {error}");
    }
}

#[tokio::test]
async fn the_http_client_leads_nowhere_else() {
    let (here, there) = (Server::start().await, Server::start().await);
    let caller = ResourceClient::new(&transport(0), here.destination(), Some(Arc::new(Tokens::default())));
    let http = caller.http_client();
    for url in [format!("{}/v3/x", there.base_url), "https://127.0.0.1/v3/x?token=secret".to_owned()] {
        let error = http.get(url).send().await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(text.contains("is not below") && !text.contains("secret"), "{text}");
    }
    assert!(here.take().is_empty() && there.take().is_empty());
}

#[tokio::test]
async fn a_user_in_a_url_signs_nobody_in() {
    let server = Server::start().await;
    let http = ResourceClient::new(&transport(0), server.destination(), Some(Arc::new(Tokens::default())))
        .http_client();
    let url = server.base_url.replace("http://", "http://me:secret@");
    http.get(format!("{url}/v3/x")).send().await.unwrap();
    let got = server.take_one();
    assert_eq!((got.field("authorization"), got.field("x-tapis-token")), (None, Some("token-0")));
}
