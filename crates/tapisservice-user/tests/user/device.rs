use std::time::Duration;

use serde_json::{Value, json};
use tapisservice_client::ClientError;

use crate::fake::{Fake, granted, refused};
use crate::helpers::is_signed_out;

fn code(interval: u64, expires_in: &Value, verification_uri: &str) -> (u16, Value) {
    let result = json!({
        "client_id": "notebook", "user_code": "ABCDefgh", "device_code": "canary-device",
        "verification_uri": verification_uri, "expires_in": expires_in, "interval": interval,
    });
    (200, json!({"status": "success", "message": "ok", "version": "dev", "result": result}))
}

const URI: &str = "https://tacc.test/v3/oauth2/device?client_id=notebook";

#[tokio::test]
async fn a_user_enters_the_code_elsewhere_and_is_signed_in_here() {
    let pending = || refused(400, "device code not ready.");
    let responses =
        [code(1, &json!("2030-01-01 00:00:00"), URI), pending(), refused(503, ""), granted("canary-access")];
    let fake = Fake::responding(responses).await;
    let login = fake.builder().client_id("notebook").device_code().await.unwrap();
    assert_eq!((login.user_code(), login.verification_uri().as_str()), ("ABCDefgh", URI));
    assert!(login.expires_in() > Duration::from_secs(500));
    assert!(!format!("{login:?}").contains("canary"), "{login:?}");
    let tapis = login.wait().await.unwrap();
    assert_eq!(
        (tapis.tokens().access_token(), tapis.tokens().refresh_token()),
        ("canary-access", Some("canary-refresh"))
    );

    let asked = fake.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[0].request, "POST /v3/oauth2/device/code");
    assert_eq!(asked[0].body, json!({"client_id": "notebook"}));
    let grant = json!({"grant_type": "device_code", "client_id": "notebook", "device_code": "canary-device"});
    assert!(asked[1..].iter().all(|asked| asked.body == grant), "{asked:?}");
}

#[tokio::test]
async fn a_refusal_ends_the_waiting() {
    let fake =
        Fake::responding([code(1, &json!(60), URI), refused(400, "access_denied: canary-device")]).await;
    let login = fake.builder().client_id("notebook").device_code().await.unwrap();
    let error = login.wait().await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn a_code_that_nobody_enters_expires() {
    let fake = Fake::responding([code(1, &json!("2"), URI), refused(400, "device code not ready.")]).await;
    let login = fake.builder().client_id("notebook").device_code().await.unwrap();
    let error = login.wait().await.unwrap_err();
    assert!(is_signed_out(&error, false), "{error:?}");
    assert!(error.to_string().contains("the user did not enter the code"), "{error}");
}

#[tokio::test]
async fn what_is_shown_to_people_is_what_it_says_it_is() {
    for uri in ["javascript:alert(1)", "not a url", "file:///etc/passwd"] {
        let fake = Fake::responding([code(1, &json!(60), uri)]).await;
        let error = fake.builder().client_id("notebook").device_code().await.unwrap_err();
        assert!(matches!(error, ClientError::InvalidResponse { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn it_needs_the_id_of_a_client() {
    let fake = Fake::responding([]).await;
    let error = fake.builder().device_code().await.unwrap_err();
    assert!(matches!(error, ClientError::Setup(_)), "{error:?}");
    assert!(fake.asked().is_empty());
}
