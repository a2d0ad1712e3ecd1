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
    // Each request is made right before it is answered, outside of what is counted. Requests made ahead leave ever more free memory behind,
    // which glibc tidies up now and then: 500 instructions a request, in some builds and not in others.
    let same = || rig.request(&known);
    let new = |number| rig.request(&rig.token(number));
    // What is made when it is first used is made here.
    for number in 0..REQUESTS {
        call(&runtime, &rig, same());
        call(&runtime, &rig, new(REQUESTS + number));
        call_bare(&runtime, &rig, same());
    }
    for number in 0..REQUESTS {
        counted_known_token(&runtime, &rig, same());
        counted_first_seen_token(&runtime, &rig, new(2 * REQUESTS + number));
        counted_bare_axum(&runtime, &rig, same());
    }
}

// Each has a symbol of its own, and something of its own in it, so that they are not merged.

#[inline(never)]
fn counted_known_token(runtime: &Runtime, rig: &Rig<impl Stack>, request: Request<Body>) {
    black_box("known");
    call(runtime, rig, request);
}

#[inline(never)]
fn counted_first_seen_token(runtime: &Runtime, rig: &Rig<impl Stack>, request: Request<Body>) {
    black_box("first seen");
    call(runtime, rig, request);
}

#[inline(never)]
fn counted_bare_axum(runtime: &Runtime, rig: &Rig<impl Stack>, request: Request<Body>) {
    black_box("bare");
    call_bare(runtime, rig, request);
}

fn call(runtime: &Runtime, rig: &Rig<impl Stack>, request: Request<Body>) {
    runtime.block_on(async { read(rig.call(request).await).await });
}

fn call_bare(runtime: &Runtime, rig: &Rig<impl Stack>, request: Request<Body>) {
    runtime.block_on(async { read(rig.call_bare(request).await).await });
}
