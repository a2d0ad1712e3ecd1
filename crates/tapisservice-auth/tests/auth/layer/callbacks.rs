//! Rule A20: the `authn` and `authz` callbacks of a service.

use std::sync::Arc;

use parking_lot::Mutex;
use tapisservice_auth::{Authn, Callbacks, Policy};
use tapisservice_core::{AccountType, Error, Username};

use super::{Lines, alice, jobs, read_envelope, request, send, send_to_own_options};

/// What a callback saw, call by call.
type Calls = Arc<Mutex<Vec<Option<String>>>>;

/// An `authn` callback that gives `verdict`, and its calls.
fn authn(verdict: Result<Authn, Error>) -> (Callbacks, Calls) {
    let calls = Calls::default();
    let seen = calls.clone();
    let callbacks = Callbacks::default().authn(move |request| {
        seen.lock().push(request.g.request_username().map(ToString::to_string));
        let verdict = verdict.clone();
        async { verdict }
    });
    (callbacks, calls)
}

/// An `authz` callback that gives `verdict`, and its calls.
fn authz(callbacks: Callbacks, verdict: Result<(), Error>) -> (Callbacks, Calls) {
    let calls = Calls::default();
    let seen = calls.clone();
    let callbacks = callbacks.authz(move |request| {
        seen.lock().push(request.g.request_username().map(ToString::to_string));
        let verdict = verdict.clone();
        async { verdict }
    });
    (callbacks, calls)
}

fn somebody(account_type: AccountType) -> Authn {
    let tenant = tapisservice_core::testing::tenant("acme");
    Authn::Identified { tenant, username: Username::new("hook").unwrap(), account_type }
}

#[tokio::test]
async fn authn_runs_only_when_there_is_no_token_line_at_all() {
    let (alice, jobs) = (alice(), jobs());
    let expired = alice.replace('.', "..");
    let token = "x-tapis-token";
    let cases: [(&str, Lines<'_>, u16, usize); 9] = [
        ("no line", &[], 200, 1),
        ("on-behalf-of lines alone", &[("x-tapis-tenant", "beta"), ("x-tapis-user", "root")], 200, 1),
        ("an empty line", &[(token, "")], 401, 0),
        ("a blank line", &[(token, "  ")], 401, 0),
        ("no token", &[(token, "hello")], 401, 0),
        ("a malformed token", &[(token, &expired)], 401, 0),
        ("two lines", &[(token, ""), (token, "")], 400, 0),
        ("a valid token", &[(token, &alice)], 200, 0),
        ("a service's token alone", &[(token, &jobs)], 401, 0),
    ];
    for (what, lines, status, calls) in cases {
        let (callbacks, seen) = authn(Ok(Authn::Anonymous));
        let response = send(Policy::authenticated(), callbacks, request("GET", lines)).await;
        assert_eq!((response.status().as_u16(), seen.lock().len()), (status, calls), "{what}");
    }
}

#[tokio::test]
async fn without_a_yes_of_the_callback_a_request_without_a_token_is_refused() {
    let teapot = Error::base("no").with_status(http::StatusCode::IM_A_TEAPOT);
    let cases = [
        ("no callback", Callbacks::default(), 401, "No Tapis access token found in the request."),
        ("nothing", authn(Ok(Authn::default())).0, 401, "No Tapis access token found in the request."),
        ("an error", authn(Err(Error::authentication("bad secret"))).0, 401, "bad secret"),
        ("an error of its own", authn(Err(teapot)).0, 418, "no"),
    ];
    for (what, callbacks, status, message) in cases {
        let response = send(Policy::authenticated(), callbacks, request("GET", &[])).await;
        let challenge = response.headers().contains_key(http::header::WWW_AUTHENTICATE);
        assert_eq!(challenge, status == 401, "{what}");
        let (got, envelope) = read_envelope(response).await;
        assert_eq!((got, envelope["message"].as_str()), (status, Some(message)), "{what}");
    }
}

#[tokio::test]
async fn authn_may_say_who_calls() {
    let (callbacks, _) = authn(Ok(somebody(AccountType::User)));
    let (status, envelope) =
        read_envelope(send(Policy::authenticated(), callbacks, request("GET", &[])).await).await;
    assert_eq!((status, &envelope["result"]["request_username"]), (200, &"hook".into()));
    assert_eq!(envelope["result"]["username"], serde_json::Value::Null, "there is no token");
    let cases = [
        (somebody(AccountType::Service), 200),
        (somebody(AccountType::User), 403),
        (Authn::Anonymous, 403),
        (Authn::Refused, 401),
    ];
    for (verdict, status) in cases {
        let (callbacks, _) = authn(Ok(verdict.clone()));
        let response = send(Policy::service_only(), callbacks, request("GET", &[])).await;
        assert_eq!(response.status().as_u16(), status, "{verdict:?}");
    }
}

#[tokio::test]
async fn authz_runs_after_the_identity_is_known_and_not_for_a_routes_own_options() {
    type Case<'a> = (&'a str, Callbacks, Policy, &'a str, Lines<'a>, u16, &'a [&'a str]);

    let alice = alice();
    let with_token = [("x-tapis-token", alice.as_str())];
    let hook = || authn(Ok(somebody(AccountType::User))).0;
    let cases: [Case<'_>; 7] = [
        ("a user", hook(), Policy::authenticated(), "GET", &with_token, 200, &["alice"]),
        ("whom authn knows", hook(), Policy::authenticated(), "GET", &[], 200, &["hook"]),
        ("HEAD is as GET", hook(), Policy::authenticated(), "HEAD", &with_token, 200, &["alice"]),
        ("nobody", Callbacks::default(), Policy::authenticated(), "GET", &[], 401, &[]),
        ("OPTIONS", Callbacks::default(), Policy::authenticated(), "OPTIONS", &with_token, 200, &["alice"]),
        ("a public route", Callbacks::default(), Policy::public(), "GET", &with_token, 200, &[]),
        (
            "before the policy's own refusal",
            hook(),
            Policy::service_only(),
            "GET",
            &with_token,
            403,
            &["alice"],
        ),
    ];
    for (what, callbacks, policy, method, lines, status, seen) in cases {
        let (callbacks, calls) = authz(callbacks, Ok(()));
        let response = send(policy, callbacks, request(method, lines)).await;
        assert_eq!(response.status().as_u16(), status, "{what}");
        let calls: Vec<_> = calls.lock().iter().map(|name| name.clone().unwrap()).collect();
        assert_eq!(calls, seen, "{what}");
    }
    let (callbacks, calls) = authz(Callbacks::default(), Ok(()));
    let response =
        send_to_own_options(Policy::authenticated(), callbacks, request("OPTIONS", &with_token)).await;
    assert_eq!((response.status().as_u16(), calls.lock().len()), (200, 0));
}

#[tokio::test]
async fn authz_may_refuse() {
    let alice = alice();
    let with_token = [("x-tapis-token", alice.as_str())];
    let cases = [
        ("GET", Err(Error::permissions("Not authorized -- role missing.")), 403),
        ("GET", Err(Error::not_found("bookmark not found")), 404),
        ("OPTIONS", Err(Error::permissions("Not authorized -- role missing.")), 403),
        ("GET", Ok(()), 200),
    ];
    for (method, verdict, status) in cases {
        let (callbacks, _) = authz(Callbacks::default(), verdict);
        let response = send(Policy::authenticated(), callbacks, request(method, &with_token)).await;
        assert_eq!(response.status().as_u16(), status, "{method}");
    }
}
