//! A few requests of each kind without a socket, for `ci/instructions.py` to count the instructions of.

#[path = "../benches/rig/mod.rs"]
mod rig;

use std::hint::black_box;

use axum::body::Body;
use http::Request;
use tokio::runtime::{Builder, Runtime};

use rig::{Rig, Stack, read};

/// Requests of each kind.
const REQUESTS: u32 = 50;

fn main() {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let rig = runtime.block_on(rig::start());
    let known = rig.token(0);
    let same = || (0..REQUESTS).map(|_| rig.request(&known)).collect::<Vec<_>>();
    let new = |from: u32| (from..from + REQUESTS).map(|n| rig.request(&rig.token(n))).collect::<Vec<_>>();
    // What is made when it is first used is made here.
    all(&runtime, &rig, same());
    all(&runtime, &rig, new(REQUESTS));
    all_bare(&runtime, &rig, same());

    counted_known_token(&runtime, &rig, same());
    counted_first_seen_token(&runtime, &rig, new(2 * REQUESTS));
    counted_bare_axum(&runtime, &rig, same());
}

// Each has a symbol of its own, and something of its own in it, so that they are not merged.

#[inline(never)]
fn counted_known_token(runtime: &Runtime, rig: &Rig<impl Stack>, requests: Vec<Request<Body>>) {
    black_box("known");
    all(runtime, rig, requests);
}

#[inline(never)]
fn counted_first_seen_token(runtime: &Runtime, rig: &Rig<impl Stack>, requests: Vec<Request<Body>>) {
    black_box("first seen");
    all(runtime, rig, requests);
}

#[inline(never)]
fn counted_bare_axum(runtime: &Runtime, rig: &Rig<impl Stack>, requests: Vec<Request<Body>>) {
    black_box("bare");
    all_bare(runtime, rig, requests);
}

fn all(runtime: &Runtime, rig: &Rig<impl Stack>, requests: Vec<Request<Body>>) {
    for request in requests {
        runtime.block_on(async { read(rig.answer(request).await).await });
    }
}

fn all_bare(runtime: &Runtime, rig: &Rig<impl Stack>, requests: Vec<Request<Body>>) {
    for request in requests {
        runtime.block_on(async { read(rig.answer_bare(request).await).await });
    }
}
