//! Who may get tokens with a password or key: users, OAuth clients, services.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;

/// The password of a service that was registered without one.
pub(crate) const SERVICE_PASSWORD: &str = "devsite-service";

/// What opens an account. Prints nothing.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn is(&self, attempt: &str) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), attempt.as_bytes()).is_ok()
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[derive(Debug)]
pub(crate) struct Accounts {
    pub(crate) users: HashMap<String, Secret>,
    pub(crate) clients: HashMap<String, Secret>,
    pub(crate) services: RwLock<HashMap<String, Secret>>,
}

impl Accounts {
    pub(crate) fn is_user(&self, name: &str, password: &str) -> bool {
        self.users.get(name).is_some_and(|secret| secret.is(password))
    }

    pub(crate) fn is_client(&self, id: &str, key: &str) -> bool {
        self.clients.get(id).is_some_and(|secret| secret.is(key))
    }

    pub(crate) fn is_service(&self, name: &str, password: &str) -> bool {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        services.get(name).is_some_and(|secret| secret.is(password))
    }

    /// The password of a service, which becomes known if it was not.
    pub(crate) fn register_service(&self, name: &str) -> Secret {
        let mut services = self.services.write().unwrap_or_else(PoisonError::into_inner);
        services.entry(name.to_owned()).or_insert_with(|| Secret::new(SERVICE_PASSWORD)).clone()
    }
}
