//! Requests that are answered before their body was read.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::helpers::site;

const TIMEOUT: Duration = Duration::from_secs(20);

/// What the site says to the head of a request, and what happens to the body that is sent afterwards.
async fn response(address: &str, head: &str, body: Vec<u8>) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut got = Vec::new();
    let reading = async {
        while !got.windows(4).any(|window| window == b"\r\n\r\n") {
            assert!(stream.read_buf(&mut got).await.unwrap() > 0, "no answer to {head}");
        }
        stream.write_all(&body).await.expect("it is read and thrown away");
        stream.read_to_end(&mut got).await.expect("no reset");
    };
    tokio::time::timeout(TIMEOUT, reading).await.unwrap();
    String::from_utf8(got).unwrap()
}

#[tokio::test]
async fn an_answer_before_the_body_says_that_the_connection_closes() {
    let site = site().await;
    let address = site.url().trim_start_matches("http://").to_owned();
    for (target, status) in
        [("/v3/nothing", "404"), ("/v3/tenants", "405"), ("/v3/security/user/grantRole", "401")]
    {
        for (framing, body) in [
            ("Content-Length: 2", b"{}".to_vec()),
            ("Content-Length: 300000", vec![b'x'; 300_000]),
            ("Content-Length: 2\r\nExpect: 100-continue", Vec::new()),
            ("Transfer-Encoding: chunked", b"2\r\n{}\r\n0\r\n\r\n".to_vec()),
        ] {
            let head = format!("POST {target} HTTP/1.1\r\nHost: localhost\r\n{framing}\r\n\r\n");
            let response = response(&address, &head, body).await;
            assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{head}{response}");
            assert!(response.contains("\r\nconnection: close\r\n"), "{head}{response}");
        }
    }
}

#[tokio::test]
async fn a_body_that_was_read_keeps_the_connection() {
    let site = site().await;
    let mut stream = TcpStream::connect(site.url().trim_start_matches("http://")).await.unwrap();
    for _ in 0..2 {
        let head = "POST /v3/oauth2/tokens HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut got = vec![0; 4096];
        let read = tokio::time::timeout(TIMEOUT, stream.read(&mut got)).await.unwrap().unwrap();
        let response = String::from_utf8_lossy(&got[..read]).into_owned();
        assert!(response.starts_with("HTTP/1.1 4") && !response.contains("connection: close"), "{response}");
    }
}
