use serde_json::Value;

use crate::listener::Listener;
use crate::registry::{Patch, TenantEntry};
use crate::tenant::{TenantSpec, TenantStatus};
use crate::topology::check_id;
use crate::{DevSite, DevSiteError};

/// Changes while the site runs.
impl DevSite {
    /// Adds a tenant with its own key and a free port, and returns its base URL.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::DuplicateId`] (of a removed tenant too), [`DevSiteError::UnknownSite`], or the error of opening a port.
    pub async fn add_tenant(&self, tenant: TenantSpec) -> Result<String, DevSiteError> {
        check_id(&tenant.id)?;
        let key =
            self.state().keys.first(&[tenant.id.as_str()]).await?.pop().ok_or(DevSiteError::KeyGeneration)?;
        let listener = Listener::open_any().await.map_err(DevSiteError::Bind)?;
        let entry = TenantEntry {
            tenant,
            port: listener.port,
            key,
            generation: 0,
            patch: Patch::new(),
            removed: false,
        };
        let base_url = entry.base_url();
        {
            let mut registry = self.state().registry_mut();
            if registry.tenant(&entry.tenant.id).is_some() {
                return Err(DevSiteError::DuplicateId(entry.tenant.id));
            }
            if registry.site(&entry.tenant.site).is_none() {
                return Err(DevSiteError::UnknownSite(entry.tenant.site));
            }
            registry.tenants.push(entry);
        }
        self.tasks.serve(listener, &self.dispatcher);
        Ok(base_url)
    }

    /// Removes a tenant from the listing. Its port stays open and its key still signs tokens.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::UnknownTenant`].
    pub fn remove_tenant(&self, tenant: &str) -> Result<(), DevSiteError> {
        self.change(tenant, |entry| entry.removed = true)
    }

    /// Sets the status of a tenant. Draft and inactive ones stay in the listing.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::UnknownTenant`].
    pub fn set_tenant_status(&self, tenant: &str, status: TenantStatus) -> Result<(), DevSiteError> {
        self.change(tenant, |entry| entry.tenant.status = status)
    }

    /// Changes a field in the listed record of a tenant: `patch_tenant("dev", "public_key", "garbage")`. This changes
    /// only the record, except that tokens are issued and accepted with a changed `token_service`.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::UnknownTenant`].
    pub fn patch_tenant(
        &self,
        tenant: &str,
        field: &str,
        value: impl Into<Value>,
    ) -> Result<(), DevSiteError> {
        self.change(tenant, |entry| drop(entry.patch.insert(field.to_owned(), Some(value.into()))))
    }

    /// Removes a field from the listed record of a tenant.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::UnknownTenant`].
    pub fn remove_tenant_field(&self, tenant: &str, field: &str) -> Result<(), DevSiteError> {
        self.change(tenant, |entry| drop(entry.patch.insert(field.to_owned(), None)))
    }

    /// Changes a field of a site's record as it is listed. A changed `services` counts for the site's own APIs too
    /// (rule O6).
    ///
    /// # Errors
    ///
    /// [`DevSiteError::UnknownSite`].
    pub fn patch_site(&self, site: &str, field: &str, value: impl Into<Value>) -> Result<(), DevSiteError> {
        self.change_site(site, field, Some(value.into()))
    }

    /// Leaves a field out of a site's record as it is listed.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::UnknownSite`].
    pub fn remove_site_field(&self, site: &str, field: &str) -> Result<(), DevSiteError> {
        self.change_site(site, field, None)
    }

    /// Gives a tenant a new key. Earlier tokens are signed with the old one.
    ///
    /// # Errors
    ///
    /// [`DevSiteError::UnknownTenant`], or the reason why the key cannot be generated or stored.
    pub async fn rotate_key(&self, tenant: &str) -> Result<(), DevSiteError> {
        let unknown = || DevSiteError::UnknownTenant(tenant.to_owned());
        let generation = self.state().registry().tenant(tenant).ok_or_else(unknown)?.generation + 1;
        let key = self.state().keys.rotated(tenant, generation).await?;
        self.change(tenant, |entry| (entry.key, entry.generation) = (key, generation))
    }

    /// Grants a role in the Security Kernel. It is not checked whether the tenant and the user exist.
    pub fn grant_role(&self, tenant: &str, user: &str, role: &str) {
        self.state().roles().entry((tenant.to_owned(), user.to_owned())).or_default().insert(role.to_owned());
    }

    /// Revokes a role in the Security Kernel.
    pub fn revoke_role(&self, tenant: &str, user: &str, role: &str) {
        if let Some(names) = self.state().roles().get_mut(&(tenant.to_owned(), user.to_owned())) {
            names.remove(role);
        }
    }

    fn change_site(&self, site: &str, field: &str, value: Option<Value>) -> Result<(), DevSiteError> {
        let mut registry = self.state().registry_mut();
        let entry = registry.sites.iter_mut().find(|entry| entry.site.id == site);
        let entry = entry.ok_or_else(|| DevSiteError::UnknownSite(site.to_owned()))?;
        entry.patch.insert(field.to_owned(), value);
        Ok(())
    }

    fn change(&self, tenant: &str, change: impl FnOnce(&mut TenantEntry)) -> Result<(), DevSiteError> {
        let mut registry = self.state().registry_mut();
        registry.tenant_mut(tenant).map(change).ok_or_else(|| DevSiteError::UnknownTenant(tenant.to_owned()))
    }
}
