//! How often memory is allocated for one request through the whole stack, from the parsed request to the read answer.
//!
//! Fewer is better: lower the kept number when this test says so. More needs a reason.

#[path = "../benches/rig/mod.rs"]
mod rig;

use allocation_counter::{AllocationInfo, measure};
use axum::body::Body;
use http::Request;
use tokio::runtime::{Builder, Runtime};

use rig::{Rig, read};

/// Allocations of a request whose token is known, and of one whose token is not. Bare axum with the same bytes has 13.
const KEPT: [u64; 2] = [48, 82];

/// The fewest allocations of several tries: tables grow now and then.
fn fewest(runtime: &Runtime, requests: Vec<Request<Body>>, answer: impl AsyncFn(Request<Body>)) -> u64 {
    let count = |request| {
        let AllocationInfo { count_total, .. } = measure(|| runtime.block_on(answer(request)));
        count_total
    };
    requests.into_iter().map(count).min().unwrap_or_default()
}

#[test]
fn a_request_allocates_no_more_than_it_did() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let rig = runtime.block_on(Rig::start());
    let known = rig.token(0);
    let same = || (0..20).map(|_| rig.request(&known)).collect::<Vec<_>>();
    let new = (1..20).map(|number| rig.request(&rig.token(number))).collect::<Vec<_>>();
    let whole = async |request| drop(read(rig.answer(request).await).await);
    let bare = async |request| drop(read(rig.answer_bare(request).await).await);
    let counted = [fewest(&runtime, same(), whole), fewest(&runtime, new, whole)];
    let bare = fewest(&runtime, same(), bare);
    assert_eq!(counted, KEPT, "known token, first-seen token; bare axum has {bare}");
}
