//! The service: its state, its routes and what it needs to start.

use tapisservice::axum::extract::FromRef;
use tapisservice::db::migrate::Migrator;
use tapisservice::db::migrations;
use tapisservice::prelude::*;
use tapisservice::utoipa::openapi::OpenApi as Document;
use tapisservice::utoipa::{self, OpenApi};

use crate::{Store, Systems, routes};

/// The state that handlers share; each extracts the part it needs.
#[derive(Debug, Clone)]
pub struct Bookmarks {
    store: Store,
    systems: Systems,
}

impl TapisService for Bookmarks {
    const PACKAGE: Package = package!();
    const DEFAULT_DATABASE_URL: Option<&'static str> = Some("sqlite://.tapis/bookmarks.db?mode=rwc");
    type Settings = NoSettings;

    fn routes() -> Routes<Self> {
        routes::all()
    }

    fn migrations() -> Option<Migrator> {
        Some(migrations!("../../migrations"))
    }

    fn api_info() -> Document {
        ApiInfo::openapi()
    }

    async fn start(startup: &mut Startup) -> Result<Self, StartError> {
        Ok(Self { store: Store::new(startup.database()?), systems: Systems::new(startup.service_client()?) })
    }
}

impl FromRef<Bookmarks> for Store {
    fn from_ref(bookmarks: &Bookmarks) -> Self {
        bookmarks.store.clone()
    }
}

impl FromRef<Bookmarks> for Systems {
    fn from_ref(bookmarks: &Bookmarks) -> Self {
        bookmarks.systems.clone()
    }
}

/// Paths and schemas come from the handlers, security from the policies.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bookmarks",
        description = "Users keep bookmarks to paths on Tapis systems. Everybody sees their own only.",
        license(name = "BSD-3-Clause", identifier = "BSD-3-Clause"),
    ),
    tags(
        (name = "bookmarks", description = "Bookmarks of the user the request is for."),
        (name = "identity", description = "Who the service takes the caller for."),
        (name = "health", description = "Whether the service is alive and can serve."),
    ),
)]
struct ApiInfo;

#[cfg(test)]
mod tests {
    use expect_test::expect_file;
    use tapisservice::program::schema_text;

    use super::*;

    #[test]
    fn the_schema_in_the_repository_is_that_of_the_service() {
        expect_file!["../../../configschema.json"].assert_eq(&schema_text::<Bookmarks>());
    }
}
