//! Path templates and methods.

use std::collections::BTreeSet;

use http::Method;
use serde_json::Value;

use super::fault::Fault;
use super::loose;

/// A path template as it is requested.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Template {
    /// `/v3` included.
    pub(super) path: String,
    /// The names in braces, in order.
    pub(super) names: Vec<String>,
    /// The names that their converter (`{path:path}`, `{rest:.*}`) lets hold slashes.
    pub(super) greedy: BTreeSet<String>,
}

/// The template that a key of `paths` stands for.
pub(super) fn template(raw: &str, root: &Value) -> Result<Template, Fault> {
    if raw.contains("://") {
        return Err(Fault::new("is a URL, not a path"));
    }
    // A query or a fragment in a key only tells two operations on one path apart.
    let raw = raw.trim().split(['?', '#']).next().unwrap_or_default();
    let mut template = Template::default();
    let mut rest = raw;
    let mut path = String::new();
    while let Some((literal, after)) = rest.split_once('{') {
        let (inside, after) = after.split_once('}').ok_or_else(|| Fault::new("a brace is not closed"))?;
        let (name, converter) = inside.split_once(':').unwrap_or((inside, ""));
        let name = name.trim();
        if name.is_empty() || template.names.iter().any(|known| known == name) {
            return Err(Fault::new(format!(
                "the parameter {} has no name, or a repeated one",
                loose::short(inside)
            )));
        }
        if matches!(converter.trim(), "path" | ".*" | ".+") {
            template.greedy.insert(name.to_owned());
        }
        template.names.push(name.to_owned());
        path.push_str(literal);
        path.push('{');
        path.push_str(name);
        path.push('}');
        rest = after;
    }
    path.push_str(rest);
    template.path = absolute(&format!("{}/{}", base(root), path.trim_start_matches('/')));
    Ok(template)
}

/// The base path of a Swagger 2 file. The `servers` of OpenAPI 3 are placeholders in Tapis.
fn base(root: &Value) -> &str {
    if root.get("swagger").is_none() {
        return "";
    }
    root.get("basePath").and_then(Value::as_str).unwrap_or_default().trim().trim_end_matches('/')
}

/// With a slash first, and with `/v3`, which Tapis files often leave to `servers`. Two slashes in a row stay: in some files
/// they are all that tells two operations apart.
fn absolute(path: &str) -> String {
    let path = path.trim_start_matches('/');
    if path == "v3" || path.starts_with("v3/") {
        format!("/{path}")
    } else if path.is_empty() {
        "/v3".to_owned()
    } else {
        format!("/v3/{path}")
    }
}

/// The method that a key of a path item stands for.
pub(super) fn method(key: &str) -> Option<Method> {
    match key.trim().to_ascii_lowercase().as_str() {
        "get" => Some(Method::GET),
        "put" => Some(Method::PUT),
        "post" => Some(Method::POST),
        "delete" => Some(Method::DELETE),
        "options" => Some(Method::OPTIONS),
        "head" => Some(Method::HEAD),
        "patch" => Some(Method::PATCH),
        "trace" => Some(Method::TRACE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_get_a_slash_and_v3_first() {
        let cases = [
            ("/v3/systems/{systemId}", "/v3/systems/{systemId}"),
            ("/v3", "/v3"),
            ("/meta/", "/v3/meta/"),
            ("/", "/v3"),
            ("security/role", "/v3/security/role"),
            ("/v3x/a", "/v3/v3x/a"),
            (" /pods/{ pod_id } ", "/v3/pods/{pod_id}"),
            ("//a//b", "/v3/a//b"),
            ("/a?tenant={t}", "/v3/a"),
            ("/a#post", "/v3/a"),
            ("/files/{path:path}", "/v3/files/{path}"),
        ];
        for (raw, path) in cases {
            assert_eq!(template(raw, &json!({})).unwrap().path, path, "{raw}");
        }
    }

    #[test]
    fn converters_that_take_slashes_are_remembered() {
        let template = template("/x/{id:[0-9]+}/{rest:.*}", &json!({})).unwrap();
        assert_eq!(template.names, ["id", "rest"]);
        assert_eq!(template.greedy.into_iter().collect::<Vec<_>>(), ["rest"]);
    }

    #[test]
    fn a_swagger_base_path_counts() {
        let root = json!({"swagger": "2.0", "basePath": "/v3/things/"});
        assert_eq!(template("/list", &root).unwrap().path, "/v3/things/list");
    }

    #[test]
    fn what_cannot_be_requested_is_refused() {
        for raw in ["https://x.org/v3/a", "/a/{id", "/a/{}", "/a/{id}/{id}"] {
            assert!(template(raw, &json!({})).is_err(), "{raw}");
        }
    }
}
