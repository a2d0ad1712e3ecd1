//! The cache: what it keeps, what it refuses to believe.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::http::Response;
use tapisservice_client::spec::{Catalog, ResourceSet, SpecSource};

use crate::site::Site;

const NOTES: &str = "paths: {/notes: {get: {operationId: list}}}";

async fn build(folder: &Path, site: &Site) -> Catalog {
    let source = SpecSource::Url(site.url("notes.yml"));
    Catalog::builder().spec_dir(folder).custom_spec("notes", source).build().await.unwrap()
}

fn cached(folder: &Path) -> PathBuf {
    folder.join("custom").join("notes.json")
}

/// A server whose specification can be broken.
async fn fragile() -> (Site, Arc<AtomicBool>) {
    let works = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&works);
    let site = Site::start(move |_| {
        Response::new(Body::from(if flag.load(Ordering::SeqCst) { NOTES } else { "<html>" }))
    })
    .await;
    (site, works)
}

#[tokio::test]
async fn what_was_fetched_is_not_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::with(NOTES).await;
    for _ in 0..3 {
        assert!(build(folder.path(), &site).await.operation("notes", "list").is_ok());
    }
    assert_eq!(site.asked(), 1);
    let files: Vec<_> = std::fs::read_dir(folder.path().join("custom")).unwrap().collect();
    assert_eq!(files.len(), 1, "no temporary file is left");
}

#[tokio::test]
async fn a_set_is_fetched_once() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::with(NOTES).await;
    for _ in 0..2 {
        let builder = Catalog::builder().spec_dir(folder.path()).specs_base_url(site.base.clone());
        let catalog = builder.resource_set(ResourceSet::Dev).build().await.unwrap();
        assert!(catalog.operation("sk", "list").is_ok());
    }
    assert_eq!(site.asked(), 16);
}

