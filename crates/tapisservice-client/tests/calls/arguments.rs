//! What may be given to a call, and what is said about what may not.

use serde_json::json;
use tapisservice_client::call::Multipart;
use tapisservice_client::spec::{Catalog, Resource};
use tapisservice_client::{ArgumentErrorKind, ClientError, Upload};
use tapisservice_core::{RequestContext, ServiceInfo, TrackingId};

use crate::helpers::Server;

async fn refused(server: &Server, call: tapisservice_client::Call) -> ClientError {
    let error = call.send().await.unwrap_err();
    assert!(server.take().is_empty(), "nothing is sent: {error}");
    error
}

#[tokio::test]
async fn an_argument_that_does_not_exist_is_named_with_its_nearest_and_all_there_are() {
    let server = Server::start().await;
    let operation = Catalog::bundled().operation("systems", "getSystem").unwrap();
    let call = server.resource_client().call(operation).arg("system_id", "x");
    let error = refused(&server, call).await;
    let text = error.to_string();
    assert!(text.starts_with("systems.getSystem: unknown argument"), "{text}");
    assert!(!text.contains("?.") && !text.contains(".."), "one stop ends a sentence: {text}");
    let ClientError::Arguments(error) = error else { panic!("{text}") };
    assert_eq!((error.resource.as_deref(), error.operation.as_deref()), (Some("systems"), Some("getSystem")));
    assert_eq!(error.argument.as_deref(), Some("system_id"));
    assert!(
        matches!(&error.problem, ArgumentErrorKind::Unknown { nearest: Some(name), .. } if name == "systemId")
    );
    assert!(error.accepted.iter().any(|known| known.name == "select"));
    for part in ["system_id", "systemId", "did you mean", "systemId (path)", "select (query)"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn everything_that_is_missing_is_named_at_once() {
    let server = Server::start().await;
    let operation = Catalog::bundled().operation("systems", "createSystem").unwrap();
    let call = server.resource_client().call(operation).arg("id", "x").arg("host", json!(null));
    let text = refused(&server, call).await.to_string();
    for part in
        ["missing:", "systemType (body)", "host (body)", "defaultAuthnMethod (body)", "canExec (body)"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let missing = text.split(". It takes").next().unwrap();
    assert!(!missing.contains(" id (body)"), "{text}");
}

#[tokio::test]
async fn a_value_of_the_wrong_kind_is_named_and_not_quoted() {
    let server = Server::start().await;
    let get = Catalog::bundled().operation("systems", "getSystems").unwrap();
    let create = Catalog::bundled().operation("systems", "createSystem").unwrap();
    let cases = [
        (get.clone(), "search", json!({"canary": 1}), "expected a string, found an object"),
        (get.clone(), "limit", json!("canary"), "expected an integer, found a string"),
        (get.clone(), "limit", json!(1.5), "expected an integer, found a number"),
        (create.clone(), "canExec", json!("canary"), "expected a boolean, found a string"),
        (create, "port", json!(["canary"]), "expected an integer, found an array"),
    ];
    for (operation, name, value, what) in cases {
        let error = refused(&server, server.resource_client().call(operation).arg(name, value)).await;
        let text = error.to_string();
        assert!(
            matches!(error, ClientError::Arguments(_)) && text.contains(what) && text.contains(name),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn numbers_may_be_given_as_text_where_everything_is_text() {
    let server = Server::start().await;
    let operation = Catalog::bundled().operation("systems", "getSystems").unwrap();
    server.resource_client().call(operation).arg("limit", "7").arg("search", 5).send().await.unwrap();
    let got = server.take_one();
    assert!(got.query().contains("limit=7") && got.query().contains("search=5"), "{}", got.query());
}

#[tokio::test]
async fn arguments_come_one_by_one_or_as_a_struct_and_null_is_not_sent() {
    #[derive(serde::Serialize)]
    struct Arguments {
        limit: u8,
        search: Option<&'static str>,
    }
    let server = Server::start().await;
    let operation = Catalog::bundled().operation("systems", "getSystems").unwrap();
    let call =
        server.resource_client().call(operation).arg("limit", 1).args(Arguments { limit: 2, search: None });
    call.send().await.unwrap();
    assert_eq!(server.take_one().target, "/v3/systems?limit=2");
}

/// A resource of one operation whose body has a property called like a parameter, and one that takes null.
fn resource() -> Resource {
    let file = json!({"openapi": "3.0.0", "paths": {"/v3/x/{id}": {"post": {
        "operationId": "put",
        "parameters": [
            {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "session", "in": "cookie", "schema": {"type": "string"}},
            {"name": "Authorization", "in": "header", "required": true, "schema": {"type": "string"}},
            {"name": "X-Tapis-Token", "in": "header", "required": true, "schema": {"type": "string"}}
        ],
        "requestBody": {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": false, "properties": {
            "id": {"type": "integer"}, "note": {"type": "string"}
        }}}}}
    }}}});
    Resource::from_openapi("x", file.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn a_parameter_comes_before_a_property_of_its_name() {
    let server = Server::start().await;
    let operation = resource().operation("put").unwrap();
    let call = server
        .resource_client()
        .call(operation)
        .arg("id", "seven")
        .body_field("id", 7)
        .body_field("note", json!(null));
    call.arg("session", "a b;c").send().await.unwrap();
    let got = server.take_one();
    assert_eq!((got.path(), got.field("cookie")), ("/v3/x/seven", Some("session=a%20b%3Bc")));
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&got.body).unwrap(),
        json!({"id": 7, "note": null})
    );
}

#[tokio::test]
async fn header_parameters_that_say_who_calls_are_no_arguments() {
    let server = Server::start().await;
    let operation = resource().operation("put").unwrap();
    for name in ["Authorization", "X-Tapis-Token"] {
        let call = server.resource_client().call(operation.clone()).arg("id", "x").arg(name, "forged");
        let error = refused(&server, call).await;
        assert!(
            matches!(error, ClientError::Arguments(_)) && !error.to_string().contains("forged"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn no_value_leads_out_of_its_path() {
    let server = Server::start().await;
    let catalog = Catalog::bundled();
    let system = catalog.operation("systems", "getSystem").unwrap();
    let files = catalog.operation("files", "listFiles").unwrap();
    for value in ["..", ".", "", "../../tokens", "%2e%2e/tokens", "..\\tokens", "a/../../tokens", "..;/x"] {
        let one =
            refused(&server, server.resource_client().call(system.clone()).arg("systemId", value)).await;
        let path = server.resource_client().call(files.clone()).arg("systemId", "s").arg("path", value);
        let last = refused(&server, path).await;
        for error in [one, last] {
            assert!(matches!(error, ClientError::InvalidValue { .. }), "{value}: {error}");
        }
        let raw = refused(&server, server.resource_client().get(&format!("/v3/systems/{value}/../x"))).await;
        assert!(matches!(raw, ClientError::InvalidValue { .. }), "{value}: {raw}");
    }
    server.resource_client().call(system).arg("systemId", "a?token=1#x/y").send().await.unwrap();
    assert_eq!(server.take_one().target, "/v3/systems/a%3Ftoken%3D1%23x%2Fy");
}

#[tokio::test]
async fn extra_headers_and_query_parameters_are_sent_but_override_nothing() {
    let server = Server::start().await;
    let call = server
        .resource_client()
        .get("/v3/x")
        .header("If-None-Match", "\"1\"")
        .query("search", "a b&c")
        .query("deep", true);
    call.send().await.unwrap();
    let got = server.take_one();
    assert_eq!((got.query(), got.field("if-none-match")), ("search=a%20b%26c&deep=true", Some("\"1\"")));

    for (name, value) in [
        ("X-Tapis-Token", "forged"),
        ("x-tapis-user", "forged"),
        ("Authorization", "forged"),
        ("Host", "evil.test"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "x-tapis-token"),
        ("Cookie", "forged=1"),
        ("X-Nice", "a\r\nX-Tapis-Token: forged"),
    ] {
        let error = refused(&server, server.resource_client().get("/v3/x").header(name, value)).await;
        assert!(
            matches!(error, ClientError::InvalidValue { .. }) && !error.to_string().contains("forged"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_tracking_id_is_the_current_requests_unless_the_call_has_one() {
    let server = Server::start().await;
    let header = "x-tapis-tracking-id";
    server.resource_client().get("/v3/x").send().await.unwrap();
    assert_eq!(server.take_one().field(header), None);

    let service = ServiceInfo::new("bookmarks", "1");
    let id = TrackingId::new("jobs.4711").unwrap();
    let g = RequestContext::builder(service.into()).tracking_id(Some(id)).build();
    g.scope(server.resource_client().get("/v3/x").send()).await.unwrap();
    assert_eq!(server.take_one().field(header), Some("jobs.4711"));

    let own = TrackingId::new("own.1").unwrap();
    g.scope(server.resource_client().get("/v3/x").tracking_id(own).send()).await.unwrap();
    assert_eq!(server.take_one().field(header), Some("own.1"));

    let http = server.resource_client().http_client();
    g.scope(async move { http.get(format!("{}/v3/x", server.base_url)).send().await.map(|_| server) })
        .await
        .map(|server| assert_eq!(server.take_one().field(header), Some("jobs.4711")))
        .unwrap();
}

#[tokio::test]
async fn a_body_is_given_once_and_only_where_there_is_one() {
    let server = Server::start().await;
    let catalog = Catalog::bundled();
    let get = catalog.operation("systems", "getSystem").unwrap();
    let create = catalog.operation("systems", "createSystem").unwrap();
    let caller = server.resource_client();
    for call in [
        caller.call(get.clone()).arg("systemId", "x").body_json(json!({})),
        caller.call(get).arg("systemId", "x").file("file", Upload::bytes("x")),
        caller.call(create.clone()).arg("id", "x").body_json(json!({})),
        caller.call(create.clone()).file("file", Upload::bytes("x")),
        caller.get("/v3/x").arg("id", 1),
        caller.post("/v3/x").body_field("id", 1).body_json(json!({})),
    ] {
        assert!(matches!(refused(&server, call).await, ClientError::Arguments(_)));
    }
    caller.call(create).body_json(json!({"anything": "goes"})).send().await.unwrap();
    assert_eq!(server.take_one().body, br#"{"anything":"goes"}"#);
}

#[tokio::test]
async fn what_a_call_was_given_shows_in_no_debug_text() {
    let server = Server::start().await;
    let caller = server.resource_client();
    let parts = Multipart::new().text("password", "canary");
    let calls = [
        caller.get("/v3/x").query("token", "canary").header("x-secret", "canary"),
        caller.post("/v3/x").body_json(json!({"password": "canary"})),
        caller.post("/v3/x").body_field("password", "canary").multipart(parts),
    ];
    for call in calls {
        assert!(!format!("{call:?}").contains("canary"), "{call:?}");
    }
    let reply = caller.get("/v3/x").query("token", "canary").send().await.unwrap();
    assert!(!format!("{reply:?}").contains("canary"), "{reply:?}");
    assert!(!format!("{:?}", Multipart::new().text("password", "canary")).contains("canary"));
}
