//! The bundled index is what the reader makes of the OpenAPI files in `tests/spec/openapi`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use tapisservice_client::spec::{Catalog, Location, Operation, Resource};

fn operations() -> Vec<Arc<Operation>> {
    let catalog = Catalog::bundled();
    catalog
        .resources()
        .flat_map(|name| catalog.resource(name).unwrap().operations().cloned().collect::<Vec<_>>())
        .collect()
}

#[test]
fn the_index_has_every_operation_and_path() {
    let catalog = Catalog::bundled();
    assert_eq!(catalog.resources().len(), 16);
    let operations = operations();
    assert_eq!(operations.len(), 501);
    let paths: BTreeSet<_> = operations.iter().map(|op| (&op.resource, &op.path)).collect();
    assert_eq!(paths.len(), 344);
}

#[test]
fn the_index_has_the_odd_parameters() {
    let operations = operations();
    let parameters: Vec<_> = operations.iter().flat_map(|op| &op.parameters).collect();
    assert_eq!(parameters.iter().filter(|p| p.allows_slashes).count(), 28);
    let odd: Vec<_> =
        parameters.iter().filter(|p| matches!(p.location, Location::Header | Location::Cookie)).collect();
    assert_eq!(odd.len(), 7);
    assert_eq!(odd.iter().filter(|p| p.required).count(), 5);
}

#[test]
fn the_index_has_the_bodies() {
    let operations = operations();
    let mut count = BTreeMap::new();
    let mut free = 0;
    for form in operations.iter().filter_map(|op| op.body.as_ref()).flat_map(|body| &body.content) {
        *count.entry(form.media_type.as_str()).or_insert(0) += 1;
        free += usize::from(form.media_type == "application/json" && form.properties.is_empty());
    }
    let expected = [
        ("application/json", 175),
        ("application/octet-stream", 2),
        ("application/x-www-form-urlencoded", 2),
        ("multipart/form-data", 4),
    ];
    assert_eq!(count, BTreeMap::from(expected));
    assert_eq!(free, 20);
}

#[test]
fn the_index_is_what_the_files_say() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spec/openapi"));
    let catalog = Catalog::bundled();
    for name in catalog.resources() {
        let read = Resource::from_openapi(name, &std::fs::read(folder.join(format!("{name}.yml"))).unwrap())
            .unwrap();
        assert!(
            read.to_index() == catalog.resource(name).unwrap().to_index(),
            "{name} has changed: run the example extract_index"
        );
    }
    let files = std::fs::read_dir(folder).unwrap().filter(|entry| {
        entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "yml")
    });
    assert_eq!(files.count(), catalog.resources().len());
}
