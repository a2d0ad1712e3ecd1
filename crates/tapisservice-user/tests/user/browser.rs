use std::collections::HashMap;

use serde_json::json;
use tapisservice_client::ClientError;
use url::Url;

use crate::fake::{Fake, granted, refused};
use crate::helpers::{CLIENT, is_signed_out};

const CALLBACK: &str = "https://portal.test/callback?from=tapis";

fn back(query: &str) -> Url {
    Url::parse(&format!("{CALLBACK}&{query}")).unwrap()
}

#[tokio::test]
async fn the_browser_goes_with_a_state_and_comes_back_with_a_code() {
    let fake = Fake::responding([granted("canary-access")]).await;
    let request = fake.builder().client(CLIENT.0, CLIENT.1).authorize(CALLBACK).await.unwrap();
    let url = request.url().clone();
    assert_eq!(url.path(), "/v3/oauth2/authorize");
    let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!((query["response_type"].as_str(), query["client_id"].as_str()), ("code", CLIENT.0));
    assert_eq!((query["redirect_uri"].as_str(), query["state"].as_str()), (CALLBACK, request.state()));

    let callback = back(&format!("code=canary-code&state={}", request.state()));
    let tapis = request.exchange_code(&callback).await.unwrap();
    assert_eq!(tapis.tokens().access_token(), "canary-access");
    let asked = &fake.asked()[0];
    assert!(asked.headers.contains_key("authorization"));
    assert_eq!(
        asked.body,
        json!({"grant_type": "authorization_code", "code": "canary-code", "redirect_uri": CALLBACK})
    );
}

#[tokio::test]
async fn another_log_ins_answer_is_not_redeemed() {
    let fake = Fake::responding([]).await;
    let builder = fake.builder().client(CLIENT.0, CLIENT.1);
    let other = builder.authorize(CALLBACK).await.unwrap();
    for query in [
        "code=canary".to_owned(),
        "code=canary&state=".to_owned(),
        format!("code=canary&state={}", other.state()),
        format!("code=canary&state={0}&state={0}", other.state()),
    ] {
        let error =
            builder.authorize(CALLBACK).await.unwrap().exchange_code(&back(&query)).await.unwrap_err();
        assert!(is_signed_out(&error, false) && !error.to_string().contains("canary"), "{error:?}");
    }
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn a_refusal_or_a_missing_code_is_said() {
    let fake = Fake::responding([]).await;
    for query in ["error=access_denied", "code=", "other=1"] {
        let request = fake.builder().client(CLIENT.0, CLIENT.1).authorize(CALLBACK).await.unwrap();
        let callback = back(&format!("{query}&state={}", request.state()));
        assert!(is_signed_out(&request.exchange_code(&callback).await.unwrap_err(), false), "{query}");
    }
}

#[tokio::test]
async fn a_web_application_redeems_a_code_by_itself() {
    let fake = Fake::responding([granted("canary-access"), refused(400, "code canary-code was used")]).await;
    let builder = fake.builder().client_id("notebook");
    builder.authorization_code("canary-code", CALLBACK).await.unwrap();
    assert_eq!(fake.asked()[0].body["client_id"], "notebook", "a client without a key names itself");
    let error = builder.authorization_code("canary-code", CALLBACK).await.unwrap_err();
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    let error = fake.builder().authorization_code("canary-code", CALLBACK).await.unwrap_err();
    assert!(matches!(error, ClientError::Setup(_)), "{error:?}");
}
