//! Keeps weather stations per tenant, takes their observations as CSV, and forgets old ones.

mod observations;
mod stations;
mod store;

use std::time::Duration;

use serde::Deserialize;
use tapisservice::AppBuilder;
use tapisservice::client::ServiceClient;
use tapisservice::db::migrate::Migrator;
use tapisservice::db::migrations;
use tapisservice::prelude::*;

use crate::store::Store;

/// The state of the service.
#[derive(Clone, FromRef)]
pub struct Weather {
    store: Store,
    tapis: ServiceClient,
    keep: KeepDays,
}

/// The settings of the service.
#[derive(Deserialize, JsonSchema)]
pub struct WeatherSettings {
    /// Days after which observations are deleted.
    #[serde(default = "keep_days")]
    #[schemars(range(min = 1))]
    keep_days: u16,
}

#[derive(Clone, Copy)]
pub(crate) struct KeepDays(u16);

fn keep_days() -> u16 {
    30
}

impl TapisService for Weather {
    const PACKAGE: Package = package!();
    type Settings = WeatherSettings;

    fn routes() -> Routes<Self> {
        Routes::new()
            .add(Policy::public(), handlers!(stations::about))
            .add(
                Policy::authenticated(),
                handlers!(
                    stations::list,
                    stations::create,
                    stations::get,
                    stations::update,
                    stations::delete,
                    observations::latest,
                ),
            )
            .add(Policy::authenticated(), handlers!(observations::import).timeout(Duration::MAX))
    }

    fn migrations() -> Option<Migrator> {
        Some(migrations!())
    }

    async fn start(startup: &mut Startup<WeatherSettings>) -> std::result::Result<Self, StartError> {
        Ok(Self {
            store: Store::new(startup.database()?),
            tapis: startup.service_client()?,
            keep: KeepDays(startup.settings().keep_days),
        })
    }

    fn configure(&self, app: AppBuilder) -> AppBuilder {
        let (store, KeepDays(days)) = (self.store.clone(), self.keep);
        let every_hour = Schedule::every(Duration::from_hours(1));
        app.background(BackgroundTask::new("purge", every_hour, move |_| {
            let store = store.clone();
            async move { Ok(store.purge(days).await?) }
        }))
    }
}
