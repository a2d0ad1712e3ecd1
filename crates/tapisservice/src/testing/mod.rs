//! A service on a site of its own, for tests (feature `testing`).
//!
//! ```
//! use tapisservice::prelude::*;
//! use tapisservice::testing::TestService;
//!
//! # #[derive(Clone)]
//! # struct Weather;
//! # impl TapisService for Weather {
//! #     const PACKAGE: Package = Package::new("weather", "0.1.0", "");
//! #     type Settings = NoSettings;
//! #     fn routes() -> Routes<Self> {
//! #         Routes::new().add(Policy::authenticated(), handlers!(list_stations))
//! #     }
//! #     async fn start(_: &mut Startup) -> std::result::Result<Self, StartError> { Ok(Self) }
//! # }
//! #[utoipa::path(get, path = "/stations", operation_id = "listStations", responses((status = 200)))]
//! async fn list_stations(identity: Identity) -> Envelope<Vec<String>> {
//!     Envelope::new(vec![format!("{}'s roof", identity.username())])
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let service = TestService::<Weather>::start().await;
//! let stations = service.alice().get("/stations").await;
//! assert_eq!(stations.assert_ok().result()[0], "alice's roof");
//! service.anonymous().get("/stations").await.assert_status(401);
//! # }
//! ```
//!
//! | name | description |
//! |---|---|
//! | [`TestService`], [`TestServiceBuilder`] | the service on a free port behind the router of a site, with an empty database; each has its own |
//! | [`TestClient`] | a caller: [`user`](TestService::user), [`tenant_admin`](TestService::tenant_admin), [`service_account`](TestService::service_account), [`anonymous`](TestService::anonymous) |
//! | [`TestRequest`], [`TestResponse`] | what a caller sends and gets |
//! | [`ServiceDouble`] | stands in for another Tapis service: records calls, and responds by rules |
//! | [`DevSite`] | the site, for faults, tenants, roles, systems and invalid tokens |
//! | [`context_for`], [`identity_for`] | a context and an identity without a service |
//!
//! Where a tenant and a user are arguments, the tenant comes first. All of this panics where it fails, because a test should stop there.

mod builder;
mod client;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database;
mod double;
mod request;
mod response;
mod service;

pub use builder::TestServiceBuilder;
pub use client::TestClient;
pub use double::{DoubleRule, RecordedCall, RecordedCaller, ServiceDouble};
pub use request::TestRequest;
pub use response::TestResponse;
pub use service::TestService;
pub use tapisservice_core::testing::*;
#[cfg(feature = "postgres")]
pub use tapisservice_db::testing::Postgres;
pub use tapisservice_devsite::{
    DevSite, DevSiteBuilder, DevSiteError, InjectedFault, SiteSpec, System, TenantSpec, TenantStatus,
    TokenBuilder,
};
