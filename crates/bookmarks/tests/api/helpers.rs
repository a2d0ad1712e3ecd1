//! The service under test, and the requests that only it has.

use bookmarks::Bookmarks;
use serde_json::{Value, json};
use tapisservice::testing::{System, TestClient, TestResponse, TestService, TestServiceBuilder};

pub(crate) type Service = TestService<Bookmarks>;

/// The service on a site with two more systems that everybody sees.
pub(crate) fn builder() -> TestServiceBuilder<Bookmarks> {
    let system = |id: &str| System::new(id, "admin").public();
    Service::builder().site(|site| site.system(system("stampede")).system(system(&"s".repeat(80))))
}

/// Requests for bookmarks.
pub(crate) trait BookmarkRequests {
    async fn create(&self, body: &Value) -> TestResponse;
    async fn update(&self, id: &str, body: &Value) -> TestResponse;

    /// Makes a bookmark and returns its id.
    async fn bookmark(&self, name: &str) -> String {
        self.bookmark_of(&json!({"name": name, "system_id": "workstation", "path": "/work"})).await
    }

    async fn bookmark_of(&self, body: &Value) -> String {
        let created = self.create(body).await;
        created.assert_status(201).result()["bookmark_id"].as_str().unwrap().to_owned()
    }

    /// The names in a list.
    async fn names(&self, query: &str) -> Vec<String>;
}

impl BookmarkRequests for TestClient {
    async fn create(&self, body: &Value) -> TestResponse {
        self.post("").json(body).await
    }

    async fn update(&self, id: &str, body: &Value) -> TestResponse {
        self.patch(&format!("/{id}")).json(body).await
    }

    async fn names(&self, query: &str) -> Vec<String> {
        let bookmarks = self.get(query).await.assert_status(200).result();
        let name = |bookmark: &Value| bookmark["name"].as_str().unwrap().to_owned();
        bookmarks.as_array().unwrap().iter().map(name).collect()
    }
}
