//! Assembles the service, for the process and for tests.

use std::time::Duration;

use serde::Deserialize;
use tapisservice::client::ServiceClient;
use tapisservice::config::{Config, set_default};
use tapisservice::core::{AccountType, Username};
use tapisservice::db::migrate::{Migrator, Upgrade};
use tapisservice::db::{Database, DatabaseSettings, SchemaCheck};
use tapisservice::prelude::schemars::Schema;
use tapisservice::prelude::*;
use tapisservice::{App, AppBuilder, ReadyCheck, Settings, StartError};
use utoipa::OpenApi as _;

use crate::routes;
use crate::store::Store;

/// The state of the handlers.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    store: Store,
    tapis: ServiceClient,
}

impl FromRef<Shared> for Store {
    fn from_ref(shared: &Shared) -> Self {
        shared.store.clone()
    }
}

impl FromRef<Shared> for ServiceClient {
    fn from_ref(shared: &Shared) -> Self {
        shared.tapis.clone()
    }
}

/// The service's own settings.
#[derive(Deserialize, JsonSchema)]
#[schemars(transform = database_by_default)]
pub struct ShelfSettings {
    #[serde(flatten)]
    database: DatabaseSettings,
    /// What the publisher's webhook sends as `X-Shelf-Webhook`; empty: there is no webhook.
    #[serde(default)]
    webhook_secret: Secret,
}

fn database_by_default(schema: &mut Schema) {
    set_default(schema, "sql_db_url", "sqlite://shelf.db?mode=rwc");
}

/// Opens the database and assembles the service.
///
/// # Errors
///
/// When a setting is invalid, or the database cannot be opened.
pub async fn app(config: &Config<ShelfSettings>, settings: Settings) -> Result<AppBuilder, StartError> {
    let own = config.settings();
    let webhook_secret = own.webhook_secret.clone();
    if (1..16).contains(&webhook_secret.expose().len()) {
        return Err(StartError::setting("webhook_secret", "expected at least 16 characters"));
    }

    let migrator = Migrator::new(sqlx::migrate!("./migrations")).map_err(StartError::service)?;
    let database =
        Database::connect_lazy(&own.database).map_err(|error| StartError::setting("sql_db_url", error))?;
    migrator
        .upgrade(&database, Upgrade::Head, Duration::from_secs(10), &mut |_| ())
        .await
        .map_err(|error| StartError::setting("sql_db_url", error))?;

    let mut app = App::builder(settings);
    let tapis = app.service_client()?;
    let store = Store::new(database.clone());
    let shared = Shared { store: store.clone(), tapis };
    let schema = SchemaCheck::new(database, migrator);

    let app = app
        .routes(routes::all().with_state(shared))
        .authn(move |request| {
            let caller = webhook(&request, &webhook_secret);
            async move { caller }
        })
        .ready_check(ReadyCheck::new("schema", move || {
            let schema = schema.clone();
            async move { schema.ready().await }
        }))
        .ready_check(ReadyCheck::new("books", move || {
            let store = store.clone();
            async move { store.count().await.map(drop).map_err(|error| error.to_string()) }
        }))
        .openapi(ApiInfo::openapi());
    Ok(app)
}

/// Authenticates the publisher's webhook by its header, as the user `publisher` of the tenant it calls.
fn webhook(request: &PolicyRequest, secret: &Secret) -> Result<Authn> {
    let shown = request.headers.get_all("x-shelf-webhook").iter().next().map(http::HeaderValue::as_bytes);
    match (shown, request.g.request_tenant()) {
        (Some(shown), Some(tenant)) if !secret.expose().is_empty() && secret.matches(shown) => {
            let username = Username::new("publisher")?;
            Ok(Authn::Identified { tenant: tenant.clone(), username, account_type: AccountType::User })
        }
        _ => Ok(Authn::Refused),
    }
}

#[derive(utoipa::OpenApi)]
#[openapi(info(title = "Shelf", description = "Users keep books on shelves."))]
struct ApiInfo;
