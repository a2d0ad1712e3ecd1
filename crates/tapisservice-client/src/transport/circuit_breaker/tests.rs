//! When a circuit breaker opens and closes.

use super::*;

fn breaker() -> Breaker {
    Breaker::new("tacc", "systems", Thresholds { failures: 3, pause: Duration::from_secs(10) })
}

fn call(breaker: &Breaker, outcome: Outcome) -> bool {
    breaker.admit().map(|permit| permit.settle(outcome)).is_ok()
}

#[tokio::test(start_paused = true)]
async fn it_opens_after_failures_in_a_row_and_closes_by_one_call_that_works() {
    let breaker = breaker();
    for outcome in [Outcome::Failure, Outcome::Failure, Outcome::Success, Outcome::Failure, Outcome::Unknown]
    {
        assert!(call(&breaker, outcome));
    }
    assert_eq!(breaker.report().state, BreakerState::Closed);
    assert!(call(&breaker, Outcome::Failure) && call(&breaker, Outcome::Failure));
    let report = breaker.report();
    assert_eq!((report.state, report.opened), (BreakerState::Open, 1));
    assert_eq!(breaker.admit().err(), Some(Duration::from_secs(10)));

    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(breaker.report().state, BreakerState::HalfOpen);
    let probe = breaker.admit().unwrap();
    assert!(breaker.admit().is_err(), "one call at a time tries");
    probe.settle(Outcome::Failure);
    assert_eq!(breaker.report().state, BreakerState::Open);

    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(call(&breaker, Outcome::Success));
    let report = breaker.report();
    let expected = (BreakerState::Closed, 0, 2, 2, None);
    assert_eq!((report.state, report.failures, report.opened, report.rejected, report.retry_after), expected);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_leaves_the_next_call_to_try() {
    let breaker = breaker();
    (0..3).for_each(|_| assert!(call(&breaker, Outcome::Failure)));
    tokio::time::advance(Duration::from_secs(11)).await;
    drop(breaker.admit().unwrap());
    assert!(call(&breaker, Outcome::Success));
    assert_eq!(breaker.report().state, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_late_response_neither_closes_nor_prolongs_an_open_one() {
    let breaker = breaker();
    let late: Vec<_> = (0..2).map(|_| breaker.admit().unwrap()).collect();
    (0..3).for_each(|_| assert!(call(&breaker, Outcome::Failure)));
    tokio::time::advance(Duration::from_secs(5)).await;
    for (permit, outcome) in late.into_iter().zip([Outcome::Success, Outcome::Failure]) {
        permit.settle(outcome);
    }
    assert_eq!(breaker.admit().err(), Some(Duration::from_secs(5)));
}

#[tokio::test(start_paused = true)]
async fn each_site_and_service_has_its_own() {
    let breakers = Breakers::new(Thresholds { failures: 1, pause: Duration::from_secs(10) });
    assert!(call(&breakers.of("tacc", "systems"), Outcome::Failure));
    assert!(breakers.of("tacc", "systems").admit().is_err());
    assert!(breakers.of("tacc", "files").admit().is_ok());
    assert!(breakers.of("uh", "systems").admit().is_ok());
    assert_eq!(breakers.report().len(), 3);
}
