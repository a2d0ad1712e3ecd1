//! However a handler is mounted, the policy of its route decides first (F32), and the list of routes tells the truth.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, any, any_service, get, on};
use http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use tapisservice::prelude::*;
use tapisservice::{App, BuildError, RouteError};
use tapisservice_devsite::DevSite;
use tower::service_fn;

use crate::helpers::{request, send, settings, start};

/// All methods that can have a handler, and one that cannot.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"];

async fn secret() -> Envelope<&'static str> {
    Envelope::new("secret")
}

async fn response(_: Request) -> Result<Response, Infallible> {
    Ok(Envelope::new("secret").into_response())
}

/// What is answered to a request with that token.
async fn status(app: &App, method: &str, path: &str, token: Option<&str>) -> (u16, Option<String>) {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = request(method, &format!("/v3/demo{path}"));
    let request = token.into_iter().fold(request, |request, token| request.header("x-tapis-token", token));
    let response = send(app, request.body(Body::empty()).unwrap()).await;
    let mut allow = response.headers.get_all("allow").iter().map(|allow| allow.to_str().unwrap().to_owned());
    (response.status.as_u16(), allow.next())
}

#[tokio::test]
async fn a_policy_decides_before_handlers_of_any_method_fallbacks_and_nested_services() {
    let service = || service_fn(response);
    let routes = || {
        Routes::new()
            .route(Policy::authenticated(), "/fallback", get(secret).fallback(secret))
            .route(Policy::authenticated(), "/any", any(secret))
            .route(Policy::service_only(), "/anyget", any(secret).get(secret))
            .route(Policy::authenticated(), "/service", any_service(service()))
            .route(Policy::authenticated(), "/proxy/{*rest}", get(secret).fallback_service(service()))
            .route(Policy::authenticated(), "/own", get(secret).options(secret).fallback(secret))
            .route(Policy::authenticated(), "/merged", get(secret))
            .route(Policy::service_only(), "/merged", on(MethodFilter::POST, secret).fallback(secret))
    };
    let running = start(routes(), json!({}), |app| app).await;
    let alice = running.alice();
    for path in ["/fallback", "/any", "/anyget", "/service", "/proxy/a/b", "/own", "/merged"] {
        for method in METHODS {
            let nobody = status(&running.app, method, path, None).await;
            let own_options = path == "/own" && method == "OPTIONS";
            assert_eq!(nobody.0, if own_options { 200 } else { 401 }, "{method} {path} without a token");
            let by_get = matches!(method, "GET" | "HEAD");
            let expected = match path {
                "/anyget" => 403,
                "/merged" if !by_get => 403,
                _ => 200,
            };
            let response = status(&running.app, method, path, Some(&alice)).await;
            assert_eq!(response.0, expected, "{method} {path} as alice");
        }
    }
    // What a callback refuses stays refused whatever the method.
    let refuse = |_: PolicyRequest| async { Err(Error::permissions("not today")) };
    let running = start(routes(), json!({}), |app| app.authz(refuse)).await;
    let alice = running.alice();
    for (method, path) in [("OPTIONS", "/any"), ("OPTIONS", "/fallback"), ("BREW", "/service")] {
        assert_eq!(status(&running.app, method, path, Some(&alice)).await.0, 403, "{method} {path}");
    }
}

#[tokio::test]
async fn a_method_without_a_handler_is_405_with_allow_and_options_204() {
    let routes = Routes::new().route(Policy::authenticated(), "/x", get(secret).post(secret));
    let running = start(routes, json!({}), |app| app).await;
    let allow = || Some("GET,HEAD,POST".to_owned());
    let alice = running.alice();
    for token in [None, Some(alice.as_str())] {
        assert_eq!(status(&running.app, "DELETE", "/x", token).await, (405, allow()));
        assert_eq!(status(&running.app, "BREW", "/x", token).await, (405, allow()));
        assert_eq!(status(&running.app, "OPTIONS", "/x", token).await, (204, allow()));
        assert_eq!(status(&running.app, "GET", "/nosuch", token).await.0, 404);
    }
    // A token that is sent is verified everywhere.
    for (method, path) in [("DELETE", "/x"), ("OPTIONS", "/x"), ("GET", "/nosuch"), ("GET", "/x")] {
        assert_eq!(status(&running.app, method, path, Some("a.b.c")).await.0, 401, "{method} {path}");
    }
}

