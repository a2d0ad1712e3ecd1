//! Which operation a request calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::Method;
use percent_encoding::percent_decode_str;
use tapisservice_client::ClientError;
use tapisservice_client::spec::{Operation, Resource};

/// The operations of one service.
#[derive(Debug)]
pub(super) struct OperationTable(Arc<Resource>);

impl OperationTable {
    pub(super) fn new(resource: Arc<Resource>) -> Self {
        Self(resource)
    }

    pub(super) fn operation(&self, id: &str) -> Result<Arc<Operation>, ClientError> {
        self.0.operation(id)
    }

    /// What follows `/v3/` in its paths: `security` for the resource `sk`.
    pub(super) fn prefixes(&self) -> BTreeSet<String> {
        let second = |path: &str| path.strip_prefix("/v3/")?.split('/').next().map(str::to_owned);
        let prefixes = self.0.operations().filter_map(|operation| second(&operation.path));
        prefixes.filter(|prefix| !prefix.is_empty() && !prefix.starts_with('{')).collect()
    }

    /// The operation for a request and the parameters in its path. Where several fit, the one with the most literal segments.
    pub(super) fn find(&self, method: &Method, path: &str) -> Option<(&str, BTreeMap<String, String>)> {
        let fitting = self.0.operations().filter(|operation| operation.method == *method);
        let fitting = fitting.filter_map(|operation| Some((operation, path_args(operation, path)?)));
        let (operation, args) = fitting.max_by_key(|(operation, _)| literals(&operation.path))?;
        Some((&operation.operation_id, args))
    }
}

/// The parameters in a path; `None` if the path is not one of the operation.
fn path_args(operation: &Operation, path: &str) -> Option<BTreeMap<String, String>> {
    let mut args = BTreeMap::new();
    let mut rest = Some(path.trim_end_matches('/'));
    for segment in operation.path.trim_end_matches('/').split('/') {
        let (found, after) = match (parameter(segment), rest?) {
            (Some(name), rest) if allows_slashes(operation, name) => (rest, None),
            (_, rest) => rest.split_once('/').map_or((rest, None), |(found, after)| (found, Some(after))),
        };
        match parameter(segment) {
            Some(name) => {
                args.insert(name.to_owned(), percent_decode_str(found).decode_utf8_lossy().into_owned());
            }
            None if found == segment => {}
            None => return None,
        }
        rest = after;
    }
    rest.is_none().then_some(args)
}

fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

fn allows_slashes(operation: &Operation, name: &str) -> bool {
    operation.parameters.iter().any(|parameter| parameter.name == name && parameter.allows_slashes)
}

fn literals(path: &str) -> usize {
    path.split('/').filter(|segment| parameter(segment).is_none()).count()
}

#[cfg(test)]
mod tests {
    use tapisservice_client::spec::Catalog;

    use super::*;

    fn table(resource: &str) -> OperationTable {
        OperationTable::new(Arc::clone(Catalog::bundled().resource(resource).unwrap()))
    }

    #[test]
    fn a_request_is_one_of_the_operation_with_the_most_literal_segments() {
        let cases = [
            (Method::GET, "/v3/systems", Some("getSystems"), vec![]),
            (Method::GET, "/v3/systems/", Some("getSystems"), vec![]),
            (Method::GET, "/v3/systems/a%20b", Some("getSystem"), vec![("systemId", "a b")]),
            (Method::GET, "/v3/systems/healthcheck", Some("healthCheck"), vec![]),
            (
                Method::POST,
                "/v3/systems/x/changeOwner/bob",
                Some("changeSystemOwner"),
                vec![("systemId", "x"), ("userName", "bob")],
            ),
            (Method::GET, "/v3/systems/x/y/z/a", None, vec![]),
            (Method::GET, "/v3/system", None, vec![]),
        ];
        let systems = table("systems");
        for (method, path, id, args) in cases {
            let found = systems.find(&method, path);
            assert_eq!(found.as_ref().map(|(id, _)| *id), id, "{method} {path}");
            let args: BTreeMap<_, _> = args.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
            assert_eq!(found.map(|(_, args)| args).unwrap_or_default(), args, "{method} {path}");
        }
    }

    #[test]
    fn a_path_of_a_file_keeps_its_slashes() {
        let files = table("files");
        let (id, args) = files.find(&Method::GET, "/v3/files/ops/work/data/run%201/out.txt").unwrap();
        assert_eq!((id, &*args["systemId"], &*args["path"]), ("listFiles", "work", "data/run 1/out.txt"));
    }

    #[test]
    fn every_service_has_a_place() {
        let catalog = Catalog::bundled();
        for name in catalog.resources() {
            assert!(!table(name).prefixes().is_empty(), "{name}");
        }
        assert!(table("sk").prefixes().contains("security"));
        assert!(table("authenticator").prefixes().contains("oauth2"));
    }
}
