//! No password and no token in any text (F24).

use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;
use tapisservice_devsite::{DevSite, InjectedFault};
use tracing_subscriber::fmt::MakeWriter;

use crate::helpers::{acting_for, builder, client_with, systems};

const PASSWORD: &str = "canary-password";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Answers as a Tokens API that writes what it was sent into its errors.
fn chatty(site: &DevSite, status: u16) {
    let body = format!(r#"{{"message": "{PASSWORD}", "result": "{PASSWORD}"}}"#).into();
    let fault = InjectedFault::Response { status, content_type: "application/json".to_owned(), body };
    site.inject_fault("/v3/tokens", fault);
}

#[tokio::test]
async fn neither_logs_nor_errors_nor_debug_texts_hold_passwords_or_tokens() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    // The runtime of this test has one thread, so all its tasks log here.
    let _guard = tracing::subscriber::set_default(subscriber);
    let site = builder().service("bookmarks", PASSWORD).start().await.unwrap();
    let client = client_with(&site, |settings| settings.service_token_ttl_seconds = 8);
    let mut texts = vec![format!("{client:?} {:?}", site.config_json("bookmarks").unwrap()["service_name"])];
    let alice = acting_for(&client, "alice", "tacc");
    // While the token is fresh: below it expires on a slow machine.
    let (caller, sdk) =
        (alice.resource_client("systems").await.unwrap(), alice.sdk_configuration("systems").await.unwrap());
    texts.push(format!("{caller:?} {sdk:?}"));
    let mut note = |outcome: Result<Vec<String>, _>| {
        if let Err(error) = outcome {
            texts.push(format!("{error} {error:?}"));
        }
    };
    note(systems(&alice).await);
    site.inject_fault_times("/v3/systems", InjectedFault::Status(401), 1);
    note(systems(&alice).await);
    for status in [200, 401, 500] {
        chatty(&site, status);
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        note(systems(&alice).await);
    }
    texts.push(format!("{client:?} {alice:?} {:?}", client.report()));
    texts.push(String::from_utf8(log.0.lock().clone()).unwrap());
    let basic =
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("bookmarks:{PASSWORD}"));
    assert!(texts.last().is_some_and(|log| log.contains("TRACE")), "the log is kept");
    for text in &texts {
        for secret in [PASSWORD, &basic, "eyJ"] {
            let found = text.find(secret).map(|at| &text[at.saturating_sub(300)..at]);
            assert_eq!(found, None, "{secret} is found");
        }
    }
}
