//! How often memory is allocated for one request through the whole stack, from the parsed request to the read response.
//!
//! Fewer is better: lower the kept number when this test says so. More needs a reason.

#[path = "../benches/rig/mod.rs"]
mod rig;

use allocation_counter::{AllocationInfo, measure};
use axum::body::Body;
use http::Request;
use tokio::runtime::{Builder, Runtime};

use rig::read;

/// Allocations of a request whose token is known, and of one whose token is not. Bare axum with the same bytes has 13.
const KEPT: [u64; 2] = [22, 28];

/// Bytes that stay for a token that is remembered: 10,000 of them are at most 11 MB.
const REMEMBERED: i64 = 1100;

#[test]
fn a_request_allocates_no_more_than_it_did_and_leaves_little_behind() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let rig = runtime.block_on(rig::start());
    let known = rig.token(0);
    let same = || (0..20).map(|_| rig.request(&known)).collect::<Vec<_>>();
    let new =
        |from: u32, to: u32| (from..to).map(|number| rig.request(&rig.token(number))).collect::<Vec<_>>();
    let whole = async |request| drop(read(rig.call(request).await).await);
    let bare = async |request| drop(read(rig.call_bare(request).await).await);

    let counted = [fewest(&runtime, same(), whole), fewest(&runtime, new(1, 21), whole)];
    let bare = fewest(&runtime, same(), bare);
    assert_eq!(counted, KEPT, "known token, first-seen token; bare axum has {bare}");

    // A request is allocated before it is sent and freed on the way: a known token shows how much that is.
    let freed = all(&runtime, same(), whole).map(|info| info.bytes_current).max().unwrap_or_default();
    let left: i64 = all(&runtime, new(21, 1021), whole).map(|info| info.bytes_current - freed).sum();
    assert!((1..1000 * REMEMBERED).contains(&left), "{left} bytes are left of 1,000 tokens");
}

/// What each request allocates.
fn all(
    runtime: &Runtime,
    requests: Vec<Request<Body>>,
    call: impl AsyncFn(Request<Body>),
) -> impl Iterator<Item = AllocationInfo> {
    requests.into_iter().map(move |request| measure(|| runtime.block_on(call(request))))
}

/// The fewest allocations of several tries: tables grow now and then.
fn fewest(runtime: &Runtime, requests: Vec<Request<Body>>, call: impl AsyncFn(Request<Body>)) -> u64 {
    all(runtime, requests, call).map(|info| info.count_total).min().unwrap_or_default()
}
