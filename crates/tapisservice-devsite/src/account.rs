//! The accounts that may obtain tokens with a password or key: users, OAuth clients, services.

use std::collections::HashMap;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use parking_lot::RwLock;
use secrecy::{ExposeSecret as _, SecretString};

/// The password of a service that was registered without one.
pub(crate) const SERVICE_PASSWORD: &str = "devsite-service";

#[derive(Debug)]
pub(crate) struct Accounts {
    pub(crate) users: HashMap<String, SecretString>,
    pub(crate) clients: HashMap<String, SecretString>,
    pub(crate) services: RwLock<HashMap<String, SecretString>>,
}

impl Accounts {
    pub(crate) fn is_user(&self, name: &str, password: &str) -> bool {
        self.users.get(name).is_some_and(|secret| matches(secret, password))
    }

    pub(crate) fn is_client(&self, id: &str, key: &str) -> bool {
        self.clients.get(id).is_some_and(|secret| matches(secret, key))
    }

    pub(crate) fn is_service(&self, name: &str, password: &str) -> bool {
        let services = self.services.read();
        services.get(name).is_some_and(|secret| matches(secret, password))
    }

    /// The password of a service, which is registered if it is unknown.
    pub(crate) fn register_service(&self, name: &str) -> SecretString {
        let mut services = self.services.write();
        services.entry(name.to_owned()).or_insert_with(|| SERVICE_PASSWORD.into()).clone()
    }
}

/// In a time that does not depend on how much of the attempt is right.
fn matches(secret: &SecretString, attempt: &str) -> bool {
    verify_slices_are_equal(secret.expose_secret().as_bytes(), attempt.as_bytes()).is_ok()
}
