//! axum and nothing else: what the stack is compared with.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use tokio::net::TcpListener;

use crate::response::{ready_made, written};

pub(crate) async fn serve(address: SocketAddr, public_key: &Path) -> Result<(), Box<dyn Error>> {
    let pem = pem::parse(std::fs::read(public_key)?)?;
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pem.contents())?;
    let routes = Router::new()
        .route("/ready-made", get(ready_made))
        .route("/whoami", get(written))
        .route("/verified", get(verified))
        .with_state(Arc::new(key));
    let listener = TcpListener::bind(address).await?;
    Ok(axum::serve(listener, Router::new().nest("/v3/bookmarks", routes)).await?)
}

/// Exactly one verification before the ready-made response, and no look at what the token says.
async fn verified(State(key): State<Arc<ParsedPublicKey>>, request: Request) -> Response {
    if is_signed(&request, &key) == Some(true) {
        ready_made().await.into_response()
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

fn is_signed(request: &Request, key: &ParsedPublicKey) -> Option<bool> {
    let token = request.headers().get_all("x-tapis-token").iter().next()?.to_str().ok()?;
    let (signed, signature) = token.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    Some(key.verify_sig(signed.as_bytes(), &signature).is_ok())
}
