//! What the client costs beside plain reqwest, in one run: `cargo bench -p tapisservice-client --bench overhead`.
//!
//! Both sides talk to the same server in the same process, in turn, so that what disturbs one disturbs the other; the medians of the
//! rounds are compared.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a program for a person at a terminal")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use tapisservice_client::spec::Catalog;
use tapisservice_client::{
    BoxFuture, CallDestination, ClientError, Credentials, ResourceClient, Transport, TransportSettings,
};

const ROUNDS: usize = 61;

/// A token at hand, as service tokens are.
#[derive(Debug)]
struct Token(HeaderMap);

impl Credentials for Token {
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, ClientError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn renew<'a>(&'a self, _: &'a HeaderMap) -> BoxFuture<'a, Result<bool, ClientError>> {
        Box::pin(async { Ok(false) })
    }
}

#[derive(Deserialize)]
struct CallResponse<T> {
    result: T,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "only read")]
struct System {
    id: String,
    host: String,
    port: u16,
    tags: Vec<String>,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let start = Instant::now();
    let operation = Catalog::bundled().operation("systems", "getSystem").unwrap();
    println!("bundled index, first operation {:>9.3} ms   (aim: under 5)", milliseconds(start.elapsed()));

    let base_url = serve().await;
    let token = HeaderValue::from_static("a-token-of-the-usual-length");
    let fields: HeaderMap = [
        ("x-tapis-token", token.clone()),
        ("x-tapis-tenant", HeaderValue::from_static("tacc")),
        ("x-tapis-user", HeaderValue::from_static("alice")),
    ]
    .map(|(name, value)| (http::HeaderName::from_static(name), value))
    .into_iter()
    .collect();
    let transport = Transport::new(&TransportSettings::default()).unwrap();
    let destination = CallDestination::new(&base_url, "tacc", "systems").unwrap();
    let caller = ResourceClient::new(&transport, destination, Some(Arc::new(Token(fields.clone()))));
    // With the time limits that ours has: a call that may hang for ever is no measure.
    #[expect(clippy::disallowed_methods, reason = "the proxies are taken away here")]
    let builder = reqwest::Client::builder().no_proxy();
    let plain = builder
        .default_headers(fields)
        .timeout(Duration::from_mins(1))
        .connect_timeout(Duration::from_secs(2))
        .build()
        .unwrap();

    compare(
        "call",
        200,
        async || {
            let url = format!("{base_url}/v3/systems/one");
            let response = plain.get(url).send().await.unwrap().error_for_status().unwrap();
            black_box(response.json::<CallResponse<System>>().await.unwrap().result);
        },
        async || {
            let response = caller.call(operation.clone()).arg("systemId", "one").send().await.unwrap();
            black_box(response.deserialize::<System>().await.unwrap());
        },
    )
    .await;

    compare(
        "list of 1,000",
        10,
        async || {
            let response = plain.get(format!("{base_url}/v3/list")).send().await.unwrap();
            black_box(response.json::<CallResponse<Vec<System>>>().await.unwrap().result);
        },
        async || {
            let response = caller.get("/v3/list").send().await.unwrap();
            black_box(response.deserialize::<Vec<System>>().await.unwrap());
        },
    )
    .await;

    compare(
        "download of 5 MiB",
        2,
        async || {
            black_box(plain.get(format!("{base_url}/v3/file")).send().await.unwrap().bytes().await.unwrap());
        },
        async || {
            black_box(caller.get("/v3/file").send().await.unwrap().bytes().await.unwrap());
        },
    )
    .await;
}

async fn serve() -> String {
    let system =
        |id: String| json!({"id": id, "host": "login.example.org", "port": 22, "tags": ["a", "b", "c"]});
    let one =
        json!({"result": system("one".to_owned()), "message": "ok", "status": "success", "version": "1"});
    let many: Vec<_> = (0..1000).map(|n| system(format!("system-{n}"))).collect();
    let many = json!({"result": many, "message": "ok", "status": "success", "version": "1"});
    let respond = |body: Bytes| {
        get(move || {
            let body = body.clone();
            async move { ([(CONTENT_TYPE, "application/json")], body) }
        })
    };
    let app = Router::new()
        .route("/v3/systems/{id}", respond(one.to_string().into()))
        .route("/v3/list", respond(many.to_string().into()))
        .route("/v3/file", respond(vec![7_u8; 5 * 1024 * 1024].into()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, app).await });
    base_url
}

/// Runs both in turn and prints their medians and the ratio of those.
async fn compare(what: &str, calls: u32, plain: impl AsyncFn(), ours: impl AsyncFn()) {
    let (mut plains, mut all) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Whoever comes second has warm caches: they take turns.
        if round % 2 == 0 {
            plains.push(time(calls, &plain).await);
            all.push(time(calls, &ours).await);
        } else {
            all.push(time(calls, &ours).await);
            plains.push(time(calls, &plain).await);
        }
    }
    let (plain, ours) = (median(plains), median(all));
    println!("{what:<20} reqwest {plain:>9.3} ms   client {ours:>9.3} ms   ratio {:.3}", ours / plain);
}

async fn time(calls: u32, call: &impl AsyncFn()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        call().await;
    }
    milliseconds(start.elapsed()) / f64::from(calls)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
