//! What a request leaves in the log (F23 and F24).

use axum::body::Body;
use axum::routing::get;
use http::{Method, Request};
use serde_json::json;
use tapisservice::logs::{Capture, LogSettings, redact_secret, subscriber};
use tapisservice::prelude::*;

use crate::helpers::{request, start};

async fn speak(g: RequestContext) -> Envelope<()> {
    tracing::info!(
        token = g.token().map(tapisservice::core::AccessToken::expose),
        "said: {}",
        g.token().map_or("", tapisservice::core::AccessToken::expose)
    );
    Envelope::new(())
}

fn routes() -> Routes {
    Routes::new().route(Policy::authenticated(), "/speak", get(speak)).route(
        Policy::authenticated(),
        "/fail",
        get(|| async {
            Error::dao("The database did not answer.").with_detail("connection to 10.9.8.7 lost")
        }),
    )
}

/// Refusals used to be told apart by their details, so that a host made up for each request was a line for each request.
#[tokio::test]
async fn details_that_callers_make_up_are_no_reasons_of_their_own() {
    let settings: LogSettings = serde_json::from_str(r#"{"log_level": "INFO"}"#).unwrap();
    let capture = Capture::default();
    let running = start(routes(), json!({}), |app| app).await;
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _guard = tracing::subscriber::set_default(subscriber(&settings, capture.clone()));
    for number in 0..100 {
        let request = Request::get("/v3/demo/speak")
            .header("host", format!("nosuch{number}.example"))
            .header("x-tapis-token", running.alice());
        assert_eq!(running.send(request.body(Body::empty()).unwrap()).await.status, 400);
    }
    let lines = capture.lines();
    let told = lines.iter().filter(|line| line.contains("the host is nosuch")).count();
    assert!((1..=20).contains(&told), "{told} lines");
}

/// Rule A12: who holds a token for somebody else is visible.
#[tokio::test]
async fn lines_of_a_delegated_token_name_the_delegate() {
    let settings: LogSettings = serde_json::from_str(r#"{"log_level": "INFO"}"#).unwrap();
    let capture = Capture::default();
    let running = start(routes(), json!({}), |app| app).await;
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _guard = tracing::subscriber::set_default(subscriber(&settings, capture.clone()));
    for (tenant, status) in [("admin", 200), ("dev", 401)] {
        let token = running.site.token().for_user("tacc", "alice").with_delegate(tenant, "app").mint();
        let request = request(Method::GET, "/v3/demo/speak").header("x-tapis-token", token);
        assert_eq!(running.send(request.body(Body::empty()).unwrap()).await.status, status, "{tenant}");
    }
    let lines = capture.lines();
    assert!(
        lines.iter().any(|line| line.contains("[tenant=tacc user=alice delegate=app@admin req=")),
        "{lines:#?}"
    );
    assert!(lines.iter().any(|line| line.contains("a tenant that may not act for")), "{lines:#?}");
}

/// A failure used to be told apart by its whole text, a refusal by its message, and both may quote the caller.
#[tokio::test]
async fn texts_that_callers_make_up_are_no_reasons_of_their_own() {
    let fail = |Path(text): Path<String>| async move {
        Error::dao(format!("{text} cannot be read")).with_detail(format!("row {text}"))
    };
    let lookup = |Path(text): Path<String>| async move {
        Ok::<Envelope<u8>, Error>(Envelope::new(text.parse::<u8>().unrecognized()?))
    };
    let refuse = |Path(text): Path<String>| async move { Error::not_found(format!("There is no {text}.")) };
    let routes = Routes::new()
        .route(Policy::public(), "/fail/{text}", get(fail))
        .route(Policy::public(), "/lookup/{text}", get(lookup))
        .route(Policy::public(), "/refuse/{text}", get(refuse));
    let settings: LogSettings = serde_json::from_str(r#"{"log_level": "INFO"}"#).unwrap();
    let capture = Capture::default();
    let running = start(routes, json!({}), |app| app).await;
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _guard = tracing::subscriber::set_default(subscriber(&settings, capture.clone()));
    for number in 0..100 {
        for (path, status) in [("fail", 500), ("lookup", 500), ("refuse", 404)] {
            let path = format!("/v3/demo/{path}/made-up-{number}");
            assert_eq!(running.get_anonymously(&path).await.status, status, "{path}");
        }
    }
    let lines = capture.lines();
    for path in ["/fail/", "/lookup/", "/refuse/"] {
        let told = lines.iter().filter(|line| line.contains("reason=") && line.contains(path)).count();
        assert_eq!(told, 20, "{path}");
    }
}

#[tokio::test]
async fn every_line_of_a_request_names_it_and_none_holds_a_secret() {
    let settings: LogSettings = serde_json::from_str(r#"{"log_level": "TRACE"}"#).unwrap();
    let capture = Capture::default();
    let running = start(routes(), json!({}), |app| app).await;
    // While there is one subscriber only, a callsite asks the thread it is first reached in, which may have none, and stays off.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _guard = tracing::subscriber::set_default(subscriber(&settings, capture.clone()));
    redact_secret("hunter2-canary");

    let (good, bad) = (running.alice(), format!("{}AAAA", &running.alice()[..400]));
    for (path, token) in [("/speak", &good), ("/fail", &good), ("/speak", &bad)] {
        let request = request(Method::GET, &format!("/v3/demo{path}?password=hunter2-canary"))
            .header("x-tapis-token", token)
            .header("authorization", "Basic aHVudGVyMjpodW50ZXIy")
            .header("x-request-id", "req-7")
            .header("x-tapis-tracking-id", "jobs.7");
        running.send(request.body(Body::empty()).unwrap()).await;
    }

    let lines = capture.lines();
    let signed_in = "[tenant=tacc user=alice req=req-7 trk=jobs.7]";
    let of_request: Vec<_> = lines.iter().filter(|line| line.contains("req=req-7")).collect();
    assert!(
        of_request.iter().any(|line| line.contains("said: ***") && line.ends_with(signed_in)),
        "{lines:#?}"
    );
    let failed: Vec<_> = of_request.iter().filter(|line| line.contains("request failed")).collect();
    assert_eq!(failed.len(), 1, "one line per failure");
    assert!(failed[0].contains("ERROR") && failed[0].contains("10.9.8.7") && failed[0].ends_with(signed_in));
    assert_eq!(of_request.iter().filter(|line| line.contains("request rejected")).count(), 1);
    for line in &lines {
        for secret in [&good, &bad, "hunter2-canary", "aHVudGVyMjpodW50ZXIy", "eyJ"] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}
