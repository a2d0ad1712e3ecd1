//! Tenants and sites, read leniently from the records of a registry and one by one (rule T4).

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Extensions;
use serde_json::{Map, Value};
use tapisservice_core::{RequestTenant, SiteId, TenantId};
use url::Url;

use crate::{Authority, KeyError, TenantKey};

/// A datacentre that runs Tapis services.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// Its id.
    pub site_id: SiteId,
    /// Whether it is the one primary site.
    pub primary: bool,
    /// The tenant its services live in.
    pub site_admin_tenant_id: Option<TenantId>,
    /// The services it runs itself; a missing list counts as empty (rule O6).
    pub services: Vec<String>,
    /// `tenant_base_url_template` of a primary site; holds `${tenant_id}`.
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
    pub(crate) record: Arc<Map<String, Value>>,
    pub(crate) record_id: RecordId,
    pub(crate) extensions: Arc<Extensions>,
}

/// Which record of a tenant something was found out from, to be asked about with [`Tenant::is_of`].
///
/// A record that is read again unchanged stays the same one. It becomes another when anything in it changed, or when the tenant
/// was gone or not active in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordId(u64);

impl RecordId {
    /// One that no other record of this process has or had.
    fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// What is wrong with one record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The record is no object, or has no usable id.
    #[error("a record without a usable {0}")]
    NoId(&'static str),
    /// A field is missing or of the wrong type.
    #[error("{0} is missing or not {1}")]
    Field(&'static str, &'static str),
    /// `site_id` names no site of this registry.
    #[error("site_id names an unknown site")]
    UnknownSite,
    /// `public_key` does not pass the key policy.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Site {
    pub(crate) fn id_of(record: &Value) -> Result<SiteId, RecordError> {
        id_field(record, "site_id", SiteId::new)
    }

    pub(crate) fn from_record(record: &Value) -> Result<Self, RecordError> {
        let services = match record.get("services") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(names)) => names.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect(),
            Some(_) => return Err(RecordError::Field("services", "a list")),
        };
        let primary = match record.get("primary") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(primary)) => *primary,
            Some(_) => return Err(RecordError::Field("primary", "a boolean")),
        };
        let text =
            |name| record.get(name).and_then(Value::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
        Ok(Self {
            site_id: Self::id_of(record)?,
            primary,
            site_admin_tenant_id: text("site_admin_tenant_id").and_then(|id| TenantId::new(id).ok()),
            services,
            tenant_base_url_template: text("tenant_base_url_template"),
            base_url: text("base_url"),
        })
    }

    /// The URL of a tenant at the primary site (`tenant_base_url_template` filled in), without a trailing slash.
    pub fn tenant_base_url(&self, tenant_id: &TenantId) -> Option<String> {
        let template = self.tenant_base_url_template.as_deref()?;
        Some(template.replace("${tenant_id}", tenant_id.as_str()).trim_end_matches('/').to_owned())
    }
}

impl Tenant {
    pub(crate) fn id_of(record: &Value) -> Result<TenantId, RecordError> {
        id_field(record, "tenant_id", TenantId::new)
    }

    /// Whether the tenant counts as registered: `status` is `active` or absent.
    pub(crate) fn is_active(record: &Value) -> Result<bool, RecordError> {
        match record.get("status") {
            None | Some(Value::Null) => Ok(true),
            Some(Value::String(status)) => Ok(status.eq_ignore_ascii_case("active")),
            Some(_) => Err(RecordError::Field("status", "a string")),
        }
    }

    pub(crate) fn from_record(
        record: &Value,
        previous: Option<&Self>,
        site: impl Fn(&str) -> Option<Arc<Site>>,
    ) -> Result<Self, RecordError> {
        let fields = record.as_object().ok_or(RecordError::NoId("tenant_id"))?;
        let site_id = fields.get("site_id").and_then(Value::as_str).unwrap_or_default();
        if let Some(same) = previous.filter(|tenant| *tenant.record == *fields) {
            let site = site(site_id).ok_or(RecordError::UnknownSite)?;
            return Ok(Self { site, extensions: Arc::default(), ..same.clone() });
        }
        let base_url = fields.get("base_url").and_then(Value::as_str).unwrap_or_default();
        let url_error = RecordError::Field("base_url", "an http or https URL");
        let url = Url::parse(base_url).map_err(|_| url_error.clone())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(url_error);
        }
        let token_service = match fields.get("token_service") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(Value::String(text)) => Some(text.trim_end_matches('/').into()),
            Some(_) => return Err(RecordError::Field("token_service", "a string")),
        };
        let tenant_id = Self::id_of(record)?;
        let site = site(site_id).ok_or(RecordError::UnknownSite)?;
        let base_url = base_url.trim_end_matches('/').into();
        let request_tenant = RequestTenant { tenant_id, base_url, site_id: site.site_id.clone() };
        Ok(Self {
            request_tenant: Arc::new(request_tenant),
            site,
            token_service,
            key: key_of(fields)?.map(Arc::new),
            authority: Authority::of_url(&url).ok_or(url_error)?,
            record: Arc::new(fields.clone()),
            record_id: RecordId::new(),
            extensions: Arc::default(),
        })
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

    /// The key its tokens are verified with; none while `public_key` is null.
    pub fn key(&self) -> Option<&Arc<TenantKey>> {
        self.key.as_ref()
    }

    /// Which record says this.
    pub fn record_id(&self) -> RecordId {
        self.record_id
    }

    /// Whether this is what the record says that the id was taken from.
    pub fn is_of(&self, record: RecordId) -> bool {
        self.record_id == record
    }

    /// Any other field of the record, such as `security_kernel`, `owner` or `token_gen_services`.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.record.get(name)
    }

    /// What [`ExtendTenant`](crate::ExtendTenant) attached.
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }

    /// The tenant as `g` knows it.
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

fn id_field<T, E>(
    record: &Value,
    name: &'static str,
    new: fn(String) -> Result<T, E>,
) -> Result<T, RecordError> {
    let text = record.get(name).and_then(Value::as_str).ok_or(RecordError::NoId(name))?;
    new(text.to_owned()).map_err(|_| RecordError::NoId(name))
}

fn key_of(fields: &Map<String, Value>) -> Result<Option<TenantKey>, RecordError> {
    match fields.get("public_key") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(pem)) if pem.trim().is_empty() => Ok(None),
        Some(Value::String(pem)) => Ok(Some(TenantKey::from_pem(pem)?)),
        Some(_) => Err(RecordError::Field("public_key", "a string")),
    }
}
