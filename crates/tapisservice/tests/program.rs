//! The program of a service: what needs no configuration, and what the code of a service says of itself.
#![cfg(all(feature = "cli", feature = "openapi"))]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use serde_json::Value;
use tapisservice::config::{Config, ConfigError};
use tapisservice::prelude::*;
use tapisservice::{Settings, program};

/// A service with a setting that a deployment has to set.
#[derive(Clone)]
struct Mailer {
    sender: String,
}

#[derive(serde::Deserialize, JsonSchema)]
struct MailerSettings {
    /// Who messages come from.
    sender: String,
    /// The most messages in a minute.
    #[serde(default = "rate")]
    rate: u32,
}

fn rate() -> u32 {
    10
}

#[utoipa::path(get, path = "/sender", operation_id = "showSender", responses((status = 200, body = EnvelopeOf<String>)))]
async fn show_sender(State(mailer): State<Mailer>) -> Envelope<String> {
    Envelope::new(mailer.sender)
}

impl TapisService for Mailer {
    const PACKAGE: Package = Package::new("mailer", "2.7.1", "Sends messages");
    type Settings = MailerSettings;

    fn routes() -> Routes<Self> {
        Routes::new()
            .add(Policy::public(), handlers!(show_sender))
            .route(Policy::service_only(), "/raw", axum::routing::get(show_sender).post(show_sender))
            .route(Policy::public(), "/any", axum::routing::any(show_sender))
    }

    fn check(config: &Config<MailerSettings>) -> std::result::Result<(), ConfigError> {
        match config.settings().rate {
            0 => Err(config.violation("rate", "expected at least one message in a minute").into()),
            _ => Ok(()),
        }
    }

    async fn start(startup: &mut Startup<MailerSettings>) -> std::result::Result<Self, StartError> {
        Ok(Self { sender: startup.settings().sender.clone() })
    }
}

fn loaded(more: &[(&str, &str)]) -> std::result::Result<Config<MailerSettings>, ConfigError> {
    let settings = [
        ("service_name", "mail"),
        ("service_site_id", "tacc"),
        ("service_tenant_id", "admin"),
        ("primary_site_admin_tenant_base_url", "http://127.0.0.1:1"),
    ];
    let loader = program::loader::<Mailer>().environment(settings.iter().chain(more).copied());
    let loader = loader.default_config_path("").default_schema_path("");
    loader.fallback_config("test", r#"{"tenants": ["*"]}"#).load()
}

async fn get(app: &tapisservice::App, path: &str) -> (u16, Value) {
    use tower::ServiceExt as _;
    let request = http::Request::get(path).body(axum::body::Body::empty()).unwrap();
    let response = app.service().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_description_needs_no_configuration() {
    let description = program::describe::<Mailer>().unwrap();
    let document = serde_json::to_value(&description.openapi).unwrap();
    assert_eq!(document["info"]["version"], "2.7.1");
    assert_eq!(document["info"]["title"], "mailer");
    assert_eq!(document["paths"]["/v3/mailer/sender"]["get"]["operationId"], "showSender");
}

#[tokio::test]
async fn a_description_is_that_of_the_running_service() {
    let config = loaded(&[("sender", "root"), ("version", "2.7.1"), ("service_name", "mailer")]).unwrap();
    let settings = Settings::from_config(&config).unwrap();
    let app = program::assemble::<Mailer>(&config, settings).await.unwrap().build().unwrap();
    let description = program::describe::<Mailer>().unwrap();
    assert_eq!(description.routes, app.routes());
    assert_eq!(
        serde_json::to_value(&description.openapi).unwrap(),
        serde_json::to_value(app.openapi()).unwrap()
    );
}

#[tokio::test]
async fn the_version_is_that_of_the_package_unless_it_is_set() {
    for (set, version) in
        [(&[("sender", "root")][..], "2.7.1"), (&[("sender", "root"), ("version", "3")], "3")]
    {
        let config = loaded(set).unwrap();
        let settings = Settings::from_config(&config).unwrap();
        let app = program::assemble::<Mailer>(&config, settings).await.unwrap().build().unwrap();
        let (status, body) = get(&app, "/v3/mail/sender").await;
        assert_eq!((status, &body["result"], &body["version"]), (200, &"root".into(), &version.into()));
        assert_eq!(app.openapi().info.version, version);
    }
}

#[test]
fn settings_are_checked_as_a_whole() {
    let told = |set: &[(&str, &str)]| loaded(set).err().unwrap().to_string();
    assert!(told(&[]).starts_with("/sender: required, expected a string"), "{}", told(&[]));
    assert_eq!(
        told(&[("sender", "root"), ("rate", "0")]),
        "/rate: expected at least one message in a minute (from the environment variable rate)"
    );
}

#[test]
fn the_schema_for_deployers_is_that_of_the_settings() {
    let schema: Value = program::schema_text::<Mailer>().parse().unwrap();
    let keys: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["rate", "sender"]);
}
