//! Tenants and sites, parsed leniently and one by one from the records of a registry (rule T4).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Extensions;
use serde_json::Value;
use tapisservice_core::{RequestTenant, SiteId, TenantId};

use crate::raw::Members;
use crate::{Authority, KeyError, RegistryRecord, TenantKey, parse_base_url};

/// A datacentre that runs Tapis services.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Site {
    /// Its id.
    pub site_id: SiteId,
    /// Whether it is the primary site.
    pub primary: bool,
    /// The tenant of its services.
    pub site_admin_tenant_id: Option<TenantId>,
    /// The services it runs; a missing list counts as empty (rule O6).
    pub services: Vec<String>,
    /// `tenant_base_url_template` of a primary site; contains `${tenant_id}`.
    pub tenant_base_url_template: Option<String>,
    /// Its base URL.
    pub base_url: Option<String>,
}

/// An isolated customer of a site.
#[derive(Clone)]
pub struct Tenant {
    pub(crate) request_tenant: Arc<RequestTenant>,
    pub(crate) site: Arc<Site>,
    pub(crate) token_service: Option<Arc<str>>,
    pub(crate) key: Option<Arc<TenantKey>>,
    pub(crate) authority: (Authority<'static>, u16),
    pub(crate) record: RegistryRecord,
    pub(crate) record_version: RecordVersion,
    pub(crate) extensions: Arc<Extensions>,
}

/// The version of a tenant's record that a result was derived from. [`Tenant::is_current`] tells whether it is still current.
///
/// A record that is loaded again unchanged, in any order of members, keeps its version. It gets a new one when anything in it
/// changed, or when the tenant was removed or not active in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordVersion(u64);

impl RecordVersion {
    /// A version that is unique in this process.
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// What is wrong with one record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The record is not an object.
    #[error("it is not an object")]
    NotAnObject,
    /// The record is larger than [`RegistryRecord::MAX_BYTES`].
    #[error("it is larger than {} bytes", RegistryRecord::MAX_BYTES)]
    TooLarge,
    /// The record is nested deeper than [`RegistryRecord::MAX_DEPTH`], or has a duplicate member.
    #[error("it is nested deeper than {} levels or has a duplicate member", RegistryRecord::MAX_DEPTH)]
    NotStrict,
    /// A field is missing or of the wrong type.
    #[error("{field} is missing or not {expected}")]
    Field {
        /// Its name.
        field: &'static str,
        /// The expected type.
        expected: &'static str,
    },
    /// `site_id` names no site of this registry.
    #[error("site_id names an unknown site")]
    UnknownSite,
    /// `public_key` does not pass the key policy.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The placeholder for the tenant in `tenant_base_url_template`.
const TENANT_ID: &str = "${tenant_id}";

impl Site {
    /// Its id, whatever else is wrong with the record.
    pub(crate) fn id_of(record: &RegistryRecord) -> Option<SiteId> {
        SiteId::new(record.text("site_id")?).ok()
    }

    /// Parses a site. Invalid URLs are skipped and reported to `unusable`.
    pub(crate) fn from_record(
        site_id: SiteId,
        record: &RegistryRecord,
        mut unusable: impl FnMut(&'static str),
    ) -> Result<Self, RecordError> {
        let members = Members::of(record)?;
        let text = |name| members.text(name).ok().flatten();
        let mut url = |name, is_url: fn(&str) -> bool| {
            let url = text(name)?;
            if !is_url(&url) {
                unusable(name);
                return None;
            }
            Some(url)
        };
        Ok(Self {
            tenant_base_url_template: url("tenant_base_url_template", |template| {
                parse_base_url(&template.replace(TENANT_ID, "x")).is_some()
            }),
            base_url: url("base_url", |url| parse_base_url(url).is_some()),
            site_id,
            primary: members.get("primary", "a boolean")?.unwrap_or(false),
            site_admin_tenant_id: text("site_admin_tenant_id").and_then(|id| TenantId::new(id).ok()),
            services: members.texts("services")?,
        })
    }

    /// The URL of a tenant at the primary site (`tenant_base_url_template` filled in), without a trailing slash.
    pub fn tenant_base_url(&self, tenant_id: &TenantId) -> Option<String> {
        let template = self.tenant_base_url_template.as_deref()?;
        Some(template.replace(TENANT_ID, tenant_id.as_str()).trim_end_matches('/').to_owned())
    }
}

impl Tenant {
    /// Its id, whatever else is wrong with the record.
    pub(crate) fn id_of(record: &RegistryRecord) -> Option<TenantId> {
        TenantId::new(record.text("tenant_id")?).ok()
    }

