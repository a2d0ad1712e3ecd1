//! What handlers take as `State`.

use tapisservice::axum::extract::FromRef;

use crate::{Store, Systems};

/// Everything the handlers share; each takes the part it needs.
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