/// Rule D6: the proxy adds these headers, and doubled ones break browsers.
#[tokio::test]
async fn no_answer_has_a_cors_header() {
    let routes = Routes::new().route(Policy::authenticated(), "/x", get(secret));
    let running = start(routes, json!({}), |app| app).await;
    let alice = running.alice();
    let cases = [
        ("GET", "/x", 200),
        ("OPTIONS", "/x", 204),
        ("DELETE", "/x", 405),
        ("GET", "/hello", 200),
        ("GET", "/no", 404),
    ];
    for (method, path, expected) in cases {
        let request = request(Method::from_bytes(method.as_bytes()).unwrap(), &format!("/v3/demo{path}"))
            .header("origin", "https://portal.example")
            .header("access-control-request-method", "GET")
            .header("x-tapis-token", &alice);
        let response = running.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status.as_u16(), expected, "{method} {path}");
        let cors = response.headers.keys().find(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors, None, "{method} {path}");
    }
}

#[tokio::test]
async fn health_looks_at_no_token_and_other_routes_may_do_the_same() {
    let whoami = |g: RequestContext| async move {
        let user = g.request_username().map(ToString::to_string);
        Envelope::new((user, g.is_token_rejected()))
    };
    let routes = Routes::new().route(PublicPolicy::new().ignoring_token(), "/log-in", get(whoami)).route(
        PublicPolicy::new().with_optional_token(),
        "/greeting",
        get(whoami),
    );
    let running = start(routes, json!({}), |app| app).await;
    let (alice, expired) = (running.alice(), running.site.expired_token_for_user("tacc", "alice"));
    for (token, user) in [(&*alice, Some("alice")), (&*expired, None), ("abc.def.ghi", None), ("", None)] {
        for path in ["/hello", "/healthcheck", "/ready", "/readycheck"] {
            assert_eq!(status(&running.app, "GET", path, Some(token)).await.0, 200, "{path} {token}");
        }
        for path in ["/hello", "/log-in"] {
            for (method, expected) in [("OPTIONS", 204), ("POST", 405), ("BREW", 405), ("HEAD", 200)] {
                let (status, allow) = status(&running.app, method, path, Some(token)).await;
                assert_eq!(status, expected, "{method} {path} {token}");
                assert_eq!(allow.is_some(), expected != 200, "{method} {path}");
            }
        }
        let ask = async |path: &str| {
            let request = request(Method::GET, path).header("x-tapis-token", token);
            running.send(request.body(Body::empty()).unwrap()).await.body["result"].clone()
        };
        assert_eq!(ask("/v3/demo/log-in").await, json!([null, false]));
        assert_eq!(ask("/v3/demo/greeting").await, json!([user, user.is_none()]));
    }
}

#[derive(Debug, Clone)]
struct Mounted {
    policy: u8,
    methods: Vec<Method>,
    fallback: u8,
}

const POLICIES: [(&str, u16, u16); 4] = [
    // name, the status without a token, the status as a user
    ("public", 200, 200),
    ("authenticated", 401, 200),
    ("service_only", 401, 403),
    ("nobody", 401, 403),
];

impl Mounted {
    fn policy(&self) -> Policy {
        match self.policy {
            0 => Policy::public(),
            1 => Policy::authenticated(),
            2 => Policy::service_only(),
            _ => Policy::callback("nobody", |_| async { Err(Error::permissions("nobody may")) }),
        }
    }

