//! The response that the programs share: an envelope like the one that `whoami` of the stack gives for a minted token.

use std::sync::LazyLock;

use axum::Json;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

static ENVELOPE: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "message": "The request was successful",
        "result": {
            "request_tenant_id": "tacc", "request_username": "alice",
            "request_tenant_base_url": "https://tacc.tapis.test", "request_site_id": "tacc",
            "username": "alice", "tenant_id": "tacc", "account_type": "user", "delegation": false, "site_id": "tacc",
            "x_tapis_tenant": null, "x_tapis_user": null, "x_tapis_user_token_hash": null, "x_tapis_token_length": 826,
            "token_claims": {
                "jti": "5f0c1f63-6a3a-4b52-9f0e-3f6f2d9f7a11", "iss": "https://tacc.tapis.test/v3/tokens",
                "sub": "alice@tacc", "tapis/tenant_id": "tacc", "tapis/token_type": "access", "exp": 1_800_000_000,
                "tapis/username": "alice", "tapis/account_type": "user", "tapis/delegation": false,
                "tapis/delegation_sub": null,
            },
            "tracking_id": "tapis.5f0c1f63-6a3a-4b52-9f0e-3f6f2d9f7a11",
            "request_id": "5f0c1f63-6a3a-4b52-9f0e-3f6f2d9f7a11",
        },
        "status": "success", "version": "1.2.3",
    })
});

static BYTES: LazyLock<Bytes> = LazyLock::new(|| ENVELOPE.to_string().into());

/// The same bytes every time.
pub(crate) async fn ready_made() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], BYTES.clone())
}

/// The envelope written anew.
pub(crate) async fn written() -> Json<&'static Value> {
    Json(&ENVELOPE)
}
