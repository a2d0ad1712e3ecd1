//! The service that the conformance suite asks: every route is a way to answer or to fail.
//!
//! `TAPIS_CONFIG_PATH` names its configuration; it listens where `listen` says.

use std::process::ExitCode;

use axum::extract::Path;
use axum::routing::{get, post};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tapisservice::core::ContextView;
use tapisservice::prelude::*;
use tapisservice::{App, AppBuilder, Settings, StartError, report_error, run};

#[tokio::main]
async fn main() -> ExitCode {
    match Settings::loader().load() {
        Ok(config) => run(config, async |_, settings| Ok(app(settings))).await,
        Err(error) => report_error(&StartError::from(error)),
    }
}

fn app(settings: Settings) -> AppBuilder {
    App::builder(settings).routes(responses().merge(failures())).authn(authn).authz(authz)
}

/// `anon` is open to whoever has no token.
async fn authn(request: PolicyRequest) -> Result<Authn> {
    let open = request.uri.path().ends_with("/anon");
    Ok(if open { Authn::Anonymous } else { Authn::Refused })
}

async fn authz(request: PolicyRequest) -> Result<()> {
    let refused = Error::permissions("Not authorized -- role missing.");
    match request.uri.path().rsplit('/').next() {
        Some("forbidden") => Err(refused.with_status(StatusCode::FORBIDDEN)),
        Some("forbidden-default") => Err(refused),
        Some("panic-middleware") => panic!("the callback gives up"),
        _ => Ok(()),
    }
}

fn responses() -> Routes {
    Routes::new()
        .route(Policy::authenticated(), "/whoami", get(whoami).options(whoami))
        .route(Policy::authenticated(), "/whoami-sync", get(whoami))
        .route(PublicPolicy::new().ignoring_token(), "/hello", get(hello))
        .route(Policy::authenticated(), "/anon", get(whoami))
        .route(Policy::public_with_tenant(), "/public", get(whoami))
        .route(Policy::authenticated(), "/forbidden", get(whoami).options(whoami))
        .route(Policy::authenticated(), "/forbidden-default", get(whoami))
        .route(Policy::authenticated(), "/okmeta", get(okmeta))
        .route(Policy::authenticated(), "/oknull", get(|| async { Envelope::new(()) }))
        .route(Policy::authenticated(), "/items", post(items))
        .route(Policy::authenticated(), "/query", get(query))
        .route(Policy::authenticated(), "/item/{*path}", get(item))
}

fn failures() -> Routes {
    let fail = |path: &str, error: fn() -> Error| {
        Routes::new().route(Policy::authenticated(), path, get(move || async move { error() }))
    };
    Routes::new()
        .merge(fail("/conflict", || Error::base("bookmark already exists").with_status(StatusCode::CONFLICT)))
        .merge(fail("/notfound", || Error::resource("bookmark not found").with_status(StatusCode::NOT_FOUND)))
        .merge(fail("/permission", || Error::permissions("you shall not pass")))
        .merge(fail("/authnerror", || Error::authentication("who are you")))
        .merge(fail("/unicode-msg", || Error::base("señal inválida ☃").with_status(StatusCode::IM_A_TEAPOT)))
        .merge(fail("/keyerror", || Error::unrecognized(LookupFailed { key: "missing" })))
        .merge(fail("/zerodiv", || panic!("attempt to divide by zero")))
        .merge(fail("/panic-middleware", || unreachable!("authz lets nobody through")))
        .route(Policy::authenticated(), "/panic-task", get(panic_task))
}

fn show(g: &RequestContext) -> Envelope<ContextView> {
    Envelope::new(ContextView::from(g))
}

async fn whoami(g: RequestContext) -> Envelope<ContextView> {
    show(&g)
}

/// The suite asks for the length of what was sent, which `g` does not know where no token is looked at.
async fn hello(g: RequestContext, headers: HeaderMap) -> Result<Envelope<Value>> {
    let mut view = serde_json::to_value(ContextView::from(&g))?;
    view["x_tapis_token_length"] =
        json!(headers.get_all("x-tapis-token").iter().map(HeaderValue::len).next());
    Ok(Envelope::new(view).with_message("Hello from Tapis"))
}

async fn okmeta() -> Envelope<[u8; 2]> {
    let metadata = [("count".to_owned(), json!(2))].into_iter().collect();
    Envelope::new([1, 2]).with_message("two things").with_metadata(metadata)
}

#[derive(Deserialize, Serialize)]
struct Item {
    name: String,
    stars: i64,
}

async fn items(g: RequestContext, Json(item): Json<Item>) -> Envelope<Value> {
    let username = g.token().map(|token| token.claims().username.to_string());
    Envelope::new(json!({"name": item.name, "stars": item.stars, "username": username}))
}

#[derive(Deserialize)]
struct Page {
    limit: i64,
}

async fn query(Query(page): Query<Page>) -> Envelope<i64> {
    Envelope::new(page.limit)
}

async fn item(g: RequestContext, Path(path): Path<String>) -> Result<Envelope<Value>> {
    let mut view = serde_json::to_value(ContextView::from(&g))?;
    view["p"] = json!(path);
    Ok(Envelope::new(view))
}

/// A task that panics ends itself only; who waits for it hears of it.
async fn panic_task() -> Result<Envelope<()>> {
    tokio::spawn(async { panic!("the task gives up") }).await?;
    Ok(Envelope::new(()))
}

/// An error the framework has never heard of.
#[derive(Debug, thiserror::Error)]
#[error("no such key: {key}")]
struct LookupFailed {
    key: &'static str,
}
