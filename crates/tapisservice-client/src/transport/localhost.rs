//! Resolution of `localhost`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves `localhost` and all names below it to the loopback addresses without DNS (RFC 6761 section 6.3), and other names as the system
/// does.
///
/// Not every system resolves `tacc.localhost`, which is how a development site names its tenants (rule R4).
///
/// ```
/// use tapisservice_client::transport::{LocalhostResolver, Transport, TransportSettings};
///
/// let settings = TransportSettings::default();
/// let transport = Transport::builder(&settings).http(|http| http.dns_resolver(LocalhostResolver)).build()?;
/// # Ok::<(), tapisservice_client::ClientSettingsError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalhostResolver;

impl Resolve for LocalhostResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            if is_local(name.as_str()) {
                // The port is that of the URL.
                let loopback = [IpAddr::from(Ipv4Addr::LOCALHOST), Ipv6Addr::LOCALHOST.into()];
                return Ok(Box::new(loopback.into_iter().map(|ip| SocketAddr::new(ip, 0))) as Addrs);
            }
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn is_local(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_below_localhost_are_local() {
        for (name, local) in [
            ("localhost", true),
            ("tacc.localhost", true),
            ("TACC.Localhost.", true),
            ("notlocalhost", false),
            ("localhost.example.org", false),
            ("", false),
        ] {
            assert_eq!(is_local(name), local, "{name}");
        }
    }

    #[tokio::test]
    async fn a_local_name_needs_no_system() {
        let found: Vec<_> =
            LocalhostResolver.resolve("nobody.localhost".parse().unwrap()).await.unwrap().collect();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()));
    }
}
