//! Catalogs of sets and custom specifications, and downloads that fail.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode, header};
use futures_util::stream;
use tapisservice_client::spec::{Catalog, CatalogBuilder, ResourceSet, SpecSource};
use tapisservice_client::{ClientError, UnknownOperation};

use crate::site::Site;

const NOTES: &str = "paths: {/notes: {get: {operationId: list}}}";

fn builder() -> CatalogBuilder {
    Catalog::builder().without_cache()
}

fn text(text: &str) -> SpecSource {
    SpecSource::Text(text.to_owned())
}

#[test]
fn unknown_names_are_met_with_what_there_is() {
    let catalog = Catalog::bundled();
    let says = |resource: &str, id: &str| match catalog.operation(resource, id) {
        Err(ClientError::UnknownOperation(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let cases = [
        (
            "sytems",
            "getSystem",
            r#"unknown resource "sytems"; did you mean "systems"? Known resources: actors, apps,"#,
        ),
        ("globus_proxy", "x", r#"did you mean "globus-proxy"?"#),
        (
            "systems",
            "get_system",
            r#"systems has no operation "get_system"; did you mean "getSystem"? Known operations: "#,
        ),
        ("systems", "GetSystem", r#"did you mean "getSystem"?"#),
        ("systems", "getSistem", r#"did you mean "getSystem"?"#),
        ("jobs", "getSystem", r#""getSystem" is an operation of systems"#),
        ("tokens", "createToken", r#"did you mean "create_token"?"#),
        ("tokens", "", "Known operations: create_token"),
        ("tokens", "qqqqqqq", "\"qqqqqqq\". Known operations: create_token"),
    ];
    for (resource, id, part) in cases {
        let text = says(resource, id);
        assert!(text.contains(part), "{text}");
    }
    assert!(says("systems", &"x".repeat(100_000)).len() < 5_000);
}

#[test]
fn an_unknown_name_is_matched_without_reading_its_text() {
    let catalog = Catalog::bundled();
    let unknown = |resource: &str, id: &str| match catalog.operation(resource, id) {
        Err(ClientError::UnknownOperation(error)) => *error,
        other => panic!("{other:?}"),
    };
    match unknown("systems", "get_system") {
        UnknownOperation::Operation { resource, operation, nearest, known, elsewhere, .. } => {
            assert_eq!(
                (&*resource, &*operation, nearest.as_deref()),
                ("systems", "get_system", Some("getSystem"))
            );
            assert!(known.contains(&"getSystem".to_owned()) && elsewhere.is_empty());
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        unknown("jobs", "getSystem"),
        UnknownOperation::Operation { elsewhere, .. } if elsewhere == ["systems"]
    ));
    assert!(matches!(
        unknown("sytems", "x"),
        UnknownOperation::Resource { nearest: Some(name), known, .. } if name == "systems" && known.len() == 16
    ));
}

#[tokio::test]
async fn a_custom_specification_joins_every_set_and_replaces_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("openapi_v3-apps.yml"), NOTES).unwrap();
    std::fs::write(folder.path().join("systems.json"), NOTES).unwrap();
    let site = Site::with("paths: {/v3/new: {get: {operationId: newer}}}").await;
    let sets = [
        ResourceSet::Bundled,
        ResourceSet::Prod,
        ResourceSet::Staging,
        ResourceSet::Dev,
        ResourceSet::Local(folder.path().to_owned()),
    ];
    for set in sets {
        let fetched = matches!(set, ResourceSet::Prod | ResourceSet::Staging | ResourceSet::Dev);
        let local = matches!(set, ResourceSet::Local(_));
        let catalog = builder()
            .specs_base_url(site.base.clone())
            .resource_set(set.clone())
            .custom_spec("notes", text(NOTES))
            .custom_spec("systems", text(NOTES))
            .build()
            .await
            .unwrap();
        assert!(catalog.operation("notes", "list").is_ok(), "{set:?}");
        assert!(catalog.operation("systems", "list").is_ok(), "{set:?}");
        assert!(catalog.operation("systems", "getSystem").is_err(), "{set:?}");
        assert_eq!(catalog.operation("files", "newer").is_ok(), fetched, "{set:?}");
        assert_eq!(catalog.operation("files", "listFiles").is_ok(), !fetched, "{set:?}");
        assert_eq!(catalog.operation("apps", "list").is_ok(), local, "{set:?}");
        assert_eq!(catalog.warnings(), []);
    }
    assert_eq!(site.asked(), 3 * 15, "what is replaced is not fetched");
}

#[tokio::test]
async fn what_a_set_cannot_provide_is_the_bundled_one_and_that_is_said() {
    let site = Site::start(|path| {
        let status = if path.contains("openapi-systems") { StatusCode::NOT_FOUND } else { StatusCode::OK };
        Response::builder().status(status).body(Body::from(NOTES)).unwrap()
    })
    .await;
    let built = builder().specs_base_url(site.base.clone()).resource_set(ResourceSet::Prod).build().await;
    let catalog = built.unwrap();
    assert!(catalog.operation("files", "list").is_ok());
    assert!(catalog.operation("systems", "getSystem").is_ok());
    let [notice] = catalog.warnings() else { panic!("{:?}", catalog.warnings()) };
    assert_eq!(notice.resource, "systems");
    assert!(notice.reason.contains("status 404; using the bundled one"), "{notice}");
}

#[tokio::test]
async fn a_custom_specification_that_cannot_be_had_fails_the_construction() {
    let elsewhere = Site::with(NOTES).await;
    let target = elsewhere.url("notes.yml").to_string();
    let site = Site::start(move |path| {
        let response = Response::builder();
        let chunks = |count: usize| {
            Body::from_stream(stream::iter(
                (0..count).map(|_| Ok::<_, Infallible>(Bytes::from(vec![b'x'; 65_536]))),
            ))
        };
        match path {
            "/missing" => response.status(404).body(Body::empty()),
            "/broken" => response.status(500).body(Body::from(NOTES)),
            "/login" => response.body(Body::from("<!doctype html><html><body>Sign in</body></html>")),
            "/cut" => response.body(Body::from("paths: {/notes: {get: {operationId: li")),
            "/huge" => response.body(chunks(100)),
            "/bomb" => response
                .header(header::CONTENT_ENCODING, "gzip")
                .body(Body::from(gzip(&vec![b' '; 10_000_000]))),
            "/away" => response.status(302).header(header::LOCATION, &target).body(Body::empty()),
            "/circle" => response.status(302).header(header::LOCATION, "/circle").body(Body::empty()),
            "/hang" => response.body(Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())),
            _ => response.body(Body::from(NOTES)),
        }
        .unwrap()
    })
    .await;
    let cases = [
        ("missing", "status 404"),
        ("broken", "status 500"),
        ("login", "not a mapping"),
        ("cut", "not YAML"),
        ("huge", "larger than 4194304 bytes"),
        ("bomb", "larger than 4194304 bytes"),
        ("away", "a redirect to another origin is not followed"),
        ("circle", "too many redirects"),
        ("hang", "no complete response within 0.5 s"),
    ];
    for (path, cause) in cases {
        let mut url = site.url(path);
        url.set_query(Some("key=secret"));
        let timeout = if path == "hang" { Duration::from_millis(500) } else { Duration::from_mins(1) };
        let built =
            builder().download_timeout(timeout).custom_spec("notes", SpecSource::Url(url)).build().await;
        let error = built.unwrap_err();
        assert!(matches!(&error, ClientError::Spec { resource, .. } if resource == "notes"), "{error:?}");
        let message = error.to_string();
        assert!(message.contains(cause) && message.contains(&format!("/{path}:")), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
    assert_eq!(elsewhere.asked(), 0);
}

#[tokio::test]
async fn custom_sources_that_make_no_sense_are_refused() {
    let cases = [
        ("notes", SpecSource::File("/nowhere/at/all.yml".into()), "notes: /nowhere/at/all.yml: "),
        ("notes", SpecSource::File("/dev/null".into()), "not a file"),
        ("notes", text("paths: 7"), "notes: paths is not a mapping"),
        (
            "notes",
            SpecSource::Url("ftp://example.org/n.yml".parse().unwrap()),
            "expected an http or https URL",
        ),
        (
            "notes",
            SpecSource::Url("http://me:secret@example.org/n.yml".parse().unwrap()),
            "must not contain credentials",
        ),
        ("../notes", text(NOTES), "invalid resource name"),
    ];
    for (name, source, cause) in cases {
        let message = builder().custom_spec(name, source).build().await.unwrap_err().to_string();
        assert!(message.contains(cause) && !message.contains("secret"), "{message}");
    }
    for source in ["", "notes.yml", "file:///etc/passwd", "javascript:1"] {
        assert!(source.parse::<SpecSource>().is_err(), "{source}");
    }
    let local = ResourceSet::Local("/nowhere/at/all".into());
    assert!(matches!(builder().resource_set(local).build().await, Err(ClientError::Setup(_))));
}

#[tokio::test]
async fn a_broken_file_of_a_local_set_fails_the_construction() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("systems.yml"), "paths: {").unwrap();
    let message = builder()
        .resource_set(ResourceSet::Local(folder.path().to_owned()))
        .build()
        .await
        .unwrap_err()
        .to_string();
    assert!(message.starts_with("systems: ") && message.contains("not YAML"), "{message}");
}

#[test]
fn debug_output_of_sources_holds_no_query() {
    let source: SpecSource = "https://example.org/notes.yml?key=secret".parse().unwrap();
    assert_eq!(format!("{source:?}"), r#"Url("https://example.org/notes.yml")"#);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
