//! The one place where HTTP clients for calls to Tapis are begun.

use reqwest::ClientBuilder;

/// Begins an HTTP client that goes where it is told: never through a proxy that the environment names (`HTTP_PROXY`, `ALL_PROXY` and
/// the like). Such a proxy could put in public keys of its own, and see every token, and one for the way out of an institute knows
/// nothing of the hosts inside.
///
/// clippy.toml refuses reqwest's own constructors.
pub(crate) fn direct() -> ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "this is the place that takes the proxies away")]
    ClientBuilder::new().no_proxy().user_agent(USER_AGENT)
}

/// As [`direct`], through the proxies that the environment names: for files that are public and give no rights.
pub(crate) fn through_proxies() -> ClientBuilder {
    #[expect(
        clippy::disallowed_methods,
        reason = "the files are public, and often outside of where a service runs"
    )]
    ClientBuilder::new().user_agent(USER_AGENT)
}

const USER_AGENT: &str = concat!("tapisservice/", env!("CARGO_PKG_VERSION"));
