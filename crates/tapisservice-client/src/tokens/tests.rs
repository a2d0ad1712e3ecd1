//! The promises F12 and F13, with a fake of the Tokens API and a paused clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use tapisservice_core::SiteId;
use tokio::time::{Instant, advance, sleep, timeout};

use super::endpoint::{ServiceTokenError, TokenEndpoint};
use super::pair::ServiceToken;
use super::{ServiceTokens, SiteToken};
use crate::{BoxFuture, ClientError};

const LIFE: u64 = 105;
/// Seconds in which a token of that life is used; it is renewed after 72 to 80.
const USED: u64 = 100;

/// What the fake does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Behaviour {
    Works,
    Down,
    Hangs,
    RejectsRefresh,
    Panics,
}

#[derive(Clone)]
struct FakeEndpoint(Arc<Inner>);

struct Inner {
    behaviour: Mutex<Behaviour>,
    delay: Mutex<Duration>,
    issued: AtomicU32,
    creations: AtomicU32,
    refreshes: AtomicU32,
    without_refresh_token: AtomicBool,
}

impl FakeEndpoint {
    fn new() -> Self {
        Self(Arc::new(Inner {
            behaviour: Mutex::new(Behaviour::Works),
            delay: Mutex::new(Duration::from_millis(20)),
            issued: AtomicU32::new(0),
            creations: AtomicU32::new(0),
            refreshes: AtomicU32::new(0),
            without_refresh_token: AtomicBool::new(false),
        }))
    }

    fn set_behaviour(&self, behaviour: Behaviour) {
        *self.0.behaviour.lock() = behaviour;
    }

    /// How many tokens were requested: by the password, by a refresh token.
    fn request_counts(&self) -> (u32, u32) {
        (self.0.creations.load(Ordering::SeqCst), self.0.refreshes.load(Ordering::SeqCst))
    }

    async fn respond(&self) -> Result<ServiceToken, ServiceTokenError> {
        let (behaviour, delay) = (*self.0.behaviour.lock(), *self.0.delay.lock());
        sleep(delay).await;
        match behaviour {
            Behaviour::Works | Behaviour::RejectsRefresh => {}
            Behaviour::Down => return Err(ServiceTokenError::temporary("down")),
            Behaviour::Hangs => {
                sleep(Duration::from_secs(10)).await;
                return Err(ServiceTokenError::temporary("no complete response in time"));
            }
            Behaviour::Panics => panic!("a bug"),
        }
        let number = self.0.issued.fetch_add(1, Ordering::SeqCst);
        let refresh = json!({"refresh_token": format!("refresh-{number}")});
        let refresh = if self.0.without_refresh_token.load(Ordering::SeqCst) { json!(null) } else { refresh };
        let access = json!({"access_token": format!("access-{number}"), "expires_in": LIFE});
        let pair = json!({"access_token": access, "refresh_token": refresh});
        ServiceToken::new(serde_json::from_value(pair).unwrap()).map_err(ServiceTokenError::temporary)
    }
}

impl TokenEndpoint for FakeEndpoint {
    fn create<'a>(&'a self, _: &'a SiteId) -> BoxFuture<'a, Result<ServiceToken, ServiceTokenError>> {
        self.0.creations.fetch_add(1, Ordering::SeqCst);
        Box::pin(self.respond())
    }

    fn refresh<'a>(&'a self, _: &'a ServiceToken) -> BoxFuture<'a, Result<ServiceToken, ServiceTokenError>> {
        self.0.refreshes.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            if *self.0.behaviour.lock() == Behaviour::RejectsRefresh {
                return Err(ServiceTokenError::lasting("status 401"));
            }
            self.respond().await
        })
    }
}

fn token() -> (FakeEndpoint, Arc<SiteToken>) {
    let endpoint = FakeEndpoint::new();
    (endpoint.clone(), ServiceTokens::new(endpoint).for_site(&SiteId::new("tacc").unwrap()))
}

async fn sent(token: &Arc<SiteToken>) -> Result<String, ClientError> {
    token.get().await.map(|held| held.header().to_str().unwrap().to_owned())
}

