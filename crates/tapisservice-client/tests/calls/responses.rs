//! What can be had from a response.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tapisservice_client::{ClientError, ResourceClient, TransportSettings};
use tapisservice_core::Seconds;

use crate::helpers::{Server, json as json_response, response, transport_with};

#[tokio::test]
async fn the_result_is_read_whatever_json_it_is() {
    let server = Server::start().await;
    for result in [json!(0), json!(false), json!(""), json!(null), json!([[1, 2], []]), json!({"result": 1})]
    {
        let body = json!({"message": "m", "result": result, "status": "success", "version": "1", "metadata": {"totalCount": 3}});
        for media_type in
            ["application/json", "application/json; charset=utf-8", "Application/Problem+JSON", "text/json"]
        {
            server.respond(response(200, &[("content-type", media_type)], body.to_string()));
            let got: Value =
                server.resource_client().get("/v3/x").send().await.unwrap().deserialize().await.unwrap();
            assert_eq!(got, result);
        }
        server.respond(json_response(body.to_string()));
        let envelope =
            server.resource_client().get("/v3/x").send().await.unwrap().envelope::<Value>().await.unwrap();
        assert_eq!((envelope.result, envelope.metadata["totalCount"].clone()), (result, json!(3)));
        assert_eq!((envelope.message.as_str(), envelope.version.as_str()), ("m", "1"));
    }
}

