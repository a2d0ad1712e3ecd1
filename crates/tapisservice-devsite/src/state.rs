//! What all connections of a site share.

use std::collections::{BTreeSet, HashMap};

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::account::Accounts;
use crate::fault::Faults;
use crate::keys::KeySource;
use crate::proxy::Proxy;
use crate::registry::Registry;
use crate::request_counts::RequestCounts;
use crate::system::System;

/// The role names of each (tenant, user).
pub(crate) type Roles = HashMap<(String, String), BTreeSet<String>>;

#[derive(Debug)]
pub(crate) struct SiteState {
    pub(crate) registry: RwLock<Registry>,
    pub(crate) roles: Mutex<Roles>,
    pub(crate) accounts: Accounts,
    pub(crate) systems: Vec<System>,
    pub(crate) keys: KeySource,
    pub(crate) faults: Faults,
    pub(crate) counts: RequestCounts,
    pub(crate) proxy: Proxy,
}

// A panic elsewhere (in a test's thread) does not take the site with it: these locks know no poison.
impl SiteState {
    pub(crate) fn registry(&self) -> RwLockReadGuard<'_, Registry> {
        self.registry.read()
    }

    pub(crate) fn registry_mut(&self) -> RwLockWriteGuard<'_, Registry> {
        self.registry.write()
    }

    pub(crate) fn roles(&self) -> MutexGuard<'_, Roles> {
        self.roles.lock()
    }
}
