use std::time::Duration;

use serde_json::{Value, json};

use crate::helpers::{at, site, verified_claims};

#[tokio::test]
async fn tokens_hold_the_claims_of_the_protocol_and_no_others() {
    let site = site().await;
    let claims = verified_claims(&site, "tacc", &site.token_for_user("tacc", "alice")).await;
    let expected = json!({
        "jti": claims["jti"], "iss": at(&site, "tacc", "/v3/tokens"), "sub": "alice@tacc", "tapis/tenant_id": "tacc",
        "tapis/token_type": "access", "tapis/username": "alice", "tapis/account_type": "user",
        "tapis/delegation": false, "tapis/delegation_sub": null, "exp": claims["exp"],
    });
    assert_eq!(claims, expected);

    let delegated =
        verified_claims(&site, "tacc", &site.delegated_token_for_user("tacc", "alice", "bob")).await;
    assert_eq!(
        (&delegated["tapis/delegation"], &delegated["tapis/delegation_sub"]),
        (&json!(true), &json!("bob@tacc"))
    );

    let service = verified_claims(&site, "adminuh", &site.token_for_service("adminuh", "files", "uh")).await;
    assert_eq!(
        (&service["tapis/account_type"], &service["tapis/target_site"]),
        (&json!("service"), &json!("uh"))
    );
}

#[tokio::test]
async fn any_claim_and_header_can_be_wrong() {
    let site = site().await;
    let token = site
        .token()
        .for_user("dev", "bob")
        .claim("aud", "files")
        .without("exp")
        .header("kid", "k")
        .signed_by("tacc")
        .mint();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!(header.kid.as_deref(), Some("k"));
    let key = jsonwebtoken::DecodingKey::from_rsa_pem(site.public_key("tacc").unwrap().as_bytes()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(header.alg);
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap().claims;
    assert_eq!(
        (&claims["aud"], claims.get("exp"), &claims["sub"]),
        (&json!("files"), None, &json!("bob@dev"))
    );
}

#[tokio::test]
async fn a_life_can_be_chosen() {
    let site = site().await;
    let expiry = |claims: Value| claims["exp"].as_i64().unwrap();
    let short = expiry(
        verified_claims(&site, "tacc", &site.token().expires_in(Duration::from_mins(10)).mint()).await,
    );
    let usual = expiry(verified_claims(&site, "tacc", &site.token().mint()).await);
    assert!((usual - short - (4 * 3600 - 600)).abs() < 120, "{usual} {short}");
}

#[tokio::test]
async fn an_unknown_signer_is_an_error_and_a_removed_one_signs() {
    let site = site().await;
    assert!(
        site.token().for_user("nowhere", "alice").try_mint().unwrap_err().to_string().contains("nowhere")
    );
    site.remove_tenant("dev").unwrap();
    assert!(site.token().for_user("dev", "alice").try_mint().is_ok());
    let text = format!("{:?} {:?}", site.token(), site);
    assert!(!text.contains("PRIVATE") && !text.contains("secret"), "{text}");
}
