//! Base URLs, to which paths are appended.

use url::Url;

use crate::Authority;

/// Parses a base URL: `http` or `https`, with a host, and without user, password, query and fragment. A path appended after a
/// query would become part of the query.
///
/// ```
/// use tapisservice_tenants::parse_base_url;
///
/// assert!(parse_base_url("https://tacc.tapis.io/proxy/").is_some());
/// assert!(parse_base_url("https://tacc.tapis.io/x?y").is_none());
/// ```
pub fn parse_base_url(text: &str) -> Option<Url> {
    // The URL parser drops tabs and line breaks, so that the text and the URL would differ.
    if text.bytes().any(|b| b <= b' ') {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (bare && Authority::of_url(&url).is_some()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_has_a_host_and_perhaps_a_port_and_a_path() {
        for good in [
            "https://acme.tapis.test",
            "https://acme.tapis.test/",
            "http://localhost:8000/site",
            "http://[::1]:80",
        ] {
            assert!(parse_base_url(good).is_some(), "{good}");
        }
        let long = format!("https://{}.test", "a".repeat(255));
        for bad in [
            "",
            "acme.tapis.test",
            "ftp://acme.tapis.test",
            "file:///etc",
            "data:,x",
            "https://",
            "https://acme.tapis.test?",
            "https://acme.tapis.test/x?y",
            "https://acme.tapis.test/x?y#z",
            "https://acme.tapis.test#z",
            "https://acme.tapis.test/#",
            "https://me@acme.tapis.test",
            "https://:word@acme.tapis.test",
            " https://acme.tapis.test",
            "https://acme.\ttapis.test",
            "https://acme.tapis.test/\n",
            &long,
        ] {
            assert!(parse_base_url(bad).is_none(), "{bad:?}");
        }
    }
}
