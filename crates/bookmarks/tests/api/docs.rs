//! Swagger UI.
#![cfg(feature = "swagger-ui")]

#[tokio::test]
async fn the_docs_are_one_redirect_away_and_whole() {
    let service = crate::start().await;
    for path in ["/docs", "/docs/"] {
        let response = service.anonymous().get(path).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["location"]),
            (303, &"/v3/bookmarks/docs/index.html".parse().unwrap())
        );
    }
    let page = service.anonymous().get("/docs/index.html").await;
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    for part in [
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-ui-standalone-preset.js",
        "swagger-initializer.js",
    ] {
        assert!(page.text().contains(part), "{part}");
        assert_eq!(service.anonymous().get(&format!("/docs/{part}")).await.status(), 200, "{part}");
    }
    assert!(page.text().contains("<title>Bookmarks</title>"), "{}", page.text());
    let start = service.anonymous().get("/docs/swagger-initializer.js").await;
    for part in ["\"../openapi.json\"", "\"persistAuthorization\": true"] {
        assert!(start.text().contains(part), "{part}\n{}", start.text());
    }
    service.anonymous().get("/docs/nothing.js").await.assert_error(404, "The path does not exist.");
}
