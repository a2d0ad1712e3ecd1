//! No text shows the URL or the password (rule C8).

use std::fmt::Debug;

use tapisservice_core::{Seconds, ServiceError as _};
use tapisservice_db::testing::PASSWORD;
use tapisservice_db::{Database, DatabaseSettings, SchemaCheck};

use crate::helpers::{migrated, migrator, owner};

fn clean(text: &impl Debug) {
    let text = format!("{text:?} {text:#?}");
    for secret in [PASSWORD, "canary", "p%40ss", "127.0.0.1"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn nothing_prints_the_password_or_the_host() {
    for fixture in migrated().await {
        let scope = fixture.database.for_owner(&owner("alice", "acme"));
        clean(&fixture.settings);
        clean(&fixture.database);
        clean(&scope);
        clean(&scope.begin().await.unwrap());
        clean(&SchemaCheck::new(fixture.database.clone(), migrator()));
    }
}

#[tokio::test]
async fn errors_of_the_connection_show_neither() {
    let Some(postgres) = crate::helpers::postgres() else { return };
    let port = postgres.port();
    let settings = [
        // A wrong password, an unknown database, nobody there, a certificate that is not there.
        DatabaseSettings::new(format!("127.0.0.1:{port}/tapis")).with_credentials("tapis", "canary-wrong"),
        postgres.settings("canary_database"),
        DatabaseSettings::new("postgres://tapis:canary@127.0.0.1:1/tapis"),
        DatabaseSettings::new(format!("postgres://tapis:canary@127.0.0.1:{port}/tapis?sslmode=verify-full")),
    ];
    for mut settings in settings {
        settings.sql_acquire_timeout_seconds = Seconds::new(1);
        let database = Database::connect_lazy(&settings).unwrap();
        let error = database.ping().await.unwrap_err();
        assert_eq!(error.to_error().status(), 503, "{error:?}");
        let message = error.to_error().message().to_owned();
        assert_eq!(message, "The database is unavailable.");
        assert!(!error.to_error().traceback().contains("canary-"), "{}", error.to_error().traceback());
        assert!(!error.to_error().traceback().contains("127.0.0.1"), "{}", error.to_error().traceback());
    }
}

#[tokio::test]
async fn the_url_works_like_the_parts_and_names_the_service() {
    let Some(postgres) = crate::helpers::postgres() else { return };
    let mut by_url = DatabaseSettings::new(postgres.url("tapis"));
    by_url.application_name = "bookmarks".to_owned();
    let socket = postgres.socket_folder().to_str().unwrap().replace('/', "%2F");
    let by_socket = DatabaseSettings::new(format!("postgres://{socket}:{}/tapis", postgres.port()))
        .with_credentials("tapis", PASSWORD);
    for (settings, name) in [(by_url, "bookmarks"), (by_socket, "tapisservice")] {
        let database = Database::connect_lazy(&settings).unwrap();
        let scope = database.across_tenants("the test asks for settings");
        let shown: String =
            scope.query("SELECT current_setting('application_name')").fetch_scalar().await.unwrap();
        let limit: String =
            scope.query("SELECT current_setting('statement_timeout')").fetch_scalar().await.unwrap();
        assert_eq!((&*shown, &*limit), (name, "1min"));
    }
}
