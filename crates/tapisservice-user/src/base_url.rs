//! The normalized base URL of a tenant.

use tapisservice_client::SetupError;
use url::Url;

/// Parses `https://tacc.tapis.io`, with or without trailing slashes, so that no path starts with `//v3`.
pub(crate) fn normalize(text: &str) -> Result<Url, SetupError> {
    let fault = SetupError::BaseUrl;
    let mut url = Url::parse(text.trim())
        .map_err(|_| fault("expected an absolute URL, such as https://tacc.tapis.io"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault("expected the scheme https or http"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault("expected no user or password; pass these to the log-in"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fault("expected no query and no fragment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The URL without a trailing slash, to append paths to.
pub(crate) fn text(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

/// Host and port, as a name for the site in messages and circuit breakers.
pub(crate) fn authority(url: &Url) -> &str {
    &url[url::Position::BeforeHost..url::Position::AfterPort]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_at_the_end_do_not_matter() {
        for spelling in
            ["https://tacc.test", "https://tacc.test/", " https://TACC.test// ", "https://tacc.test:443///"]
        {
            assert_eq!(text(&normalize(spelling).unwrap()), "https://tacc.test", "{spelling}");
        }
        assert_eq!(text(&normalize("http://localhost:8000/site/").unwrap()), "http://localhost:8000/site");
    }

    #[test]
    fn what_is_no_base_url_is_refused_without_being_quoted() {
        for wrong in [
            "tacc.test",
            "",
            "ftp://tacc.test",
            "https://alice:canary@tacc.test",
            "https://tacc.test?token=canary",
            "https://tacc.test/#canary",
        ] {
            let text = normalize(wrong).unwrap_err().to_string();
            assert!(!text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn the_authority_names_host_and_port() {
        assert_eq!(authority(&normalize("http://localhost:8000/x").unwrap()), "localhost:8000");
        assert_eq!(authority(&normalize("https://tacc.test").unwrap()), "tacc.test");
    }
}