    fn routes(&self) -> MethodRouter {
        let methods = self.methods.iter().fold(MethodRouter::new(), |router, method| {
            router.on(MethodFilter::try_from(method.clone()).unwrap(), secret)
        });
        match self.fallback {
            0 => methods,
            1 => methods.fallback(secret),
            _ => methods.fallback_service(service_fn(response)),
        }
    }

    /// What is to be answered: by a handler under the policy, or that there is none.
    fn expected(&self, method: &str, signed_in: bool) -> u16 {
        let has = |name: &str| self.methods.iter().any(|method| method == name);
        let (_, nobody, user) = POLICIES[usize::from(self.policy)];
        match method {
            "OPTIONS" if has(method) => 200,
            _ if has(method) || method == "HEAD" && has("GET") || self.fallback > 0 => {
                if signed_in {
                    user
                } else {
                    nobody
                }
            }
            "OPTIONS" => 204,
            _ => 405,
        }
    }

    fn strategy() -> impl Strategy<Value = Self> {
        let names = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];
        let methods = names.map(|name| Method::from_bytes(name.as_bytes()).unwrap());
        let methods = proptest::sample::subsequence(methods.to_vec(), 0..=methods.len());
        (0..4_u8, methods, 0..3_u8).prop_map(|(policy, methods, fallback)| Self { policy, methods, fallback })
    }
}

#[test]
fn every_method_of_routes_made_at_random_is_under_their_policy_and_in_the_list() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let site = runtime.block_on(DevSite::builder().server("dev").start()).unwrap();
    let (settings, alice) = (settings(&site, &json!({})), site.token_for_user("tacc", "alice"));
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let sets = proptest::collection::vec(Mounted::strategy(), 1..5);
    let outcome = runner.run(&sets, |set| {
        let mut routes = Routes::new();
        for (number, mounted) in set.iter().enumerate() {
            routes = routes.route(mounted.policy(), format!("/r{number}"), mounted.routes());
        }
        runtime.block_on(async {
            let app = App::builder(settings.clone()).routes(routes).build().unwrap();
            app.tenants().refresh().await.unwrap();
            for (number, mounted) in set.iter().enumerate() {
                let path = format!("/r{number}");
                for method in METHODS {
                    let nobody = status(&app, method, &path, None).await.0;
                    prop_assert_eq!(nobody, mounted.expected(method, false), "{} {}", method, &path);
                    let user = status(&app, method, &path, Some(&alice)).await.0;
                    prop_assert_eq!(user, mounted.expected(method, true), "{} {} as alice", method, &path);
                }
                check_list(&app, &path, mounted)?;
            }
            Ok(())
        })
    });
    outcome.unwrap();
}

/// Each method that is answered stands in the list with its policy, and nothing else does.
fn check_list(app: &App, path: &str, mounted: &Mounted) -> Result<(), TestCaseError> {
    let mut listed: Vec<_> =
        app.routes().iter().filter(|route| route.path == path).map(|route| route.method.clone()).collect();
    let answers_head = |method: &&Method| **method != Method::HEAD || !mounted.methods.contains(&Method::GET);
    let mut expected: Vec<_> = mounted.methods.iter().filter(answers_head).map(ToString::to_string).collect();
    expected.extend((mounted.fallback > 0).then(|| "*".to_owned()));
    listed.sort();
    expected.sort();
    prop_assert_eq!(listed, expected);
    let policy = POLICIES[usize::from(mounted.policy)].0;
    prop_assert!(app.routes().iter().filter(|route| route.path == path).all(|route| route.policy == policy));
    Ok(())
}