#[tokio::test]
async fn results_are_typed_and_what_does_not_fit_is_named_by_its_place() {
    #[derive(Debug, Deserialize)]
    struct System {
        id: String,
    }
    let server = Server::start().await;
    server.respond(json_response(r#"{"result": [{"id": "a"}, {"id": "b"}]}"#));
    let systems: Vec<System> =
        server.resource_client().get("/v3/x").send().await.unwrap().deserialize().await.unwrap();
    assert_eq!(systems[1].id, "b");
    server.respond(json_response(r#"{"result": [{"id": "a"}, {"id": ["canary"]}]}"#));
    let error = server
        .resource_client()
        .get("/v3/x")
        .send()
        .await
        .unwrap()
        .deserialize::<Vec<System>>()
        .await
        .unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("[1].id") && !text.contains("canary"), "{text}");
}

#[tokio::test]
async fn responses_that_are_no_json_come_as_bytes_or_text() {
    let server = Server::start().await;
    let page = || response(200, &[("content-type", "text/html; charset=utf-8")], "<p>ü</p>");
    server.respond(page());
    let reply = server.resource_client().get("/v3/x").send().await.unwrap();
    assert_eq!(reply.media_type().as_deref(), Some("text/html"));
    assert_eq!(reply.text().await.unwrap(), "<p>ü</p>");
    server.respond(page());
    let error = server.resource_client().get("/v3/x").send().await.unwrap().json().await.unwrap_err();
    assert!(matches!(error, ClientError::InvalidResponse { .. }), "{error}");
    server.respond(response(204, &[], ""));
    assert!(server.resource_client().delete("/v3/x").send().await.unwrap().bytes().await.unwrap().is_empty());
    server.respond(response(200, &[], r#"{"a": [1]}"#));
    let unlabelled: Value = server.resource_client().get("/v3/x").send().await.unwrap().json().await.unwrap();
    assert_eq!(unlabelled, json!({"a": [1]}));
}

#[tokio::test]
async fn an_error_response_is_an_error_with_all_it_says_and_no_secret() {
    let server = Server::start().await;
    let long = format!("no\nsuch {}", "x".repeat(2000));
    for (body, message) in [
        (
            json!({"message": "no such system", "version": "1.2", "result": null}).to_string(),
            "no such system",
        ),
        ("<html>canary</html>".to_owned(), "Not Found"),
        (String::new(), "Not Found"),
        ("x".repeat(1024 * 1024), "Not Found"),
        (json!({"message": long}).to_string(), "no such x"),
    ] {
        server.respond(response(404, &[("content-type", "application/json")], body));
        let error = server.resource_client().get("/v3/x").query("token", "canary").send().await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary") && text.len() < 2000, "{text}");
        let ClientError::Status(status) = error else { panic!("{error:?}") };
        assert!(status.message.starts_with(message), "{}", status.message);
        assert_eq!((status.status.as_u16(), status.method.as_str()), (404, "GET"));
        assert_eq!(status.url, format!("{}/v3/x", server.base_url));
    }
    server.respond(response(404, &[], "as it is"));
    let reply = server.resource_client().get("/v3/x").any_status().send().await.unwrap();
    assert_eq!((reply.status().as_u16(), reply.text().await.unwrap().as_str()), (404, "as it is"));
}

#[tokio::test]
async fn what_is_too_large_for_memory_is_refused_and_may_be_streamed() {
    let server = Server::start().await;
    let mut settings = TransportSettings::default();
    settings.client_max_response_bytes = 100_000;
    let caller = ResourceClient::new(&transport_with(0, &settings), server.destination(), None);
    let chunks = || {
        Body::from_stream(stream::iter(vec![Bytes::from(vec![7; 60_000]); 3]).map(Ok::<_, std::io::Error>))
    };
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    bomb.write_all(&vec![0; 10_000_000]).unwrap();
    let bomb = bomb.finish().unwrap();
    for body in [
        response(200, &[], vec![0; 200_000]),
        response(200, &[], chunks()),
        response(200, &[("content-encoding", "gzip")], bomb),
    ] {
        server.respond(body);
        let error = caller.get("/v3/x").send().await.unwrap().bytes().await.unwrap_err();
        assert!(error.to_string().contains("larger than 100000 bytes"), "{error}");
    }
    server.respond(response(200, &[], chunks()));
    let pieces: Vec<Bytes> = caller.get("/v3/x").send().await.unwrap().stream().try_collect().await.unwrap();
    assert_eq!(pieces.iter().map(Bytes::len).sum::<usize>(), 180_000);
}

fn entries(folder: &std::path::Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[tokio::test]
async fn a_download_appears_whole_and_reports_its_progress() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.bin");
    std::fs::write(&path, "older").unwrap();
    server.respond(response(200, &[], vec![7; 500_000]));
    let (mut last, mut early) = (None, Vec::new());
    let reply = server.resource_client().get("/v3/x").send().await.unwrap();
    let done = reply
        .save_to(&path, |progress| {
            early.push(std::fs::read(&path).unwrap().len());
            last = Some(progress);
        })
        .await
        .unwrap();
    assert_eq!((done, std::fs::read(&path).unwrap().len()), (500_000, 500_000));
    assert!(early.iter().all(|length| *length == 5), "until then the older one is there");
    let last = last.unwrap();
    assert_eq!((last.done, last.total), (500_000, Some(500_000)));
    assert_eq!(entries(folder.path()), ["out.bin"]);
}

#[tokio::test]
async fn a_download_that_breaks_off_or_stalls_leaves_nothing_behind() {
    let server = Server::start().await;
    let mut settings = TransportSettings::default();
    settings.client_idle_timeout_seconds = Seconds::try_from(0.2).unwrap();
    let caller = ResourceClient::new(&transport_with(0, &settings), server.destination(), None);
    let folder = tempfile::tempdir().unwrap();
    let first = || stream::iter([Ok(Bytes::from_static(b"begin"))]);
    // Later, so that the head has gone out.
    let later = stream::once(async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(std::io::Error::other("broken"))
    });
    let broken = first().chain(later);
    let stalled = first().chain(stream::pending::<std::io::Result<Bytes>>());
    for (body, timeout) in [(Body::from_stream(broken), false), (Body::from_stream(stalled), true)] {
        server.respond(response(200, &[], body));
        let reply = caller.get("/v3/x").send().await.unwrap();
        let error = reply.save_to(folder.path().join("out"), |_| ()).await.unwrap_err();
        assert!(matches!(error, ClientError::Connection { timeout: t, .. } if t == timeout), "{error:?}");
        assert!(entries(folder.path()).is_empty());
    }
    server.respond(response(200, &[], "x"));
    let reply = caller.get("/v3/x").send().await.unwrap();
    let error = reply.save_to(folder.path().join("none/out"), |_| ()).await.unwrap_err();
    assert!(matches!(error, ClientError::File { .. }), "{error}");
}

#[tokio::test]
async fn a_download_that_is_dropped_leaves_nothing_behind() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let begun = Arc::new(tokio::sync::Notify::new());
    let stalled =
        stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"begin"))]).chain(stream::pending());
    server.respond(response(200, &[], Body::from_stream(stalled)));
    let reply = server.resource_client().get("/v3/x").send().await.unwrap();
    let seen = Arc::clone(&begun);
    let path = folder.path().join("out");
    let download = tokio::spawn(async move { reply.save_to(path, |_| seen.notify_one()).await });
    begun.notified().await;
    assert_eq!(entries(folder.path()).len(), 1);
    download.abort();
    assert!(download.await.is_err());
    assert!(entries(folder.path()).is_empty());
}

#[tokio::test]
async fn a_response_that_drips_ends_with_the_time_of_the_call() {
    let server = Server::start().await;
    let drip = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b" ")), ()))
    });
    server.respond(json_response(Body::from_stream(drip)));
    let reply =
        server.resource_client().get("/v3/x").timeout(Duration::from_millis(400)).send().await.unwrap();
    let error = reply.bytes().await.unwrap_err();
    assert!(matches!(error, ClientError::Connection { timeout: true, .. }), "{error}");
}
