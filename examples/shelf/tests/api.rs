//! The service on a site, as its callers meet it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tapisservice::Settings;
use tapisservice::config::Config;
use tapisservice::serve::{Limits, Server, Shutdown};
use tapisservice_devsite::{DevSite, InjectedFault, System, TenantSpec};
use tempfile::TempDir;

const SECRET: &str = "the-publisher-knows";

struct Running {
    site: DevSite,
    shutdown: Shutdown,
    _folder: TempDir,
}

impl Running {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (site, config) = configure(&folder, SECRET).await;
        let mut settings = Settings::from_config(&config).unwrap();
        let mut limits = Limits::default();
        limits.drain = Duration::ZERO;
        settings.limits = limits;
        let app = shelf::app(&config, settings).await.unwrap();
        let shutdown = app.shutdown().clone();
        let app = app.build().unwrap();
        app.tenants().refresh().await.unwrap();
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        site.route_to("shelf", &format!("http://{}", server.local_addr())).unwrap();
        tokio::spawn(app.serve(server));
        Self { site, shutdown, _folder: folder }
    }

    #[expect(clippy::disallowed_methods, reason = "without the proxies of the environment")]
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        client.request(method, format!("{}/v3/shelf{path}", self.site.url()))
    }

    /// Where a tenant's own users find the site.
    fn authority(&self, tenant: &str) -> String {
        self.site.tenant_url(tenant).unwrap().replace("http://", "")
    }

    fn alice(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).header("X-Tapis-Token", self.site.token_for_user("tacc", "alice"))
    }
}

/// A site, and the configuration of the service on it.
async fn configure(folder: &TempDir, secret: &str) -> (DevSite, Config<shelf::ShelfSettings>) {
    let site = DevSite::builder().server("dev").system(System::new("library", "admin").public());
    let site = site.tenant(TenantSpec::new("guests", "tacc")).start().await.unwrap();
    let mut values = site.config_json("shelf").unwrap();
    values["webhook_secret"] = json!(secret);
    values["sql_db_url"] = json!(format!("sqlite://{}?mode=rwc", folder.path().join("shelf.db").display()));
    let config = Settings::loader()
        .settings::<shelf::ShelfSettings>()
        .environment([("", ""); 0])
        .default_config_path("")
        .default_schema_path("")
        .fallback_config("test", values.to_string())
        .load()
        .unwrap();
    (site, config)
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.trigger();
    }
}

async fn send(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_book_is_kept_read_and_taken_away() {
    let running = Running::start().await;
    let emma = json!({"title": "Emma", "shelf": "novels", "system_id": "library"});
    let post = |book: &Value| send(running.alice(Method::POST, "/books").json(book));

    let (status, made) = post(&emma).await;
    assert_eq!((status, &made["result"]["book_id"]), (201, &json!(1)), "{made}");
    assert_eq!(post(&emma).await.0, 409);
    let (status, body) = post(&json!({"title": " ", "shelf": "novels", "system_id": "library"})).await;
    assert_eq!((status, &body["message"]), (422, &json!("A book has a title.")));
    let (status, body) = post(&json!({"title": "Ulysses", "shelf": "novels", "system_id": "nowhere"})).await;
    assert_eq!((status, &body["message"]), (400, &json!("There is no system \"nowhere\".")));

    let (status, books) = send(running.alice(Method::GET, "/books?shelf=novels")).await;
    assert_eq!((status, &books["result"]), (200, &json!([made["result"]])));
    assert_eq!(send(running.alice(Method::GET, "/books/1")).await.1["result"], made["result"]);
    let (status, body) = send(running.alice(Method::GET, "/books/one")).await;
    assert_eq!((status, &body["message"]), (400, &json!("The id of a book is a number.")));
    assert_eq!(send(running.alice(Method::DELETE, "/books/1")).await.0, 200);
    let (status, body) = send(running.alice(Method::GET, "/books/1")).await;
    assert_eq!((status, &body["message"]), (404, &json!("You have no such book.")));
}

#[tokio::test]
async fn systems_that_fails_is_not_our_fault() {
    let running = Running::start().await;
    running.site.inject_fault("/v3/systems", InjectedFault::Status(500));
    let emma = json!({"title": "Emma", "shelf": "novels", "system_id": "library"});
    let (status, _) = send(running.alice(Method::POST, "/books").json(&emma)).await;
    assert!(matches!(status, 502 | 503), "{status}");
}

#[tokio::test]
async fn a_library_is_imported() {
    let running = Running::start().await;
    let padding = " ".repeat(3 << 20);
    let titles = format!("Emma\n{padding}\nUlysses\n");
    let (status, body) = send(running.alice(Method::POST, "/import").body(titles)).await;
    assert_eq!((status, &body["result"]), (200, &json!(2)), "{body}");
    let guest = running.request(Method::GET, "/books").header("Host", running.authority("guests"));
    let guest = guest.header("X-Tapis-Token", running.site.token_for_user("guests", "alice"));
    let (status, books) = send(guest).await;
    assert_eq!((status, &books["result"]), (200, &json!([])), "{books}");
}

#[tokio::test]
async fn who_may_call_what() {
    let running = Running::start().await;
    let (status, about) = send(running.request(Method::GET, "/about")).await;
    assert_eq!((status, &about["result"]["name"]), (200, &json!("shelf")));
    assert_eq!(send(running.request(Method::GET, "/books")).await.0, 401);
    let hook = |secret| send(running.request(Method::GET, "/books").header("X-Shelf-Webhook", secret));
    assert_eq!(hook(SECRET).await.0, 200);
    assert_eq!(hook("guessed").await.0, 401);

    assert_eq!(send(running.alice(Method::GET, "/inventory")).await.0, 403);
    let token = running.site.token_for_service("admin", "jobs", "tacc");
    let service = running.request(Method::GET, "/inventory").header("X-Tapis-Token", token);
    let service = service.header("X-Tapis-Tenant", "tacc").header("X-Tapis-User", "alice");
    let (status, inventory) = send(service).await;
    assert_eq!((status, &inventory["result"]), (200, &json!("[]")), "{inventory}");
    assert_eq!(send(running.request(Method::GET, "/ready")).await.0, 200);
}

#[tokio::test]
async fn the_document_says_what_a_token_is() {
    let running = Running::start().await;
    let response = running.request(Method::GET, "/openapi.json").send().await.unwrap();
    let document: Value = response.json().await.unwrap();
    assert_eq!(document["components"]["securitySchemes"]["TapisJWT"]["name"], "X-Tapis-Token");
    assert_eq!(document["paths"]["/v3/shelf/books"]["get"]["security"], json!([{"TapisJWT": []}]));
    assert!(document["paths"]["/v3/shelf/books"]["get"]["responses"]["401"].is_object());
    assert!(document["paths"]["/v3/shelf/books/{id}"]["get"]["responses"]["404"].is_object());
}

#[tokio::test]
async fn a_setting_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (_site, config) = configure(&folder, "short").await;
    let error = shelf::app(&config, Settings::from_config(&config).unwrap()).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "`webhook_secret` (variable TAPIS_WEBHOOK_SECRET): expected at least 16 characters"
    );
    std::fs::write(folder.path().join("shelf.db"), "no database").unwrap();
    let (_site, config) = configure(&folder, SECRET).await;
    let error = shelf::app(&config, Settings::from_config(&config).unwrap()).await.err().unwrap();
    assert!(error.to_string().starts_with("`sql_db_url` (variable TAPIS_SQL_DB_URL): "), "{error}");
}
