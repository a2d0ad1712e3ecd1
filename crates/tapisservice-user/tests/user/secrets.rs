use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use tapisservice_devsite::InjectedFault;
use tapisservice_user::{FileStore, Tokens};
use tracing_subscriber::fmt::MakeWriter;

use crate::fake::{Fake, granted, refused};
use crate::helpers::{CLIENT, PASSWORD, TOKENS, at, site, systems};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// F24: everything at TRACE, log-ins, calls, refreshes and their failures.
#[tokio::test]
async fn no_secret_is_in_a_log_line_a_debug_text_or_an_error() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
    // For the whole process: a subscriber of one thread may find callsites that others have switched off.
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
    let site = site().await;
    let folder = tempfile::tempdir().unwrap();
    let builder = at(&site, "tacc").client(CLIENT.0, CLIENT.1).store(FileStore::new(folder.path()));
    let tapis = builder.password("alice", PASSWORD).await.unwrap();
    let secrets = [
        PASSWORD.to_owned(),
        CLIENT.1.to_owned(),
        "bm90ZWJvb2s6Y2FuYXJ5LWNsaWVudC1rZXk".to_owned(),
        signature(tapis.tokens().access_token()),
        signature(tapis.tokens().refresh_token().unwrap()),
        "canary".to_owned(),
    ];
    let mut texts =
        vec![format!("{builder:?} {tapis:?} {:?} {:?}", tapis.tokens(), tapis.resource_client("systems"))];
    systems(&tapis).await.unwrap();
    tapis.refresh().await.unwrap();
    texts.push(format!("{:?}", builder.password("alice", "canary-wrong").await.unwrap_err()));
    site.inject_fault(TOKENS, InjectedFault::Disconnect);
    texts.push(format!("{:?}", builder.password("alice", PASSWORD).await.unwrap_err()));
    texts.push(format!("{:?}", tapis.refresh().await.unwrap_err()));
    tapis.set_tokens(Tokens::new("canary\ntoken").with_refresh_token("canary-refresh"));
    texts.push(format!("{:?}", systems(&tapis).await.unwrap_err()));

    let fake =
        Fake::responding([granted("canary-new"), refused(401, "canary-new"), refused(400, "canary-refresh")])
            .await;
    let tapis = fake.builder().refresh_token("canary-old").await.unwrap();
    texts.push(format!("{:?} {tapis:?}", systems(&tapis).await.unwrap_err()));

    texts.push(String::from_utf8_lossy(&log.0.lock()).into_owned());
    assert!(texts.last().unwrap().contains("oauth2/tokens"), "the log is captured");
    for (text, secret) in texts.iter().flat_map(|text| secrets.iter().map(move |secret| (text, secret))) {
        let found = text.find(secret.as_str());
        assert!(found.is_none(), "{secret}: {}", &text[found.unwrap().saturating_sub(300)..][..600]);
    }
}

fn signature(token: &str) -> String {
    token.rsplit('.').next().unwrap().to_owned()
}
