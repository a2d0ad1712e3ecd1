//! Bodies that stream.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use serde_json::json;
use tapisservice_client::call::Multipart;
use tapisservice_client::spec::Catalog;
use tapisservice_client::{ClientError, Progress, Upload};
use tokio::sync::mpsc;

use crate::helpers::{Server, response};

#[tokio::test]
async fn a_file_goes_over_in_pieces_and_reports_its_progress() {
    let server = Server::start().await;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let content: Vec<u8> = (0..300_000_u32).map(|n| u8::try_from(n % 251).unwrap()).collect();
    file.write_all(&content).unwrap();
    let steps = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let seen = Arc::clone(&steps);
    let upload = Upload::path(file.path()).on_progress(move |progress| seen.lock().push(progress));
    let operation = Catalog::bundled().operation("files", "insert").unwrap();
    let call =
        server.resource_client().call(operation).arg("systemId", "s").arg("path", "a/b").file("file", upload);
    call.send().await.unwrap();

    let got = server.take_one();
    assert_eq!(got.field("content-length").unwrap(), got.body.len().to_string(), "the length is known");
    assert!(got.body.windows(content.len()).any(|window| window == content));
    let steps = steps.lock();
    assert!(steps.len() > 3 && steps.windows(2).all(|pair| pair[0].done < pair[1].done));
    assert!(steps.iter().all(|step| step.total == Some(300_000)));
    assert_eq!(steps.last().unwrap().done, 300_000);
}

/// The second piece is made only after the server has the first: what waits for the whole would wait for ever.
#[tokio::test]
async fn a_stream_is_sent_as_it_comes() {
    let (arrived, mut first) = mpsc::channel::<Bytes>(8);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| async move {
        let mut body = request.into_body().into_data_stream();
        while let Some(Ok(piece)) = body.next().await {
            arrived.send(piece).await.unwrap();
        }
    });
    tokio::spawn(async { axum::serve(listener, app).await });
    let pieces = async_stream(move |give| {
        Box::pin(async move {
            give.send(Ok(Bytes::from_static(b"one"))).await.unwrap();
            assert_eq!(first.recv().await.unwrap(), "one");
            give.send(Ok(Bytes::from_static(b"two"))).await.unwrap();
            assert_eq!(first.recv().await.unwrap(), "two");
        })
    });
    let destination = tapisservice_client::CallDestination::new(&base_url, "tacc", "x").unwrap();
    let caller = tapisservice_client::ResourceClient::new(&crate::helpers::transport(0), destination, None);
    caller.put("/v3/x").body_stream(Upload::stream(pieces)).send().await.unwrap();
}

type Give = mpsc::Sender<std::io::Result<Bytes>>;

fn async_stream(
    make: impl FnOnce(Give) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    let (give, take) = mpsc::channel(1);
    tokio::spawn(make(give));
    futures_util::stream::unfold(take, |mut take| async { take.recv().await.map(|piece| (piece, take)) })
}

#[tokio::test]
async fn multipart_forms_and_text_have_their_media_types() {
    let server = Server::start().await;
    let caller = server.resource_client();
    let parts =
        Multipart::new().text("note", "ü").file("file", Upload::bytes("a,b").with_media_type("text/csv"));
    caller.post("/v3/x").multipart(parts).send().await.unwrap();
    let got = server.take_one();
    let text = String::from_utf8(got.body.clone()).unwrap();
    assert!(got.field("content-type").unwrap().starts_with("multipart/form-data; boundary="));
    assert!(text.contains("name=\"note\"\r\n\r\nü\r\n"), "{text}");
    assert!(text.contains("Content-Type: text/csv\r\n\r\na,b\r\n"), "{text}");

    caller.post("/v3/x").form(json!({"a": [1, 2], "b": "c d", "n": null})).send().await.unwrap();
    let got = server.take_one();
    assert_eq!(got.field("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(got.body, b"a=1&a=2&b=c%20d");

    caller.post("/v3/x").body_bytes("hello").media_type("text/plain").send().await.unwrap();
    assert_eq!(server.take_one().field("content-type"), Some("text/plain"));
    caller.post("/v3/x").body_json([1]).media_type("application/merge-patch+json").send().await.unwrap();
    assert_eq!(server.take_one().field("content-type"), Some("application/merge-patch+json"));
    let bad = caller.post("/v3/x").body_bytes("x").media_type("text/plain\r\nX-Tapis-Token: x").send().await;
    assert!(matches!(bad, Err(ClientError::InvalidValue { .. })));
}

#[tokio::test]
async fn an_upload_in_memory_is_sent_again() {
    let server = Server::start().await;
    server.respond(response(503, &[], ""));
    let parts = Multipart::new().file("file", Upload::bytes("data"));
    server.resource_client().put("/v3/x").multipart(parts).send().await.unwrap();
    let seen = server.take();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body, seen[1].body);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named_and_nothing_is_sent() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("none"), folder.path().to_owned()] {
        let call = server.resource_client().put("/v3/x").body_stream(Upload::path(&path));
        let error = call.timeout(Duration::from_secs(20)).send().await.unwrap_err();
        assert!(
            matches!(&error, ClientError::File { path: named, .. } if *named == path.display().to_string())
        );
    }
    assert!(server.take().is_empty());
}
