//! The service as a process of its own, with everything at TRACE, on a site and a database that fail in turn.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bookmarks::Bookmarks;
use serde_json::{Value, json};
use tapisservice::TapisService as _;
use tapisservice::db::migrate::Upgrade;
use tapisservice::testing::Postgres;
use tapisservice::testing::{DevSite, System};
use tempfile::TempDir;

use crate::canary::Canaries;
use crate::drive::{Caller, client, every_route, failing_neighbours};
use crate::evidence::Evidence;
use crate::text::{DATABASE_FOLDER, DATABASE_PASSWORD, NESTED_SECRET, OWN_SECRET, SERVICE_PASSWORD, percent};
use crate::tokens::{Tokens, serve_known_tokens};
use crate::upstream::chatty;

const TIMEOUT: Duration = Duration::from_mins(1);

/// The dependencies that log, which the service holds at WARN unless it is told otherwise, and its own crates.
const MODULES: [&str; 20] = [
    "axum",
    "bookmarks",
    "h2",
    "hyper",
    "hyper_rustls",
    "hyper_util",
    "jsonschema",
    "log",
    "metrics",
    "mio",
    "reqwest",
    "reqwest_middleware",
    "rustls",
    "sqlx",
    "sqlx_core",
    "sqlx_postgres",
    "sqlx_sqlite",
    "tokio",
    "tower",
    "tower_http",
];

/// How lines look, and where they go: people read the standard output, collectors files.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Format {
    Human,
    Json,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Database {
    Sqlite,
    /// Or an address at which nobody listens, where the machine has no PostgreSQL.
    Postgres,
}

/// A running service, what it was given and where it writes.
pub(crate) struct Service {
    process: Child,
    pub(crate) folder: TempDir,
    pub(crate) direct: String,
    pub(crate) metrics: String,
}

/// Serves, is driven, and stops; what came out goes to the evidence.
pub(crate) async fn serve(
    format: Format,
    database: Database,
    canaries: &mut Canaries,
    evidence: &mut Evidence,
) {
    let system = |id: &str| System::new(id, "admin").public();
    let site =
        DevSite::builder().server("dev").service("bookmarks", SERVICE_PASSWORD).system(system("stampede"));
    let site = site.start().await.unwrap();
    let tokens = Tokens::of(&site, canaries);
    let postgres = if database == Database::Postgres { Postgres::start() } else { None };
    let folder = tempfile::tempdir().unwrap();
    let url = match (database, &postgres) {
        (Database::Sqlite, _) => sqlite(&folder),
        (Database::Postgres, Some(postgres)) => prepared(postgres).await,
        (Database::Postgres, None) => {
            format!("postgres://tapis:{}@127.0.0.1:1/tapis", percent(DATABASE_PASSWORD))
        }
    };
    let client = client();
    // At first the neighbours refuse.
    site.inject_fault("/v3/tokens", chatty(401));
    let service = Service::start(folder, settings(&site, format, &url));
    site.route_to("bookmarks", service.direct.trim_end_matches("/v3/bookmarks")).unwrap();
    let mut caller =
        Caller { site: &site, service: &service, tokens: &tokens, evidence, client: client.clone() };
    caller.until("alive", "/healthcheck", 200).await;
    every_route(&mut caller).await;

    site.clear_faults();
    serve_known_tokens(&site, canaries);
    if database == Database::Sqlite || postgres.is_some() {
        let mut caller =
            Caller { site: &site, service: &service, tokens: &tokens, evidence, client: client.clone() };
        caller.until("ready", "/ready", 200).await;
        every_route(&mut caller).await;
        failing_neighbours(&mut caller).await;
        assert!(site.request_count("PUT /v3/tokens") > 0, "no token was renewed");
        damage(&service, postgres.as_ref());
        every_route(&mut caller).await;
    }
    evidence.record_metrics(client.get(&service.metrics).send().await.unwrap()).await;
    service.stop(evidence);
}

fn sqlite(folder: &TempDir) -> String {
    format!("sqlite://{}?mode=rwc", folder.path().join(DATABASE_FOLDER).join("bookmarks.db").display())
}

/// A migrated database of a user whose password is known to the search.
async fn prepared(postgres: &Postgres) -> String {
    postgres.sql(&format!("CREATE ROLE canary LOGIN SUPERUSER PASSWORD '{DATABASE_PASSWORD}'"));
    let url = format!("postgres://canary:{}@127.0.0.1:{}/tapis", percent(DATABASE_PASSWORD), postgres.port());
    let database =
        tapisservice::db::Database::connect_lazy(&tapisservice::db::DatabaseSettings::new(&url)).unwrap();
    Bookmarks::migrations().unwrap().upgrade(&database, Upgrade::Head, TIMEOUT, &mut |_| ()).await.unwrap();
    database.close().await;
    url
}