/// Asks every method of every route in the list what it says.
#[tokio::test]
async fn the_list_of_routes_tells_the_truth() {
    let running = start(documented(), json!({}), |app| app).await;
    let alice = running.alice();
    let mut asked = 0;
    for route in running.app.routes() {
        let methods = if route.method == "*" { &METHODS[..] } else { &[route.method.as_str()][..] };
        let path = route.path.replace("{id}", "7");
        for method in methods {
            let open = route.policy.starts_with("public");
            let nobody = status(&running.app, method, &path, None).await.0;
            assert_eq!(nobody, if open { 200 } else { 401 }, "{method} {path}");
            assert_eq!(status(&running.app, method, &path, Some(&alice)).await.0, 200, "{method} {path}");
            asked += 1;
        }
    }
    assert_eq!(asked, 19, "{:?}", running.app.routes());
}

#[utoipa::path(get, path = "/things/{id}", operation_id = "getThing", responses((status = 200)))]
async fn get_thing() -> Envelope<u8> {
    Envelope::new(1)
}

#[utoipa::path(delete, path = "/things/{id}", operation_id = "deleteThing", responses((status = 200)))]
async fn delete_thing() -> Envelope<u8> {
    Envelope::new(2)
}

#[utoipa::path(post, path = "/others", operation_id = "postOther", responses((status = 200)))]
async fn post_other() -> Envelope<u8> {
    Envelope::new(3)
}

#[utoipa::path(get, path = "/others", operation_id = "listOthers", responses((status = 200)))]
async fn list_others() -> Envelope<u8> {
    Envelope::new(4)
}

fn documented() -> Routes {
    Routes::new()
        .add(Policy::authenticated(), handlers!(get_thing, delete_thing, list_others))
        .add(Policy::authenticated(), handlers!(post_other).map(|methods| methods.put(secret)))
        .route(Policy::authenticated(), "/any", any(secret))
}

#[tokio::test]
async fn a_documented_route_says_its_methods_and_operations() {
    let running = start(documented(), json!({}), |app| app).await;
    let listed: Vec<_> = running.app.routes().iter().map(ToString::to_string).collect();
    for line in [
        "GET    /hello                   public (token ignored) hello",
        "GET    /things/{id}             authenticated          getThing",
        "DELETE /things/{id}             authenticated          deleteThing",
        "GET    /others                  authenticated          listOthers",
        "POST   /others                  authenticated          postOther",
        "PUT    /others                  authenticated          -",
        "*      /any                     authenticated          -",
        "GET    /openapi.json            public                 -",
    ] {
        assert!(listed.iter().any(|listed| listed == line), "{line}: {listed:#?}");
    }
}

#[tokio::test]
async fn each_handler_answers_on_its_own_method_and_path_only() {
    let routes =
        Routes::new().add(Policy::public(), handlers!(get_thing, delete_thing, list_others, post_other));
    let running = start(routes, json!({}), |app| app).await;
    for (method, path, expected) in [
        ("GET", "/things/7", Some(1)),
        ("DELETE", "/things/7", Some(2)),
        ("GET", "/others", Some(4)),
        ("POST", "/others", Some(3)),
        ("POST", "/things/7", None),
        ("DELETE", "/others", None),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = request(method.clone(), &format!("/v3/demo{path}")).body(Body::empty()).unwrap();
        let response = running.send(request).await;
        assert_eq!(response.status == 405, expected.is_none(), "{method} {path}");
        assert_eq!(response.body["result"], json!(expected), "{method} {path}");
    }
    let paths = serde_json::to_value(running.app.openapi()).unwrap()["paths"].clone();
    let methods = |path: &str| paths[path].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(methods("/v3/demo/things/{id}"), ["delete", "get"]);
    assert_eq!(methods("/v3/demo/others"), ["get", "post"]);
}

/// Functions of one name have one operation id where they do not say another.
mod unnamed {
    use tapisservice::prelude::*;

    #[utoipa::path(get, path = "/unnamed", responses((status = 200)))]
    pub(super) async fn get_thing() -> Envelope<()> {
        Envelope::new(())
    }

    pub(super) mod deeper {
        use tapisservice::prelude::*;

