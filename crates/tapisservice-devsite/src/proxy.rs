//! The reverse proxy in front of services, like nginx or traefik at a real site (rule D1).

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Request, StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use parking_lot::RwLock;

use crate::DevSiteError;
use crate::connect_info::ConnectInfo;
use crate::envelope::ApiError;
use crate::unread::RequestBody;

#[derive(Debug)]
pub(crate) struct Proxy {
    client: Client<HttpConnector, RequestBody>,
    upstreams: RwLock<BTreeMap<String, Authority>>,
}

impl Proxy {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        // One connection per request, as nginx does by default: the service may close a kept-alive connection just as
        // it is reused, and a POST, which cannot be retried, would fail with a spurious 502.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(connector);
        Self { client, upstreams: RwLock::default() }
    }

    pub(crate) fn route(&self, service: &str, upstream: &str) -> Result<(), DevSiteError> {
        let authority =
            authority_of(upstream).ok_or_else(|| DevSiteError::InvalidUpstream(upstream.to_owned()))?;
        self.upstreams.write().insert(service.to_owned(), authority);
        Ok(())
    }

    pub(crate) fn remove_route(&self, service: &str) {
        self.upstreams.write().remove(service);
    }

    /// The upstream for a path `/v3/<service>` or `/v3/<service>/...`; duplicate slashes are allowed.
    pub(crate) fn upstream(&self, path: &str) -> Option<Authority> {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let service = segments.next().filter(|first| *first == "v3").and(segments.next())?;
        self.upstreams.read().get(service).cloned()
    }

    /// Forwards a request with its path and Host unchanged, and streams both bodies.
    pub(crate) async fn forward(
        &self,
        req: Request<RequestBody>,
        upstream: &Authority,
        connect_info: ConnectInfo,
    ) -> Response {
        let Some(req) = outgoing(req, upstream, connect_info) else {
            return ApiError::bad_request("The request target cannot be forwarded.").into_response();
        };
        match self.client.request(req).await {
            Ok(mut res) => {
                remove_hop_by_hop(res.headers_mut());
                res.map(Body::new)
            }
            Err(error) if error.is_connect() => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "The service is unavailable.").into_response()
            }
            Err(error) => {
                tracing::debug!(%upstream, %error, "the upstream closed the connection");
                ApiError::new(StatusCode::BAD_GATEWAY, "The service closed the connection.").into_response()
            }
        }
    }
}

fn authority_of(upstream: &str) -> Option<Authority> {
    let uri: Uri = upstream.parse().ok()?;
    let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.path() == "/" && uri.query().is_none();
    let authority = uri.authority().filter(|_| plain)?;
    (!authority.as_str().contains('@')).then(|| authority.clone())
}

fn outgoing(
    req: Request<RequestBody>,
    upstream: &Authority,
    connect_info: ConnectInfo,
) -> Option<Request<RequestBody>> {
    let (mut parts, body) = req.into_parts();
    let target = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let uri = Uri::builder().scheme(Scheme::HTTP).authority(upstream.clone()).path_and_query(target);
    parts.uri = uri.build().ok()?;
    parts.version = Version::HTTP_11;
    remove_hop_by_hop(&mut parts.headers);
    set_forwarded_headers(&mut parts.headers, connect_info);
    Some(Request::from_parts(parts, body))
}

/// Sets the forwarded headers. Those of the client are replaced, because this is the edge.
fn set_forwarded_headers(headers: &mut HeaderMap, connect_info: ConnectInfo) {
    let host = headers.get_all(header::HOST).iter().next().cloned();
    let peer = HeaderValue::from_str(&connect_info.peer.to_string()).ok();
    let fields = [
        ("x-forwarded-for", peer),
        ("x-forwarded-host", host),
        ("x-forwarded-port", Some(HeaderValue::from(connect_info.port))),
        ("x-forwarded-proto", Some(HeaderValue::from_static("http"))),
    ];
    for (name, value) in fields {
        headers.remove(name);
        if let Some(value) = value {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers.remove(header::FORWARDED);
}

/// Removes hop-by-hop headers (RFC 9110, section 7.6.1).
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let usual = [
        header::CONNECTION,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ];
    for name in named.into_iter().chain(usual) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_named_by_connection_do_not_pass() {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("connection", "close, X-Private"), ("x-private", "1"), ("te", "gzip"), ("x-kept", "1")]
        {
            headers.insert(name, HeaderValue::from_static(value));
        }
        remove_hop_by_hop(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-kept"]);
    }

    #[test]
    fn an_upstream_is_an_http_address_and_nothing_more() {
        assert!(authority_of("http://127.0.0.1:5000").is_some());
        assert!(authority_of("http://[::1]:5000/").is_some());
        for wrong in [
            "127.0.0.1:5000",
            "https://a.example",
            "http://h/v3",
            "http://h/?q",
            "http://u:p@h",
            "",
            "http://",
        ] {
            assert!(authority_of(wrong).is_none(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn only_whole_segments_name_a_service() {
        let proxy = Proxy::new();
        proxy.route("bookmarks", "http://127.0.0.1:1").unwrap();
        let cases = [
            ("/v3/bookmarks", true),
            ("/v3/bookmarks/", true),
            ("//v3//bookmarks/x", true),
            ("/v3/bookmarksX", false),
            ("/v2/bookmarks", false),
            ("/bookmarks", false),
            ("*", false),
        ];
        for (path, found) in cases {
            assert_eq!(proxy.upstream(path).is_some(), found, "{path}");
        }
    }
}
