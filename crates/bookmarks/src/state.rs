//! The state of the handlers.

use tapisservice::axum::extract::FromRef;

use crate::{Store, Systems};

/// The state that handlers share; each extracts the part it needs.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) systems: Systems,
}

impl FromRef<Shared> for Store {
    fn from_ref(shared: &Shared) -> Self {
        shared.store.clone()
    }
}

impl FromRef<Shared> for Systems {
    fn from_ref(shared: &Shared) -> Self {
        shared.systems.clone()
    }
}