/// Takes the database away: its tables, or the whole server.
fn damage(service: &Service, postgres: Option<&Postgres>) {
    if let Some(postgres) = postgres {
        return tokio::task::block_in_place(|| postgres.kill());
    }
    let folder = service.folder.path().join(DATABASE_FOLDER);
    std::fs::write(folder.join("bookmarks.db"), "no database").unwrap();
    for log in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("bookmarks.db{log}")));
    }
}

fn settings(site: &DevSite, format: Format, database_url: &str) -> Value {
    let mut values = site.config_json("bookmarks").unwrap();
    values["service_password"] = json!("$env{CANARY_SERVICE_PASSWORD}");
    values["sql_db_url"] = json!(database_url);
    values["postgres_password"] = json!(DATABASE_PASSWORD);
    values["sql_acquire_timeout_seconds"] = json!(1);
    values["drain_seconds"] = json!(0);
    values["show_traceback"] = json!(true);
    values["client_retries"] = json!(1);
    values["client_breaker_failures"] = json!(0);
    values["log_level"] = json!("TRACE");
    values["own_secret"] = json!(OWN_SECRET);
    values["own_list"] = json!([{"name": "x", "inner": [NESTED_SECRET]}]);
    for module in MODULES {
        values[format!("{module}_log_level")] = json!("TRACE");
    }
    if format == Format::Json {
        values["log_format"] = json!("json");
        values["log_filing_strategy"] = json!("split");
        values["log_file"] = json!("service.log");
        values["hyper_log_file"] = json!("hyper.log");
        values["sqlx_log_file"] = json!("sqlx.log");
    }
    values
}

/// The service's schema with secrets of its own, and with TRACE, which deployments cannot choose.
pub(crate) fn schema() -> Value {
    let levels = json!({"type": "string", "enum": ["TRACE", "INFO", "ERROR"]});
    let mut schema = tapisservice::program::schema_text::<Bookmarks>().parse::<serde_json::Value>().unwrap();
    schema["properties"]["log_level"] = levels.clone();
    schema["patternProperties"] = json!({"_log_level$": levels});
    schema["properties"]["own_secret"] = json!({"type": "string", "writeOnly": true});
    let inner = json!({"type": "array", "items": {"type": "string"}, "writeOnly": true});
    schema["properties"]["own_list"] = json!({"type": "array", "items": {"properties": {"inner": inner}}});
    schema
}

/// A command of the service in a folder, with this configuration in a file.
pub(crate) fn command(folder: &Path, settings: &Value) -> Command {
    std::fs::write(folder.join("config.json"), settings.to_string()).unwrap();
    std::fs::write(folder.join("configschema.json"), schema().to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookmarks"));
    command
        .current_dir(folder)
        .env_clear()
        .env("RUST_BACKTRACE", "1")
        .env("CANARY_SERVICE_PASSWORD", SERVICE_PASSWORD);
    command.env("TAPIS_CONFIG_PATH", "config.json").env("TAPIS_CONFIGSCHEMA_PATH", "configschema.json");
    command
}

/// Files that were made to hold secrets.
pub(crate) fn holds_secrets(name: &str) -> bool {
    ["config.json", "configschema.json", DATABASE_FOLDER].contains(&name)
}

impl Service {
    fn start(folder: TempDir, mut settings: Value) -> Self {
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (api, figures) = (free(), free());
        let addresses = [api, figures].map(|listener| listener.local_addr().unwrap());
        settings["listen"] = json!(addresses[0].to_string());
        settings["metrics_listen"] = json!(addresses[1].to_string());
        let mut command = command(folder.path(), &settings);
        let process = command
            .stdin(Stdio::null())
            .stdout(file(&folder, "stdout"))
            .stderr(file(&folder, "stderr"))
            .spawn();
        let direct = format!("http://{}/v3/bookmarks", addresses[0]);
        Self {
            process: process.unwrap(),
            folder,
            direct,
            metrics: format!("http://{}/metrics", addresses[1]),
        }
    }

    /// Ends it as deployments do. A log of the whole life is kept.
    fn stop(mut self, evidence: &mut Evidence) {
        assert!(Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success());
        let status = self.process.wait().unwrap();
        assert_eq!(status.code(), Some(0));
        evidence.files(self.folder.path(), holds_secrets);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A test that failed leaves nothing running; one that did not has ended it already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn file(folder: &TempDir, name: &str) -> File {
    let path: PathBuf = folder.path().join(name);
    File::create(path).unwrap()
}
