use serde_json::{Value, json};

/// A system of the small Systems API (`GET /v3/systems`).
#[derive(Clone, Debug)]
pub struct System {
    pub(crate) id: String,
    pub(crate) owner: String,
    pub(crate) tenant: Option<String>,
    host: String,
    pub(crate) public: bool,
}

impl System {
    /// A Linux system that only `owner` sees, in every tenant.
    pub fn new(id: impl Into<String>, owner: impl Into<String>) -> Self {
        let (id, owner) = (id.into(), owner.into());
        Self { host: format!("{id}.example.org"), id, owner, tenant: None, public: false }
    }

    /// Puts the system into one tenant only.
    #[must_use]
    pub fn in_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Shows the system to everybody in its tenant.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// Sets the host; `<id>.example.org` otherwise. Nothing ever connects to it.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    pub(crate) fn is_in(&self, tenant: &str) -> bool {
        self.tenant.as_deref().is_none_or(|mine| mine == tenant)
    }

    pub(crate) fn is_visible_to(&self, user: &str) -> bool {
        self.public || self.owner == user
    }

    /// The record as the Systems API gives it, without the fields that only batch systems and buckets fill.
    pub(crate) fn record(&self, tenant: &str, user: &str) -> Value {
        json!({
            "tenant": tenant, "id": self.id, "description": null, "systemType": "LINUX", "owner": self.owner,
            "host": self.host, "enabled": true, "effectiveUserId": user, "defaultAuthnMethod": "PASSWORD",
            "authnCredential": null, "rootDir": "/", "port": 22, "useProxy": false, "canExec": false,
            "canRunBatch": false, "allowChildren": false, "parentId": null, "jobRuntimes": [], "jobCapabilities": [],
            "tags": [], "notes": {}, "deleted": false, "created": crate::registry::CREATED,
            "updated": crate::registry::CREATED, "hasCredentials": false, "isPublic": self.public,
            "isDynamicEffectiveUser": true, "sharedWithUsers": [],
        })
    }
}
