//! The parts of a request, each beside what it is compared with. Ratios of one run, for a machine that does other things too:
//!
//! ```text
//! cargo bench -p tapisservice --bench parts
//! ```
#![expect(clippy::print_stdout, reason = "the figures are the result")]

mod rig;

use std::hint::black_box;
use std::time::Instant;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use serde_json::json;
use tapisservice::tenants::{Authority, Registry, RegistryData};
use tokio::runtime::Builder;

use rig::read;

const ROUNDS: usize = 9;

fn main() {
    let verification = verification();
    requests(verification);
    lookups();
}

/// One RS256 verification with a parsed key, in microseconds.
fn verification() -> f64 {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let message = [7; 600];
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &message, &mut signature).expect("a signature");
    let der = pair.public_key().as_der().expect("a public key");
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_ref()).expect("a public key");
    let micros = median(|| time(500, || assert!(black_box(&key).verify_sig(&message, &signature).is_ok())));
    println!("{:<44} {micros:>8.2} us", "aws-lc verification");
    micros
}

/// The whole stack without a socket.
fn requests(verification: f64) {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let rig = runtime.block_on(rig::start());
    let known = rig.token(0);
    let (mut bare, mut same, mut new) = (Vec::new(), Vec::new(), Vec::new());
    let mut number = 0;
    for _ in 0..ROUNDS {
        let mut tokens = || {
            number += 1;
            rig.token(number)
        };
        let fresh: Vec<_> = (0..100).map(|_| rig.request(&tokens())).collect();
        let repeated = || (0..1000).map(|_| rig.request(&known)).collect::<Vec<_>>();
        bare.push(each(repeated(), |request| {
            runtime.block_on(async { read(rig.call_bare(request).await).await })
        }));
        same.push(each(repeated(), |request| {
            runtime.block_on(async { read(rig.call(request).await).await })
        }));
        new.push(each(fresh, |request| runtime.block_on(async { read(rig.call(request).await).await })));
    }
    let (bare, same, new) = (middle(bare), middle(same), middle(new));
    println!("{:<44} {bare:>8.2} us", "bare axum, the same bytes");
    println!("{:<44} {same:>8.2} us   {:+.2} us on bare axum", "known token, whole stack", same - bare);
    let both = bare + verification;
    println!(
        "{:<44} {new:>8.2} us   {:.2} times bare axum and a verification",
        "first-seen token, whole stack",
        new / both
    );
}

/// A tenant by its host and by its id, among more and more of them.
fn lookups() {
    let mut first = None;
    for count in [10, 1_000, 100_000] {
        let registry = registry(count);
        let hosts: Vec<Authority> =
            (0..10).map(|n| format!("t{}.tapis.test", n * (count / 10)).parse().expect("a host")).collect();
        let nanos = 1000.0 / 10.0
            * median(|| {
                time(2_000, || {
                    for host in &hosts {
                        let tenant = registry.tenant_by_host(black_box(host)).expect("a tenant");
                        black_box(registry.tenant(tenant.tenant_id().as_str()));
                    }
                })
            });
        let ratio = nanos / *first.get_or_insert(nanos);
        println!(
            "{:<44} {nanos:>8.1} ns   {ratio:.2} times that of 10",
            format!("lookup by host and id among {count} tenants")
        );
    }
}

fn registry(count: usize) -> Registry {
    let tenant = |n| json!({"tenant_id": format!("t{n}"), "site_id": "tacc", "base_url": format!("https://t{n}.tapis.test")});
    let data = RegistryData::new(
        (0..count).map(|n| tenant(n).into()).collect(),
        vec![json!({"site_id": "tacc", "primary": true}).into()],
    );
    Registry::build(&data, None).expect("a registry")
}

/// Microseconds of one call, on average.
fn time(calls: u32, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        call();
    }
    start.elapsed().as_secs_f64() * 1e6 / f64::from(calls)
}

fn each<T, R>(items: Vec<T>, mut call: impl FnMut(T) -> R) -> f64 {
    let calls = u32::try_from(items.len()).expect("not that many");
    let mut items = items.into_iter();
    time(calls, || drop(items.next().map(&mut call)))
}

fn median(mut measure: impl FnMut() -> f64) -> f64 {
    middle((0..ROUNDS).map(|_| measure()).collect())
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
