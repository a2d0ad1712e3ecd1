//! Where routes lie (rule D1).

use axum::routing::get;
use serde_json::json;
use tapisservice::prelude::*;

use crate::helpers::start;

#[utoipa::path(get, path = "/", operation_id = "listThings", responses((status = 200)))]
async fn list() -> Envelope<u8> {
    Envelope::new(1)
}

#[utoipa::path(get, path = "/{id}", operation_id = "getThing", params(("id" = String, Path)), responses((status = 200)))]
async fn one(Path(id): Path<String>) -> Envelope<String> {
    Envelope::new(id)
}

fn routes() -> Routes {
    Routes::new().add(Policy::public(), handlers!(list)).add(Policy::public(), handlers!(one)).route(
        Policy::public(),
        "/deep/{*rest}",
        get(one),
    )
}

#[tokio::test]
async fn slashes_too_many_are_tolerated() {
    let running = start(routes(), json!({}), |app| app).await;
    for path in ["/v3/demo", "/v3/demo/", "//v3///demo//"] {
        assert_eq!(running.get_anonymously(path).await.body["result"], 1, "{path}");
    }
    assert_eq!(running.get_anonymously("/v3/demo/a%2Fb/").await.body["result"], "a/b");
    assert_eq!(running.get_anonymously("/v3/demo/deep/a/b%20c").await.body["result"], "a/b c");
    assert_eq!(running.get_anonymously("/V3/demo").await.status, 404);
}

#[tokio::test]
async fn the_base_path_follows_the_proxy_and_the_document_the_public() {
    for (base_path, list, thing) in
        [("/", "/", "/x"), ("", "/", "/x"), ("/api/things/", "/api/things", "/api/things/x")]
    {
        let running = start(routes(), json!({"base_path": base_path}), |app| app).await;
        assert_eq!(running.get_anonymously(list).await.status, 200, "{base_path}");
        assert_eq!(running.get_anonymously(thing).await.body["result"], "x", "{base_path}");
        assert_eq!(running.get_anonymously("/v3/demo/x").await.status, 404, "{base_path}");
        let paths: Vec<_> = running.app.openapi().paths.paths.keys().cloned().collect();
        assert!(
            paths.contains(&"/v3/demo".to_owned()) && paths.contains(&"/v3/demo/{id}".to_owned()),
            "{paths:?}"
        );
    }
}

#[tokio::test]
async fn the_document_and_the_list_of_routes_come_from_the_code() {
    let running = start(routes(), json!({}), |app| app).await;
    let document = running.get_anonymously("/v3/demo/openapi.json").await.body;
    assert_eq!(document["paths"]["/v3/demo"]["get"]["operationId"], "listThings");
    assert_eq!((&document["info"]["version"], &document["info"]["title"]), (&json!("1.2.3"), &json!("demo")));
    let routes: Vec<_> = running.app.routes().iter().map(ToString::to_string).collect();
    assert!(
        routes.contains(&"GET    /{id}                    public                 getThing".to_owned()),
        "{routes:#?}"
    );
}
