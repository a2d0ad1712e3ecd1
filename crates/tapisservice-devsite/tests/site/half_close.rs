//! Clients that close their side after a whole request, and clients that go.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::router::routed;

const TIMEOUT: Duration = Duration::from_secs(20);
/// Longer than it takes to find out that a client has gone.
const SLOW: Duration = Duration::from_millis(3_500);
const PROBE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// Answers with the method and the length of the body.
async fn sized(req: Request) -> String {
    let method = req.method().clone();
    let body = axum::body::to_bytes(req.into_body(), usize::MAX).await.unwrap();
    format!("<{method} {}>", body.len())
}

async fn slow(req: Request) -> String {
    let response = sized(req).await;
    sleep(SLOW).await;
    response
}

fn upstream() -> Router {
    Router::new().route("/v3/bookmarks/fast", any(sized)).route("/v3/bookmarks/slow", any(slow))
}

/// All that comes back when the client closes its side behind `requests`.
async fn half_closed(address: &str, requests: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(requests.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut got = String::new();
    timeout(TIMEOUT, stream.read_to_string(&mut got)).await.unwrap().expect("no reset");
    got
}

fn get(path: &str) -> String {
    format!("GET /v3/bookmarks/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

#[tokio::test]
async fn a_client_that_closes_its_side_gets_its_answer() {
    let site = routed(upstream()).await;
    let url = site.url();
    let address = url.trim_start_matches("http://");
    let ask = async |path: &str, version: &str, interim: &str| {
        for (rest, response) in [
            (format!("GET /v3/bookmarks/{path} {version}\r\nHost: localhost\r\n\r\n"), "<GET 0>"),
            (
                format!(
                    "POST /v3/bookmarks/{path} {version}\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody"
                ),
                "<POST 4>",
            ),
        ] {
            let got = half_closed(address, &rest).await;
            let last = got.strip_prefix(interim).unwrap_or_else(|| panic!("{rest}{got}"));
            assert!(last.starts_with(&format!("{version} 200 OK\r\n")), "{rest}{got}");
            assert!(last.ends_with(response), "{rest}{got}");
        }
    };
    tokio::join!(
        ask("fast", "HTTP/1.1", ""),
        ask("slow", "HTTP/1.1", PROBE),
        ask("fast", "HTTP/1.0", ""),
        ask("slow", "HTTP/1.0", ""),
    );
}

#[tokio::test]
async fn an_answer_of_the_site_itself_reaches_a_client_that_closed_its_side() {
    let site = routed(upstream()).await;
    let url = site.url();
    let address = url.trim_start_matches("http://");
    let got = half_closed(address, "GET /v3/tenants HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "{got}");
}

#[tokio::test]
async fn all_requests_before_the_close_are_answered() {
    let site = routed(upstream()).await;
    let url = site.url();
    let address = url.trim_start_matches("http://");
    for paths in [["fast", "fast", "fast"], ["fast", "slow", "fast"]] {
        let got = half_closed(address, &paths.map(get).concat()).await;
        assert_eq!(got.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{got}");
        assert_eq!(got.matches("<GET 0>").count(), 3, "{got}");
    }
}

#[tokio::test]
async fn a_caller_that_hangs_up_ends_the_request_to_the_service() {
    // Dropped with the request, which is when the service sees that its connection is closed.
    struct Ended(mpsc::UnboundedSender<&'static str>);
    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.send("ended");
        }
    }
    let (tell, mut events) = mpsc::unbounded_channel();
    let hang = move |req: Request| {
        let tell = tell.clone();
        async move {
            let _ = sized(req).await;
            let _ = tell.send("begun");
            let _ended = Ended(tell);
            std::future::pending::<()>().await;
        }
    };
    let site = routed(Router::new().fallback(hang)).await;
    let url = site.url();
    let address = url.trim_start_matches("http://");
    let post = "POST /v3/bookmarks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody";
    for request in [get("x").as_str(), post] {
        for reset in [false, true] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            assert_eq!(timeout(TIMEOUT, events.recv()).await.unwrap(), Some("begun"));
            if reset {
                stream.set_zero_linger().unwrap();
            }
            let start = Instant::now();
            drop(stream);
            assert_eq!(timeout(TIMEOUT, events.recv()).await.unwrap(), Some("ended"));
            let took = start.elapsed();
            assert!(took < Duration::from_secs(4), "{request} {reset} {took:?}");
        }
    }
}
