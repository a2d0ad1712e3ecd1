//! The destination of a client.

use tapisservice_tenants::parse_base_url;
use url::Url;

use crate::ClientSettingsError;

/// One service at one site, below one base URL.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CallDestination {
    /// The base URL of all paths: that of a tenant, without `/v3`.
    pub base_url: Url,
    /// The site, for the circuit breaker and the log.
    pub site: String,
    /// The service, for the circuit breaker and the log.
    pub service: String,
}

impl CallDestination {
    /// A service at a site.
    ///
    /// # Errors
    ///
    /// When `base_url` is invalid, see [`parse_base_url`].
    pub fn new(
        base_url: &str,
        site: impl Into<String>,
        service: impl Into<String>,
    ) -> Result<Self, ClientSettingsError> {
        let base_url =
            parse_base_url(base_url.trim_end_matches('/')).ok_or(ClientSettingsError::DestinationUrl)?;
        Ok(Self { base_url, site: site.into(), service: service.into() })
    }

    /// A service below a base URL that [`parse_base_url`] has parsed.
    pub fn below(base_url: Url, site: impl Into<String>, service: impl Into<String>) -> Self {
        Self { base_url, site: site.into(), service: service.into() }
    }

    /// Whether `url` has the origin of the base URL and a path below its path. Only such requests carry credentials.
    pub fn contains(&self, url: &Url) -> bool {
        let base = &self.base_url;
        // Origins are compared by hand because `Url::origin` allocates, and this runs for every request.
        let same_origin = matches!(url.scheme(), "http" | "https")
            && url.scheme() == base.scheme()
            && url.host() == base.host()
            && url.port_or_known_default() == base.port_or_known_default();
        let below = url.path().strip_prefix(self.prefix()).is_some_and(|rest| rest.starts_with('/'));
        same_origin && below && url.username().is_empty() && url.password().is_none()
    }

    /// The path of the base URL without a slash at its end.
    pub(crate) fn prefix(&self) -> &str {
        self.base_url.path().trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_below_the_base_url_belongs_to_the_destination() {
        let plain = CallDestination::new("https://tacc.tapis.io/", "tacc", "systems").unwrap();
        let nested = CallDestination::new("https://tacc.tapis.io/proxy", "tacc", "systems").unwrap();
        let cases = [
            ("https://tacc.tapis.io/v3/systems", true, false),
            ("https://TACC.tapis.io:443/v3/systems", true, false),
            ("https://tacc.tapis.io/proxy/v3/systems", true, true),
            ("https://tacc.tapis.io/proxyish/v3", true, false),
            ("https://tacc.tapis.io/proxy/../v3", true, false),
            ("http://tacc.tapis.io/v3/systems", false, false),
            ("https://tacc.tapis.io:444/v3/systems", false, false),
            ("https://tacc.tapis.io.evil.test/v3/systems", false, false),
            ("https://me@tacc.tapis.io/v3/systems", false, false),
            ("https://evil.test/v3/systems", false, false),
        ];
        for (url, of_plain, of_nested) in cases {
            let url = Url::parse(url).unwrap();
            assert_eq!((plain.contains(&url), nested.contains(&url)), (of_plain, of_nested), "{url}");
        }
    }

    #[test]
    fn a_base_url_is_http_or_https() {
        for bad in
            ["", "tacc.tapis.io", "file:///etc", "data:,x", "https://tacc.tapis.io/x?y", "https://a@b.test"]
        {
            assert_eq!(
                CallDestination::new(bad, "s", "x"),
                Err(ClientSettingsError::DestinationUrl),
                "{bad}"
            );
        }
    }
}
