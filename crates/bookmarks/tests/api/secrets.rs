//! A token is in no response and in no line of the log (F24).

use serde_json::json;
use tapisservice::logs::{self, Capture, LogSettings};

use crate::helpers::BookmarkRequests as _;

#[tokio::test]
async fn a_token_never_leaves() {
    let settings: LogSettings = serde_json::from_value(json!({"log_level": "TRACE"})).unwrap();
    let capture = Capture::default();
    let subscriber = logs::subscriber(&settings, capture.clone());
    // While there is one subscriber only, a callsite asks the thread it is first reached in, which may have none, and stays off.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _local = tracing::subscriber::set_default(subscriber);

    let service = crate::start().await;
    let alice = service.alice();
    let whole = alice.token().unwrap();
    let (_, canary) = whole.rsplit_once('.').unwrap();
    let id = alice.bookmark("results").await;
    let responses = [
        alice.get("/whoami").await,
        alice.get("?pretty=true").await,
        alice.get(&format!("?order={canary}")).await,
        alice.get(&format!("/{canary}")).await,
        alice.update(&id, &json!({"path": canary})).await,
        alice.update(&id, &json!({"description": {"x": canary}})).await,
        alice.get("").header("X-Tapis-User", canary).await,
        service.anonymous().with_token(&format!("{whole}x")).get("").await,
    ];
    for response in responses {
        assert!(!response.text().contains(canary), "{}", response.text());
        assert!(!format!("{:?}", response.headers()).contains(canary));
    }
    let lines = capture.lines();
    assert!(lines.iter().any(|line| line.contains("request completed") && line.contains("user=alice")));
    // As part of a path it was the caller who wrote it down; a token in the place of tokens is what must not show.
    let leaks: Vec<_> = lines.iter().filter(|line| line.contains(whole)).collect();
    assert!(leaks.is_empty(), "{leaks:?}");
    let told: Vec<_> = lines.iter().filter(|line| line.contains(canary) && !line.contains("path=")).collect();
    assert!(told.is_empty(), "{told:?}");
}
