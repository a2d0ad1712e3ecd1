//! Requests: every route, by everybody, with everything that can be wrong with it.

use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::json;
use tapisservice::testing::{DevSite, InjectedFault};

use crate::evidence::Evidence;
use crate::process::Service;
use crate::text::{BASIC_PASSWORD, BEARER, BODY, COOKIE, JUNK_TOKEN, SIGNATURE, percent};
use crate::tokens::Tokens;
use crate::upstream::failures;

const TIMEOUT: Duration = Duration::from_mins(1);

/// Who asks, whom, and where the responses go.
pub(crate) struct Caller<'a> {
    pub(crate) site: &'a DevSite,
    pub(crate) service: &'a Service,
    pub(crate) tokens: &'a Tokens,
    pub(crate) evidence: &'a mut Evidence,
    pub(crate) client: Client,
}

/// Follows no redirects. It is made once: reading the certificates of the machine takes long.
pub(crate) fn client() -> Client {
    #[expect(clippy::disallowed_methods, reason = "the proxies are taken away here")]
    let builder = Client::builder().no_proxy();
    builder.redirect(redirect::Policy::none()).build().unwrap()
}

impl Caller<'_> {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/v3/bookmarks{path}", self.site.url()))
    }

    fn as_alice(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).header("X-Tapis-Token", &self.tokens.alice)
    }

    async fn send(&mut self, request: RequestBuilder) -> u16 {
        let request = request.build().unwrap();
        let to = format!("{} {}", request.method(), request.url().path());
        // The refusal of a body that nobody reads to its end may be lost with the connection.
        let Ok(response) = self.client.execute(request).await else { return 0 };
        self.evidence.record_response(&to, response).await
    }

    /// Waits for a response with this status, without a word about the others.
    pub(crate) async fn until(&mut self, what: &str, path: &str, status: u16) {
        let start = Instant::now();
        loop {
            let response = self.client.get(format!("{}{path}", self.service.direct)).send().await;
            if response.is_ok_and(|response| response.status() == status) {
                return;
            }
            assert!(start.elapsed() < TIMEOUT, "never {what}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Every route of the service, as everybody, with secrets wherever a request has room for them.
pub(crate) async fn every_route(caller: &mut Caller<'_>) {
    let routes = tapisservice::program::describe::<bookmarks::Bookmarks>().unwrap();
    let routes: Vec<_> =
        routes.routes.iter().map(|route| (route.method.clone(), route.path.clone())).collect();
    assert!(routes.len() >= 10, "{routes:?}");
    let id = "00000000-0000-7000-8000-000000000000";
    for (method, path) in routes {
        let method = if method == "*" { Method::GET } else { method.parse().unwrap() };
        let path = path.replace("{bookmark_id}", id).replace("{*file}", "index.html");
        let path = path.strip_suffix('/').unwrap_or(&path);
        let query = format!("{path}?signature={}&limit={}", percent(SIGNATURE), percent(SIGNATURE));
        let headers = |request: RequestBuilder| {
            request
                .header("Cookie", format!("session={COOKIE}"))
                .json(&json!({"name": "x", "password": BODY}))
        };
        let anonymous = [
            headers(caller.request(method.clone(), path)),
            headers(caller.request(method.clone(), &query)).bearer_auth(BEARER),
            headers(caller.request(method.clone(), path)).basic_auth("someone", Some(BASIC_PASSWORD)),
            headers(caller.request(method.clone(), path)).header("X-Tapis-Token", JUNK_TOKEN),
            headers(caller.request(method.clone(), path)).header("X-Tapis-Token", format!("Bearer {BEARER}")),
            headers(caller.as_alice(method.clone(), path)).header("X-Tapis-Token", JUNK_TOKEN),
        ];
        for request in anonymous {
            caller.send(request).await;
        }
        for (_, token) in caller.tokens.all.clone() {
            let signed = |request: RequestBuilder| headers(request).header("X-Tapis-Token", &token);
            let plain = signed(caller.request(method.clone(), path));
            caller.send(plain).await;
            let for_alice = signed(caller.request(method.clone(), &query));
            caller.send(for_alice.header("X-Tapis-Tenant", "tacc").header("X-Tapis-User", "alice")).await;
        }
    }
    bodies(caller).await;
}

/// Bodies that hold secrets where nobody expects them, or are broken there.
async fn bodies(caller: &mut Caller<'_>) {
    let good = |name: &str| json!({"name": name, "system_id": "workstation", "path": "/"});
    let with = |key: &str, value: serde_json::Value| {
        let mut body = good("x");
        body[key] = value;
        body.to_string()
    };
    let texts = [
        good("kept").to_string(),
        with("tags", json!([{ "token": BODY }])),
        with("tags", json!(BODY)),
        with("path", json!(BODY)),
        with("name", json!([BODY])),
        with("system_id", json!(BODY)),
        with("description", json!({"password": BODY})),
        with("service_password", json!(BODY)),
        format!("{{\"name\": \"{BODY}\", "),
        format!("{BODY}={BODY}"),
        format!("\"{BODY}\""),
        with("path", json!(format!("{BODY}{}", "x".repeat(3_000_000)))),
    ];
    for text in texts {
        for (method, path) in [(Method::POST, ""), (Method::PATCH, "/00000000-0000-7000-8000-000000000000")] {
            for media_type in ["application/json", "text/plain"] {
                let request = caller
                    .as_alice(method.clone(), path)
                    .header("Content-Type", media_type)
                    .body(text.clone());
                caller.send(request).await;
            }
        }
    }
}

/// The neighbours fail in every way, one after the other.
pub(crate) async fn failing_neighbours(caller: &mut Caller<'_>) {
    for (number, fault) in failures(caller.site).into_iter().enumerate() {
        caller.site.inject_fault("/v3/systems", fault.clone());
        let body = json!({"name": format!("fault {number}"), "system_id": "stampede", "path": "/"});
        let status = caller.send(caller.as_alice(Method::POST, "").json(&body)).await;
        assert!(
            status >= 400
                || matches!(
                    fault,
                    InjectedFault::Response { .. } | InjectedFault::Html | InjectedFault::Truncated
                ),
            "{status} {fault:?}"
        );
        // An unknown tenant and a forged signature make the service look into the registry again.
        caller.site.inject_fault("/v3/tenants", fault);
        let stranger = caller
            .site
            .token()
            .for_user("tacc", "alice")
            .claim("tapis/tenant_id", format!("t{number}"))
            .mint();
        let request = caller.request(Method::GET, "/whoami").header("X-Tapis-Token", stranger);
        assert_eq!(caller.send(request).await, 401);
    }
    // Taking all faults away would take the known tokens away.
    for path in ["/v3/systems", "/v3/tenants"] {
        caller.site.inject_fault(path, InjectedFault::Slow(Duration::ZERO));
    }
}
