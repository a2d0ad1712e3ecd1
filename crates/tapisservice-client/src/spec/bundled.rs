//! The bundled resources. Each is parsed when it is first used.

use std::sync::{Arc, OnceLock};

use super::resource::Resource;

/// A resource of the Tapis services.
pub(super) struct Bundled {
    pub(super) name: &'static str,
    text: &'static str,
    resource: OnceLock<Arc<Resource>>,
}

impl Bundled {
    const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text, resource: OnceLock::new() }
    }

    pub(super) fn resource(&'static self) -> &'static Arc<Resource> {
        self.resource.get_or_init(|| {
            let (resource, _) = Resource::from_index(self.text.as_bytes())
                .expect("the index is part of the program, and a test reads all of it");
            Arc::new(resource)
        })
    }
}

macro_rules! bundled {
    ($($name:literal),* $(,)?) => {
        /// The resources, sorted by name.
        pub(super) static ALL: [Bundled; 16] = [
            $(Bundled::new($name, include_str!(concat!("index/", $name, ".json")))),*
        ];
    };
}

bundled!(
    "actors",
    "apps",
    "authenticator",
    "files",
    "globus-proxy",
    "jobs",
    "meta",
    "notifications",
    "pgrest",
    "pods",
    "sk",
    "streams",
    "systems",
    "tenants",
    "tokens",
    "workflows",
);
