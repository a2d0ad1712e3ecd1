//! Inside of this process: users who log in, and a service whose handlers panic and fail with secrets in hand. Everything that
//! can be printed for debugging is printed.

use bookmarks::Bookmarks;
use http::{Request, Response};
use serde_json::json;
use tapisservice::axum::routing::get;
use tapisservice::config::Config;
use tapisservice::logs::{self, LogSettings};
use tapisservice::prelude::*;
use tapisservice::testing::{DevSite, InjectedFault};
use tapisservice::{App, Settings, program};
use tapisservice_user::{Tokens as UserTokens, UserClient};
use tower::ServiceExt as _;

use crate::canary::Canaries;
use crate::evidence::Evidence;
use crate::process::schema;
use crate::text::{
    CLIENT_KEY, DATABASE_PASSWORD, OWN_SECRET, SERVICE_PASSWORD, USER_PASSWORD, WRONG_PASSWORD,
};
use crate::upstream::repeating;

pub(crate) async fn run(canaries: &mut Canaries, evidence: &mut Evidence) {
    let folder = tempfile::tempdir().unwrap();
    let site = DevSite::builder().server("dev").user("alice", USER_PASSWORD).client("notebook", CLIENT_KEY);
    let site = site.service("bookmarks", SERVICE_PASSWORD).start().await.unwrap();
    let token = site.token_for_user("tacc", "alice");
    canaries.add_token("a token in a panic", &token);
    let config = config(&site);
    let settings = Settings::from_config(&config).unwrap();
    logs::redact_secret(SERVICE_PASSWORD); // as `run` does
    let log = json!({"log_level": "TRACE", "log_file": folder.path().join("inside.log"), "hyper_log_level": "TRACE",
        "hyper_util_log_level": "TRACE", "reqwest_log_level": "TRACE", "h2_log_level": "TRACE", "tower_log_level": "TRACE"});
    let printed = std::panic::take_hook();
    let guard = logs::init(&serde_json::from_value::<LogSettings>(log).unwrap()).unwrap();
    // The service logs panics and prints none; of a test that fails one wants to read why.
    let logged = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        logged(info);
        printed(info);
    }));
    evidence.output(
        "debugging",
        &format!("{config:?} {config} {settings:#?} {:?} {site:?}", config.entries().collect::<Vec<_>>()),
    );
    log_in(&site, canaries, evidence).await;
    fail(&config, settings, &token, evidence).await;
    drop(guard);
    evidence.files(folder.path(), |_| false);
}

fn config(site: &DevSite) -> Config<NoSettings> {
    let mut values = site.config_json("bookmarks").unwrap();
    values["service_password"] = json!(SERVICE_PASSWORD);
    values["own_secret"] = json!(OWN_SECRET);
    values["postgres_password"] = json!(DATABASE_PASSWORD);
    values["show_traceback"] = json!(true);
    values["sql_db_url"] = json!("127.0.0.1:1/tapis");
    values["postgres_user"] = json!("canary");
    let loader = program::loader::<Bookmarks>()
        .environment([("", ""); 0])
        .default_config_path("")
        .default_schema_path("");
    loader.embedded_schema(schema().to_string()).fallback_config("inside", values.to_string()).load().unwrap()
}

/// A user with a password, a client key and refresh tokens, through success and failure.
async fn log_in(site: &DevSite, canaries: &mut Canaries, evidence: &mut Evidence) {
    let builder = UserClient::builder(site.url()).client("notebook", CLIENT_KEY);
    let tapis = builder.password("alice", USER_PASSWORD).await.unwrap();
    let note = |canaries: &mut Canaries, tokens: &UserTokens| {
        canaries.add_token("a user's access token", tokens.access_token());
        canaries.add_token("a user's refresh token", tokens.refresh_token().unwrap());
    };
    note(canaries, &tapis.tokens());
    tapis.refresh().await.unwrap();
    note(canaries, &tapis.tokens());
    let mut texts = vec![format!("{builder:?} {tapis:#?} {:?}", tapis.tokens())];
    let call = async || tapis.operation("systems", "getSystems").send().await.map(drop);
    call().await.unwrap();
    texts.push(format!("{:#?}", builder.password("alice", WRONG_PASSWORD).await.unwrap_err()));
    for fault in [
        InjectedFault::Status(500),
        InjectedFault::Disconnect,
        InjectedFault::Html,
        repeating(401, USER_PASSWORD),
    ] {
        site.inject_fault("/v3/oauth2", fault);
        texts.push(format!("{:#?}", builder.password("alice", USER_PASSWORD).await.unwrap_err()));
        texts.push(format!("{:#?}", tapis.refresh().await.unwrap_err()));
    }
    site.inject_fault("/v3/systems", InjectedFault::Status(403));
    texts.push(format!("{:#?}", call().await.unwrap_err()));
    site.clear_faults();
    for text in texts {
        evidence.output("a user's debugging", &text);
    }
}

/// Handlers that panic and fail with secrets in their messages, as careless ones do.
async fn fail(config: &Config<NoSettings>, settings: Settings, token: &str, evidence: &mut Evidence) {
    let password = settings.service.service_password.clone();
    let own = config.get::<Secret>("own_secret").unwrap();
    let whole = format!("{config:?}");
    let (of_token, careless) = (format!("bad token {token}"), format!("bad password {SERVICE_PASSWORD}"));
    let routes = Routes::new()
        .route(
            Policy::public(),
            "/by-type",
            get(async move || -> () { panic!("{password:?} {own:?} {whole}") }),
        )
        .route(Policy::public(), "/token", get(async move || -> () { panic!("{of_token}") }))
        .route(Policy::public(), "/careless", get(async move || -> () { panic!("{careless}") }))
        .route(
            Policy::public(),
            "/error",
            get(async || -> Result<Envelope<()>> {
                Err(std::io::Error::other(format!("no {SERVICE_PASSWORD}")).into())
            }),
        );
    let app = App::builder(settings.clone()).routes(routes).build().unwrap();
    for path in ["/by-type", "/token", "/careless", "/error"] {
        let request = Request::get(format!("/v3/bookmarks{path}")).header("host", "localhost");
        let response = app.service().oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 500, "{path}");
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        evidence.record_response(path, Response::from_parts(parts, body).into()).await;
    }
    let app = program::assemble::<Bookmarks>(config, settings).await.unwrap().build().unwrap();
    evidence.output("debugging", &format!("{:?} {:?}", app.routes(), app.tenants().state()));
}
