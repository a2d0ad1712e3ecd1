//! A service on a site, and requests to it.

use bookmarks::Bookmarks;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tapisservice::config::Config;
use tapisservice::serve::{Server, Shutdown};
use tapisservice::{NoSettings, Settings, program};
use tapisservice_devsite::{DevSite, System};
use tempfile::TempDir;

/// A client that goes where it is told: neither elsewhere by a redirect nor through a proxy of the environment.
pub(crate) fn http() -> reqwest::Client {
    #[expect(clippy::disallowed_methods, reason = "the proxies are taken away here")]
    let builder = reqwest::Client::builder().no_proxy();
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A running service behind the router of a site.
pub(crate) struct Service {
    pub(crate) site: DevSite,
    pub(crate) folder: TempDir,
    client: reqwest::Client,
    shutdown: Shutdown,
}

/// A response, read whole.
#[derive(Debug)]
pub(crate) struct TestResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

/// A user of a tenant, with a token.
pub(crate) struct User<'a> {
    service: &'a Service,
    base_url: String,
    token: String,
}

impl Service {
    /// Starts a site, and the service on it with an empty database.
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = crate::database(&folder).await;
        Self::start_in(folder, &url).await
    }

    /// Starts a site, and the service on it with this database.
    pub(crate) async fn start_in(folder: TempDir, url: &str) -> Self {
        Self::start_with(folder, &json!({"sql_db_url": url})).await
    }

    /// Starts a site, and the service on it with these settings.
    pub(crate) async fn start_with(folder: TempDir, settings: &Value) -> Self {
        let system = |id: &str| System::new(id, "admin").public();
        let site =
            DevSite::builder().server("dev").system(system("stampede")).system(system(&"s".repeat(80)));
        let site = site.start().await.unwrap();
        let config = config(&site, settings);
        let settings = Settings::from_config(&config).unwrap();
        let app = program::assemble::<Bookmarks>(&config, settings).await.unwrap().build().unwrap();
        let shutdown = app.shutdown().clone();
        app.tenants().refresh().await.unwrap();
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        site.route_to("bookmarks", &format!("http://{}", server.local_addr())).unwrap();
        tokio::spawn(app.serve(server));
        let client = http();
        Self { site, folder, client, shutdown }
    }

    pub(crate) fn user(&self, name: &str, tenant: &str) -> User<'_> {
        let base_url = self.site.tenant_url(tenant).unwrap();
        User { service: self, base_url, token: self.site.token_for_user(tenant, name) }
    }

    pub(crate) fn alice(&self) -> User<'_> {
        self.user("alice", "tacc")
    }

    /// A request to tenant `tacc`, without a token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/v3/bookmarks{path}", self.site.url()))
    }

    pub(crate) async fn get(&self, path: &str) -> TestResponse {
        send(self.request(Method::GET, path)).await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shutdown.trigger();
    }
}

impl User<'_> {
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// A request with the user's token.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/v3/bookmarks{path}", self.base_url);
        self.service.client.request(method, url).header("X-Tapis-Token", &self.token)
    }

    pub(crate) async fn get(&self, path: &str) -> TestResponse {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> TestResponse {
        send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post(&self, body: &Value) -> TestResponse {
        send(self.request(Method::POST, "").json(body)).await
    }

    pub(crate) async fn patch(&self, id: &str, body: &Value) -> TestResponse {
        send(self.request(Method::PATCH, &format!("/{id}")).json(body)).await
    }

    /// Makes a bookmark and returns its id.
    pub(crate) async fn bookmark(&self, name: &str) -> String {
        self.bookmark_of(&json!({"name": name, "system_id": "workstation", "path": "/work"})).await
    }

    pub(crate) async fn bookmark_of(&self, body: &Value) -> String {
        let response = self.post(body).await;
        assert_eq!(response.status, 201, "{}", response.text);
        response.result()["bookmark_id"].as_str().unwrap().to_owned()
    }

    /// The names in a list.
    pub(crate) async fn names(&self, query: &str) -> Vec<String> {
        let response = self.get(query).await;
        assert_eq!(response.status, 200, "{}", response.text);
        let bookmarks = response.result().as_array().unwrap().clone();
        bookmarks.iter().map(|bookmark| bookmark["name"].as_str().unwrap().to_owned()).collect()
    }
}

impl TestResponse {
    pub(crate) fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn result(&self) -> Value {
        self.body()["result"].clone()
    }

    pub(crate) fn message(&self) -> String {
        self.body()["message"].as_str().unwrap().to_owned()
    }

    /// That it is a refusal with this status and message.
    #[track_caller]
    pub(crate) fn assert_refusal(&self, status: u16, message: &str) {
        assert_eq!((self.status.as_u16(), self.message().as_str()), (status, message));
        assert_eq!((&self.body()["status"], &self.body()["result"]), (&json!("error"), &Value::Null));
    }
}

pub(crate) async fn send(request: RequestBuilder) -> TestResponse {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    TestResponse { status, headers, text: response.text().await.unwrap() }
}

fn config(site: &DevSite, settings: &Value) -> Config<NoSettings> {
    let mut values = site.config_json("bookmarks").unwrap();
    values["drain_seconds"] = json!(0);
    for (key, value) in settings.as_object().unwrap() {
        values[key] = value.clone();
    }
    program::loader::<Bookmarks>()
        .environment([("", ""); 0])
        .default_config_path("")
        .default_schema_path("")
        .fallback_config("test", values.to_string())
        .load()
        .unwrap()
}