/// Lets this much time pass in small steps, so that every task sees it pass.
async fn pass(seconds: u64) {
    for _ in 0..seconds * 4 {
        advance(Duration::from_millis(250)).await;
        for _ in 0..8 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_for_until_somebody_needs_a_token() {
    let (endpoint, token) = token();
    pass(60).await;
    assert_eq!(endpoint.request_counts(), (0, 0));
    assert_eq!(sent(&token).await.unwrap(), "access-0");
    assert_eq!(endpoint.request_counts(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn five_hundred_first_callers_cause_one_request_and_the_first_may_leave() {
    let (endpoint, token) = token();
    let first = tokio::spawn({
        let token = token.clone();
        async move { sent(&token).await }
    });
    tokio::task::yield_now().await;
    let rest: Vec<_> = (0..500)
        .map(|_| {
            let token = token.clone();
            tokio::spawn(async move { sent(&token).await })
        })
        .collect();
    tokio::task::yield_now().await;
    first.abort();
    for caller in rest {
        assert_eq!(caller.await.unwrap().unwrap(), "access-0");
    }
    assert_eq!(endpoint.request_counts(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn five_hundred_callers_at_expiry_cause_one_refresh() {
    let (endpoint, token) = token();
    sent(&token).await.unwrap();
    // The machine slept through the time at which the background renews.
    advance(Duration::from_secs(USED + 1)).await;
    let callers: Vec<_> = (0..500)
        .map(|_| {
            let token = token.clone();
            tokio::spawn(async move { sent(&token).await })
        })
        .collect();
    for (number, caller) in callers.into_iter().enumerate() {
        if number == 0 {
            caller.abort();
            continue;
        }
        assert_eq!(caller.await.unwrap().unwrap(), "access-1");
    }
    assert_eq!(endpoint.request_counts(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_background_renews_at_72_to_80_percent_and_callers_never_notice() {
    let (endpoint, token) = token();
    *endpoint.0.delay.lock() = Duration::from_secs(3);
    assert_eq!(sent(&token).await.unwrap(), "access-0");
    pass(71).await;
    assert_eq!(endpoint.request_counts(), (1, 0));
    let mut seen = VecDeque::new();
    for _ in 0..16 {
        let before = Instant::now();
        seen.push_back(sent(&token).await.unwrap());
        assert_eq!(before, Instant::now(), "nobody waits");
        pass(1).await;
    }
    seen.make_contiguous().sort();
    assert_eq!((seen.pop_front(), seen.pop_back()), (Some("access-0".into()), Some("access-1".into())));
    assert_eq!(endpoint.request_counts(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn while_the_token_service_is_down_calls_keep_the_token_then_fail_at_once_then_recover() {
    for behaviour in [Behaviour::Down, Behaviour::Hangs] {
        let (endpoint, token) = token();
        assert_eq!(sent(&token).await.unwrap(), "access-0");
        endpoint.set_behaviour(behaviour);
        for _ in 0..USED - 1 {
            assert_eq!(sent(&token).await.unwrap(), "access-0", "{behaviour:?}");
            pass(1).await;
        }
        pass(2).await;
        let before = Instant::now();
        let error = sent(&token).await.unwrap_err();
        assert_eq!(before, Instant::now(), "{behaviour:?}: the error comes at once");
        assert!(matches!(&error, ClientError::Credentials { temporary: true, .. }), "{error}");
        assert!(error.is_retryable());
        endpoint.set_behaviour(Behaviour::RejectsRefresh);
        pass(35).await;
        assert_eq!(sent(&token).await.unwrap(), "access-1", "{behaviour:?}");
        assert!(token.report().failure.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_up_before_the_token_service_keeps_trying_with_growing_pauses() {
    let (endpoint, token) = token();
    endpoint.set_behaviour(Behaviour::Down);
    assert!(sent(&token).await.is_err());
    pass(3600).await;
    let (creations, _) = endpoint.request_counts();
    assert!((340..=420).contains(&creations), "about one per 9 to 10 s: {creations}");
    // The pauses are spread by chance, so the last attempt may still be under way.
    let under_way = u64::from(creations) - token.report().failed;
    assert!(under_way <= 1, "{under_way}");
    endpoint.set_behaviour(Behaviour::Works);
    pass(11).await;
    assert_eq!(sent(&token).await.unwrap(), "access-0");
}

#[tokio::test(start_paused = true)]
async fn a_refused_refresh_token_falls_back_to_the_password_in_the_same_attempt() {
    let (endpoint, token) = token();
    sent(&token).await.unwrap();
    endpoint.set_behaviour(Behaviour::RejectsRefresh);
    pass(85).await;
    assert_eq!(sent(&token).await.unwrap(), "access-1");
    assert_eq!(endpoint.request_counts(), (2, 1));
    assert_eq!(token.report().failed, 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_refresh_token_the_password_is_used_again() {
    let (endpoint, token) = token();
    endpoint.0.without_refresh_token.store(true, Ordering::SeqCst);
    sent(&token).await.unwrap();
    pass(85).await;
    assert_eq!(sent(&token).await.unwrap(), "access-1");
    assert_eq!(endpoint.request_counts(), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_renewed_once_for_all_who_sent_it() {
    let (endpoint, token) = token();
    let refused = token.get().await.unwrap().header().clone();
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let (token, refused) = (token.clone(), refused.clone());
            tokio::spawn(async move { token.renew_refused(&refused).await.unwrap() })
        })
        .collect();
    for caller in callers {
        assert!(caller.await.unwrap());
    }
    assert!(token.renew_refused(&refused).await.unwrap(), "it was renewed meanwhile");
    assert_eq!(endpoint.request_counts(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_refuses_every_token_causes_few_renewals() {
    let (endpoint, token) = token();
    token.get().await.unwrap();
    for _ in 0..100 {
        let refused = token.get().await.unwrap().header().clone();
        token.renew_refused(&refused).await.unwrap();
    }
    assert_eq!(endpoint.request_counts(), (1, 2));
    pass(31).await;
    let refused = token.get().await.unwrap().header().clone();
    assert!(token.renew_refused(&refused).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_renewal_is_an_error_and_not_the_end() {
    let (endpoint, token) = token();
    endpoint.set_behaviour(Behaviour::Panics);
    assert!(sent(&token).await.is_err());
    pass(5).await;
    assert!(endpoint.request_counts().0 < 10);
    endpoint.set_behaviour(Behaviour::Works);
    pass(11).await;
    assert_eq!(sent(&token).await.unwrap(), "access-0");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_nobody_holds_is_not_renewed() {
    let (endpoint, token) = token();
    sent(&token).await.unwrap();
    drop(token);
    pass(3600).await;
    assert_eq!(endpoint.request_counts(), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_given_up_does_not_stop_the_renewal() {
    let (endpoint, token) = token();
    *endpoint.0.delay.lock() = Duration::from_secs(5);
    assert!(timeout(Duration::from_secs(1), token.get()).await.is_err());
    sleep(Duration::from_secs(5)).await;
    assert_eq!(sent(&token).await.unwrap(), "access-0");
    assert_eq!(endpoint.request_counts(), (1, 0));
}
