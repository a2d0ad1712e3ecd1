//! Normalizes paths (rule D1).

use std::borrow::Cow;

use axum::extract::Request;
use http::Uri;
use http::uri::PathAndQuery;

/// Removes duplicate and trailing slashes from the path. The query stays. It must be outside of the router: a layer on a router runs after
/// the route has been matched.
pub(crate) fn normalize_path<B>(mut request: Request<B>) -> Request<B> {
    if let Cow::Owned(path) = normalized(request.uri().path()) {
        let target = match request.uri().query() {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let mut parts = std::mem::take(request.uri_mut()).into_parts();
        if let Ok(target) = target.parse::<PathAndQuery>() {
            parts.path_and_query = Some(target);
        }
        // The parts of a valid URI with another path are a valid URI.
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    }
    request
}

fn normalized(path: &str) -> Cow<'_, str> {
    let trailing = path.len() > 1 && path.ends_with('/');
    if !trailing && !path.as_bytes().windows(2).any(|pair| pair == b"//") {
        return Cow::Borrowed(path);
    }
    let normalized: String =
        path.split('/').filter(|part| !part.is_empty()).flat_map(|part| ["/", part]).collect();
    Cow::Owned(if normalized.is_empty() { "/".to_owned() } else { normalized })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubled_and_trailing_slashes_go_and_the_query_stays() {
        let cases = [
            ("/v3/bookmarks", "/v3/bookmarks"),
            ("/v3//bookmarks/", "/v3/bookmarks"),
            ("//v3/a///b//?x=//&y=/", "/v3/a/b?x=//&y=/"),
            ("/", "/"),
            ("//", "/"),
            ("/a%2F%2Fb/", "/a%2F%2Fb"),
            ("http://host//a/", "http://host/a"),
        ];
        for (sent, seen) in cases {
            let request = Request::builder().uri(sent).body(()).unwrap();
            assert_eq!(
                normalize_path(request).uri().to_string(),
                seen.parse::<Uri>().unwrap().to_string(),
                "{sent}"
            );
        }
    }
}