#[tokio::test]
async fn a_poisoned_file_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::with(NOTES).await;
    build(folder.path(), &site).await;
    let path = cached(folder.path());
    let good = std::fs::read_to_string(&path).unwrap();
    let line = r#"{"id":"list","method":"GET","path":"/v3/notes"}"#;
    assert!(good.contains(line), "{good}");
    let with = |other: &str| good.replace(line, other).into_bytes();
    let parameter = |parameter: &str| with(&line.replace('}', &format!(r#","parameters":[{parameter}]}}"#)));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("words", b"garbage".to_vec()),
        ("bytes", vec![0xFF; 1000]),
        ("a pickle", b"\x80\x04\x95\x20\x00\x00\x00cos\nsystem\n(S'id'\ntR.".to_vec()),
        ("cut off", good.as_bytes()[..good.len() / 2].to_vec()),
        ("deep", "[".repeat(100_000).into_bytes()),
        ("too large", vec![b' '; 17 * 1024 * 1024]),
        ("YAML", NOTES.as_bytes().to_vec()),
        ("another version", good.replace("\"version\":1", "\"version\":2").into_bytes()),
        ("another resource", good.replace("\"resource\":\"notes\"", "\"resource\":\"tokens\"").into_bytes()),
        ("another address", good.replace("notes.yml#", "other.yml#").into_bytes()),
        ("unknown keys", good.replace("\"version\"", "\"run\":\"me\",\"version\"").into_bytes()),
        ("no operations", with("")),
        ("an operation twice", with(&format!("{line},{line}"))),
        ("an unknown method", with(&line.replace("GET", "STEAL"))),
        ("a method that splits", with(&line.replace("GET", "GET \\r\\n"))),
        ("no id", with(&line.replace("list", ""))),
        ("another prefix", with(&line.replace("/v3/", "/v2/"))),
        ("another host", with(&line.replace("/v3/", "//evil.example.org/v3/"))),
        ("dot segments", with(&line.replace("notes", "../tokens"))),
        ("encoded dot segments", with(&line.replace("notes", "%2e%2E/tokens"))),
        ("a query", with(&line.replace("notes", "notes?a=1"))),
        ("a brace too many", with(&line.replace("notes", "{a"))),
        ("a slash in a name", with(&line.replace("notes", "{a/../b}"))),
        ("a parameter that is nowhere", with(&line.replace("notes", "{a}"))),
        ("a path parameter too many", parameter(r#"{"name":"a","in":"path"}"#)),
        ("a header that splits", parameter(r#"{"name":"a\r\nb","in":"header"}"#)),
        ("a style of another place", parameter(r#"{"name":"a","in":"query","style":"matrix"}"#)),
        ("a place that is none", parameter(r#"{"name":"a","in":"moon"}"#)),
        ("a media type that splits", with(&line.replace('}', r#","body":{"forms":[{"type":"a/b\r\nc"}]}}"#))),
    ];
    for (name, poison) in cases {
        std::fs::write(&path, &poison).unwrap();
        let asked = site.asked();
        let catalog = build(folder.path(), &site).await;
        let [notice] = catalog.warnings() else { panic!("{name}: {:?}", catalog.warnings()) };
        assert!(notice.reason.contains("ignoring the cached specification"), "{name}: {notice}");
        assert!(notice.reason.len() < 500, "{name}: {notice}");
        assert_eq!(catalog.operation("notes", "list").unwrap().path, "/v3/notes", "{name}");
        assert_eq!(site.asked(), asked + 1, "{name}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), good, "{name}");
    }
}

#[tokio::test]
async fn a_folder_or_a_pipe_in_place_of_the_file_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::with(NOTES).await;
    std::fs::create_dir_all(cached(folder.path())).unwrap();
    let catalog = build(folder.path(), &site).await;
    assert!(catalog.operation("notes", "list").is_ok());
    assert_eq!(catalog.warnings().len(), 2, "not read and not written: {:?}", catalog.warnings());
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_is_only_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let catalog = build(&file, &Site::with(NOTES).await).await;
    assert!(catalog.operation("notes", "list").is_ok());
    assert!(catalog.warnings().iter().any(|notice| notice.reason.contains("cannot be cached")));
}

#[tokio::test]
async fn a_failed_update_keeps_the_old_one_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (site, works) = fragile().await;
    let catalog = build(folder.path(), &site).await;
    let good = std::fs::read_to_string(cached(folder.path())).unwrap();
    works.store(false, Ordering::SeqCst);

    let source = SpecSource::Url(site.url("notes.yml"));
    let latest =
        Catalog::builder().spec_dir(folder.path()).custom_spec("notes", source).download_latest_specs(true);
    // The bundled set would ask for its newest too: from here, not from the world.
    let latest = latest.specs_base_url(site.base.clone()).build().await.unwrap();
    assert!(latest.operation("notes", "list").is_ok());
    let notice = latest.warnings().iter().find(|notice| notice.resource == "notes").unwrap();
    assert!(notice.reason.contains("not a mapping; using the cached one"), "{notice}");

    let update = latest.update_spec_cache().await.unwrap();
    assert_eq!(update.updated, Vec::<String>::new());
    assert_eq!(update.failures.len(), 17);
    assert_eq!(std::fs::read_to_string(cached(folder.path())).unwrap(), good);
    assert!(catalog.operation("notes", "list").is_ok());
}

#[tokio::test]
async fn an_update_is_for_the_catalogs_that_follow() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::with(NOTES).await;
    let builder = Catalog::builder().spec_dir(folder.path()).specs_base_url(site.base.clone());
    let before = builder.clone().build().await.unwrap();
    assert_eq!(site.asked(), 0, "the bundled set does not use the network");
    let update = before.update_spec_cache().await.unwrap();
    assert_eq!((update.updated.len(), update.failures.len()), (16, 0));
    let after = builder.build().await.unwrap();
    assert!(before.operation("systems", "getSystem").is_ok());
    assert!(after.operation("systems", "list").is_ok());
    assert_eq!(site.asked(), 16);
}

#[tokio::test]
async fn without_a_folder_nothing_can_be_updated() {
    let catalog = Catalog::builder().without_cache().build().await.unwrap();
    assert!(catalog.update_spec_cache().await.is_err());
}
