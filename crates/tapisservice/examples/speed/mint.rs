//! Tokens, signed before anything is measured. The key that signs them never leaves this process.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::thread;

use tapisservice_devsite::{DevSite, TokenBuilder};

/// The tenant that signs for all: they share one key, since making thousands takes minutes.
const SIGNER: &str = "tacc";

/// Writes `public.pem`, and requests as lines `host token`: `one-tenant.txt` with `count` of them, `many-tenants.txt` with
/// `spread`, in turn of the tenants `t0` and so on.
pub(crate) async fn mint(
    folder: &Path,
    count: usize,
    spread: usize,
    tenants: usize,
) -> Result<(), Box<dyn Error>> {
    let site = DevSite::builder().server("dev").start().await?;
    fs::write(folder.join("public.pem"), site.public_key(SIGNER).ok_or("the site has no such tenant")?)?;
    let line = |tenant: &str| line(site.token(), tenant);
    fs::write(folder.join("one-tenant.txt"), lines(count, |_| line(SIGNER)))?;
    fs::write(folder.join("many-tenants.txt"), lines(spread, |n| line(&format!("t{}", n % tenants))))?;
    site.stop().await;
    Ok(())
}

fn line(token: TokenBuilder, tenant: &str) -> String {
    let host = format!("{tenant}.tapis.test");
    let issuer = format!("https://{host}/v3/tokens");
    let token = token.for_user(tenant, "alice").signed_by(SIGNER).claim("iss", issuer).mint();
    format!("{host} {token}\n")
}

/// Signing is slow, so every core does a part of it.
fn lines(count: usize, line: impl Fn(usize) -> String + Sync) -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let part = |core: usize| (core..count).step_by(cores).map(&line).collect::<String>();
    thread::scope(|scope| {
        let parts: Vec<_> = (0..cores).map(|core| scope.spawn(move || part(core))).collect();
        parts.into_iter().map(|part| part.join().expect("no token is refused to a known tenant")).collect()
    })
}
