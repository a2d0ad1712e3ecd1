//! The only constructors of HTTP clients.

use reqwest::ClientBuilder;

/// Starts an HTTP client that never uses a proxy from the environment (`HTTP_PROXY`, `ALL_PROXY` and the like). Such a proxy could replace
/// public keys and see every token, and a proxy for outgoing traffic does not know the hosts inside.
///
/// clippy.toml bans the constructors of reqwest.
pub(crate) fn direct() -> ClientBuilder {
    #[expect(clippy::disallowed_methods, reason = "this is the place that takes the proxies away")]
    ClientBuilder::new().no_proxy().user_agent(USER_AGENT)
}

/// Like [`direct`], but through the proxies of the environment: for public files, without credentials.
#[cfg(feature = "spec-files")]
pub(crate) fn through_proxies() -> ClientBuilder {
    #[expect(
        clippy::disallowed_methods,
        reason = "the files are public, and often outside of where a service runs"
    )]
    ClientBuilder::new().user_agent(USER_AGENT)
}

const USER_AGENT: &str = concat!("tapisservice/", env!("CARGO_PKG_VERSION"));