        #[utoipa::path(get, path = "/deeper", responses((status = 200)), security(("Secret" = [])))]
        pub(in super::super) async fn get_thing() -> Envelope<()> {
            Envelope::new(())
        }
    }
}

#[utoipa::path(get, path = "/listed", operation_id = "get_thing", responses((status = 200)))]
async fn list_unnamed() -> Envelope<()> {
    Envelope::new(())
}

/// Builds a service with these routes.
async fn built(routes: Routes) -> Result<App, BuildError> {
    let site = DevSite::builder().server("dev").start().await.unwrap();
    App::builder(settings(&site, &json!({}))).routes(routes).build()
}

#[tokio::test]
async fn routes_that_contradict_each_other_are_refused_by_name() {
    let plain = |paths: &[&str]| {
        paths.iter().fold(Routes::new(), |routes, path| routes.route(Policy::public(), *path, get(secret)))
    };
    let cases: [(Routes, &str); 12] = [
        (
            documented().add(Policy::public(), handlers!(unnamed::get_thing, list_unnamed)),
            "GET /v3/demo/unnamed and GET /v3/demo/listed have the same operation id \"get_thing\": give one of them \
             another, #[utoipa::path(.., operation_id = \"..\")]. Without one it is the name of the function",
        ),
        (
            Routes::new().add(Policy::public(), handlers!(unnamed::deeper::get_thing)),
            "GET /v3/demo/deeper refers to the security scheme \"Secret\", which the document does not have: \
             declare it in what AppBuilder::openapi gets, or leave security(..) out, since the policy of the route says \
             what is needed",
        ),
        (
            Routes::new().add(Policy::authenticated(), handlers!(get_thing, get_thing)),
            "GET /things/{id} has two handlers: remove one of them",
        ),
        (plain(&["/x", "/x"]), "GET /x has two handlers: remove one of them"),
        (
            documented().route(Policy::public(), "/things/{id}", get(secret)),
            "GET /things/{id} has two handlers: remove one of them",
        ),
        (
            Routes::new().route(Policy::public(), "/x", any(secret)).route(
                Policy::authenticated(),
                "/x",
                get(secret).fallback(secret),
            ),
            "* /x has two handlers: remove one of them",
        ),
        (plain(&["/openapi.json"]), "/openapi.json is served by the framework: choose another path"),
        (
            plain(&["/a/{b}", "/a/{c}"]),
            "the paths /v3/demo/a/{c} and /v3/demo/a/{b} match the same requests: keep one of them",
        ),
        (plain(&["x"]), "the path \"x\" cannot be mounted: it has to start with a slash"),
        (plain(&[""]), "the path \"\" cannot be mounted: it has to start with a slash"),
        (plain(&["/:id"]), "the path \"/:id\" cannot be mounted: a parameter is written {name}"),
        (
            plain(&["/files/*rest"]),
            "the path \"/files/*rest\" cannot be mounted: the rest of a path is written {*name}",
        ),
    ];
    for (routes, message) in cases {
        let error = built(routes).await.map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(matches!(error, BuildError::Routes(_)));
    }
    let error = built(plain(&["/{a}{b}"])).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, BuildError::Routes(RouteError::InvalidPath { .. })), "{error}");
    // Two that look at no token share what is said of other methods, and leave a fallback to whoever has one.
    let ignoring = || PublicPolicy::new().ignoring_token();
    let routes = Routes::new()
        .route(ignoring(), "/x", get(secret))
        .route(ignoring(), "/x", on(MethodFilter::PUT, secret))
        .route(ignoring(), "/y", get(secret))
        .route(Policy::authenticated(), "/y", any(secret));
    assert!(built(routes).await.is_ok());
    // One path may have several routes, each with its own policy; a service may answer health itself.
    let routes =
        plain(&["/x", "/healthcheck"]).route(Policy::authenticated(), "/x", on(MethodFilter::PUT, secret));
    assert!(built(routes).await.is_ok());
}
