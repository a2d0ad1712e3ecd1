//! `GET /whoami`.

use serde_json::Value;

#[tokio::test]
async fn a_user_sees_who_they_are_and_not_their_token() {
    let service = crate::start().await;
    let alice = service.alice();
    let response = alice.get("/whoami").await;
    let g = response.result();
    let expected = [
        ("request_username", "alice"),
        ("request_tenant_id", "tacc"),
        ("username", "alice"),
        ("tenant_id", "tacc"),
        ("account_type", "user"),
        ("request_site_id", "tacc"),
    ];
    for (field, value) in expected {
        assert_eq!(g[field], value, "{field}");
    }
    assert_eq!(g["request_tenant_base_url"], service.site().url());
    assert_eq!(g["x_tapis_user"], Value::Null);
    assert!(!response.text().contains(alice.token().unwrap().rsplit('.').next().unwrap()));
}

#[tokio::test]
async fn of_a_service_the_user_and_the_caller_are_kept_apart() {
    let service = crate::start().await;
    let jobs = service.service_account("jobs").on_behalf_of("dev", "alice");
    let g = jobs.get("/whoami").await.result();
    let expected = [
        ("request_username", "alice"),
        ("request_tenant_id", "dev"),
        ("username", "jobs"),
        ("tenant_id", "admin"),
        ("account_type", "service"),
        ("site_id", "tacc"),
        ("x_tapis_user", "alice"),
        ("x_tapis_tenant", "dev"),
    ];
    for (field, value) in expected {
        assert_eq!(g[field], value, "{field}");
    }
}
