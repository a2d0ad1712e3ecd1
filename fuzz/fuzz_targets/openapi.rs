//! OpenAPI files of unknown services, in YAML or JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tapisservice_client::ClientError;
use tapisservice_client::spec::Resource;

fuzz_target!(init: good_is_accepted(), |data: &[u8]| {
    let read = Resource::from_openapi("notes", data);
    check(&read);
    if let Ok(document) = serde_json::from_slice::<Value>(data)
        && let Ok(yaml) = yaml_serde::to_string(&document)
    {
        let by_yaml = Resource::from_openapi("notes", yaml.as_bytes());
        check(&by_yaml);
        // The reverse need not hold: of a repeated key, serde_json keeps the last value only.
        if let (Ok(read), Ok(by_yaml)) = (&read, &by_yaml) {
            assert_eq!(read.to_index(), by_yaml.to_index(), "{yaml}");
        }
    }
});

/// A target that takes nothing would check nothing.
fn good_is_accepted() {
    for file in
        [&include_bytes!("../seeds/openapi/tapis.yaml")[..], include_bytes!("../seeds/openapi/swagger.yaml")]
    {
        assert!(Resource::from_openapi("notes", file).is_ok());
    }
}

/// A file is refused in few words, or what it describes can be requested.
fn check(read: &Result<Resource, ClientError>) {
    let resource = match read {
        Ok(resource) => resource,
        Err(error) => return assert!(error.to_string().len() < 1000, "{error}"),
    };
    assert_eq!(resource.name(), "notes");
    assert!(resource.operations().len() > 0);
    for operation in resource.operations() {
        assert!(operation.path.starts_with("/v3"), "{}", operation.path);
        assert!(!operation.path.split('/').any(|segment| segment == ".."), "{}", operation.path);
        assert!(!operation.path.contains(char::is_control), "{:?}", operation.path);
        assert_eq!(resource.operation(&operation.operation_id).unwrap().path, operation.path);
    }
}