    /// Parses a tenant; `None` when it does not count as registered: `status` is neither `active` nor absent.
    pub(crate) fn from_record(
        tenant_id: &TenantId,
        record: &RegistryRecord,
        previous: Option<&Self>,
        site: impl Fn(&str) -> Option<Arc<Site>>,
    ) -> Result<Option<Self>, RecordError> {
        let members = Members::of(record)?;
        let status: Option<String> = members.get("status", "a string")?;
        if status.is_some_and(|status| !status.eq_ignore_ascii_case("active")) {
            return Ok(None);
        }
        let site_id = members.text("site_id").ok().flatten().unwrap_or_default();
        let site = site(&site_id).ok_or(RecordError::UnknownSite)?;
        if let Some(same) = previous.filter(|tenant| tenant.record.is_equivalent_to(record)) {
            return Ok(Some(Self { site, extensions: Arc::default(), ..same.clone() }));
        }
        let base_url = members.text("base_url").ok().flatten().unwrap_or_default();
        let authority = parse_base_url(&base_url).as_ref().and_then(Authority::of_url);
        let token_service = members.text("token_service")?;
        let request_tenant =
            RequestTenant::new(tenant_id.clone(), base_url.trim_end_matches('/'), site.site_id.clone());
        Ok(Some(Self {
            request_tenant: Arc::new(request_tenant),
            site,
            token_service: token_service.map(|url| url.trim_end_matches('/').into()),
            key: key_of(&members)?.map(Arc::new),
            authority: authority.ok_or(RecordError::Field { field: "base_url", expected: BASE_URL })?,
            record: record.detached(),
            record_version: RecordVersion::new(),
            extensions: Arc::default(),
        }))
    }

    /// Its id.
    pub fn tenant_id(&self) -> &TenantId {
        &self.request_tenant.tenant_id
    }

    /// The site that owns it.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// Its base URL, without a trailing slash.
    pub fn base_url(&self) -> &Arc<str> {
        &self.request_tenant.base_url
    }

    /// `token_service` without a trailing slash: the issuer of its tokens (rule A8).
    pub fn token_service(&self) -> Option<&str> {
        self.token_service.as_deref()
    }

    /// The key that verifies its tokens; `None` while `public_key` is null.
    pub fn key(&self) -> Option<&Arc<TenantKey>> {
        self.key.as_ref()
    }

    /// The version of the record.
    pub fn record_version(&self) -> RecordVersion {
        self.record_version
    }

    /// Whether `record` still is the version of the record.
    pub fn is_current(&self, record: RecordVersion) -> bool {
        self.record_version == record
    }

    /// Any other field of the record, such as `security_kernel`, `owner` or `token_gen_services`. Every call parses the
    /// record: attach what every request needs with [`ExtendTenant`](crate::ExtendTenant).
    pub fn field(&self, name: &str) -> Option<Value> {
        self.record.field(name)
    }

    /// What [`ExtendTenant`](crate::ExtendTenant) attached.
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }

    /// The tenant, for `g`.
    pub fn request_tenant(&self) -> &Arc<RequestTenant> {
        &self.request_tenant
    }
}

impl fmt::Debug for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenant")
            .field("tenant_id", &self.tenant_id())
            .field("site_id", &self.site.site_id)
            .field("base_url", &self.base_url())
            .field("token_service", &self.token_service)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

const BASE_URL: &str = "an http or https URL without user, query and fragment";

fn key_of(members: &Members<'_>) -> Result<Option<TenantKey>, RecordError> {
    let pem = members.text("public_key")?.filter(|pem| !pem.trim().is_empty());
    Ok(pem.map(|pem| TenantKey::from_pem(&pem)).transpose()?)
}
