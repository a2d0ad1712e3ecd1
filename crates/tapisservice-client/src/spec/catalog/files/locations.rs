//! The locations of newer specifications of the Tapis services.

use std::path::PathBuf;

use url::Url;

use super::remote::Remote;

/// The base URL of the paths below.
pub(super) const BASE_URL: &str = "https://raw.githubusercontent.com/";

/// Where the specifications of the Tapis services come from. The bundled index fills the gaps of a set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceSet {
    /// The bundled index, or the newer one that [`Catalog::update_spec_cache`] has fetched. Python's tapipy calls this set `tapipy`.
    ///
    /// [`Catalog::update_spec_cache`]: super::Catalog::update_spec_cache
    #[default]
    Bundled,
    /// The production branches of the services.
    Prod,
    /// Their staging branches.
    Staging,
    /// Their development branches.
    Dev,
    /// OpenAPI files in a folder, `<resource>.yml` (or `.yaml`, `.json`) or `openapi_v3-<resource>.yml`.
    Local(PathBuf),
}

/// The location of a specification: repository, branches for production, staging and development, and file.
struct Home {
    resource: &'static str,
    repository: &'static str,
    branches: [&'static str; 3],
    file: &'static str,
}

const USUAL: [&str; 3] = ["prod", "staging", "dev"];

const fn home(resource: &'static str, repository: &'static str, file: &'static str) -> Home {
    Home { resource, repository, branches: USUAL, file }
}

/// The locations in tapipy 25.4.0.
const HOMES: [Home; 16] = [
    Home {
        branches: ["prod-v3", "dev-v3", "dev-v3"],
        ..home("actors", "TACC/abaco", "docs/specs/openapi_v3.yml")
    },
    home("apps", "tapis-project/openapi-apps", "AppsAPI.yaml"),
    home("authenticator", "tapis-project/authenticator", "service/resources/openapi_v3.yml"),
    home("files", "tapis-project/openapi-files", "FilesAPI.yaml"),
    home("globus-proxy", "tapis-project/globus-proxy", "service/resources/openapi_v3.yml"),
    home("jobs", "tapis-project/openapi-jobs", "JobsAPI.yaml"),
    home("meta", "tapis-project/tapis-client-java", "meta-client/src/main/resources/metav3-openapi.yaml"),
    home("notifications", "tapis-project/openapi-notifications", "NotificationsAPI.yaml"),
    home("pgrest", "tapis-project/paas", "pgrest/resources/openapi_v3.yml"),
    Home {
        branches: ["prod", "prod", "prod"],
        ..home("pods", "tapis-project/pods_service", "docs/openapi_v3-pods.yml")
    },
    home("sk", "tapis-project/openapi-security", "SkAPI.yaml"),
    home("streams", "tapis-project/streams-api", "service/resources/openapi_v3.yml"),
    home("systems", "tapis-project/openapi-systems", "SystemsAPI.yaml"),
    home("tenants", "tapis-project/tenants-api", "service/resources/openapi_v3.yml"),
    home("tokens", "tapis-project/tokens-api", "service/resources/openapi_v3.yml"),
    Home {
        branches: ["prod", "stage", "dev"],
        ..home("workflows", "tapis-project/tapis-workflows", "src/api/specs/WorkflowsAPI.yaml")
    },
];

impl ResourceSet {
    /// The URLs of the set; none for a local one.
    pub(super) fn remotes(&self, base: &Url) -> Vec<Remote> {
        let (folder, branch) = match self {
            Self::Bundled => ("bundled", None),
            Self::Prod => ("prod", Some(0)),
            Self::Staging => ("staging", Some(1)),
            Self::Dev => ("dev", Some(2)),
            Self::Local(_) => return Vec::new(),
        };
        let base = base.as_str().trim_end_matches('/');
        let remote = |home: &Home| {
            let Home { resource, repository, branches, file } = home;
            let path = match branch {
                Some(branch) => format!("{repository}/{}/{file}", branches[branch]),
                None => bundled_path(resource),
            };
            let url = Url::parse(&format!("{base}/{path}")).ok()?;
            Some(Remote { resource: (*resource).to_owned(), url, folder })
        };
        HOMES.iter().filter_map(remote).collect()
    }
}

fn bundled_path(resource: &str) -> String {
    let branch = if resource == "pods" { "main" } else { "prod" };
    format!("tapis-project/tapipy/{branch}/tapipy/resources/openapi_v3-{resource}.yml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_has_an_address_for_every_bundled_resource() {
        let base = Url::parse(BASE_URL).unwrap();
        for set in [ResourceSet::Bundled, ResourceSet::Prod, ResourceSet::Staging, ResourceSet::Dev] {
            let names: Vec<_> = set.remotes(&base).into_iter().map(|remote| remote.resource).collect();
            let bundled: Vec<_> = crate::spec::Catalog::bundled().resources().map(str::to_owned).collect();
            assert_eq!(names, bundled, "{set:?}");
        }
    }

    #[test]
    fn a_mirror_takes_the_place_of_the_usual_host() {
        let mirror = Url::parse("http://mirror.example.org/specs/").unwrap();
        let remotes = ResourceSet::Staging.remotes(&mirror);
        let workflows = remotes.iter().find(|remote| remote.resource == "workflows").unwrap();
        let expected = "http://mirror.example.org/specs/tapis-project/tapis-workflows/stage/src/api/specs/WorkflowsAPI.yaml";
        assert_eq!(workflows.url.as_str(), expected);
    }
}
