//! The program of a service: its command line, its configuration and its life.

mod cli;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod database;
mod describe;
#[cfg(feature = "devsite")]
mod devsite;
mod load;
mod startup;

use std::future::Future;
use std::process::ExitCode;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tapisservice_config::{Config, ConfigError};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
use tapisservice_db::migrate::Migrator;
#[cfg(feature = "openapi")]
use utoipa::openapi::OpenApi;

use crate::{AppBuilder, Routes, StartError};

#[cfg(all(feature = "testing", any(feature = "postgres", feature = "sqlite")))]
pub(crate) use database::connect as connect_database;
pub use describe::{Description, describe};
#[cfg(feature = "devsite")]
pub(crate) use devsite::check as check_devsite;
pub use load::{loader, schema_text};
pub use startup::{Startup, assemble};

/// A service: its settings, its state and its routes. [`main!`](crate::main) makes a program of it.
///
/// The type itself is the state that handlers share: they take `State<Self>`, or a part of it by [`FromRef`](axum::extract::FromRef).
///
/// ```
/// use tapisservice::prelude::*;
///
/// #[derive(Clone)]
/// struct Shelf {
///     page_size: usize,
/// }
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// struct ShelfSettings {
///     /// Books on one page.
///     #[serde(default = "page_size")]
///     page_size: usize,
/// }
///
/// fn page_size() -> usize {
///     100
/// }
///
/// impl TapisService for Shelf {
///     const PACKAGE: Package = package!();
///     type Settings = ShelfSettings;
///
///     fn routes() -> Routes<Self> {
///         Routes::new().add(Policy::authenticated(), handlers!(show_page_size))
///     }
///
///     async fn start(startup: &mut Startup<ShelfSettings>) -> Result<Self, StartError> {
///         Ok(Self { page_size: startup.settings().page_size })
///     }
/// }
///
/// #[utoipa::path(get, path = "/page-size", operation_id = "showPageSize", responses((status = 200)))]
/// async fn show_page_size(State(shelf): State<Shelf>) -> Envelope<usize> {
///     Envelope::new(shelf.page_size)
/// }
///
/// tapisservice::main!(service: Shelf);
/// ```
pub trait TapisService: Clone + Send + Sync + 'static {
    /// The package of the service, always `package!()`. Its version is the default of the setting `version`; its name is what the command
    /// line, descriptions and local work call the service.
    const PACKAGE: Package;

    /// The default of the setting `sql_db_url`, for a service that works without being told. Without one a deployment has to set it; a
    /// development build uses an SQLite file below `.tapis/`.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    const DEFAULT_DATABASE_URL: Option<&'static str> = None;

    /// The settings that only this service reads; [`NoSettings`] if there are none.
    type Settings: DeserializeOwned + JsonSchema + Send + Sync + 'static;

    /// The routes. They need no configuration, so that the commands `routes` and `openapi` need none.
    fn routes() -> Routes<Self>;

    /// Opens what the service needs and returns its state. Called once, before the service listens.
    ///
    /// # Errors
    ///
    /// When the service cannot start.
    fn start(startup: &mut Startup<Self::Settings>) -> impl Future<Output = Result<Self, StartError>> + Send;

    /// Checks what the type of the settings cannot say, such as two keys that have to fit each other. Violations are reported together
    /// with all others.
    ///
    /// # Errors
    ///
    /// When a setting cannot be used.
    fn check(config: &Config<Self::Settings>) -> Result<(), ConfigError> {
        let _ = config;
        Ok(())
    }

    /// The migrations of the service's database, from [`migrations!`](crate::db::migrations). With them the service has a database: the
    /// settings `sql_db_url` and the like, the commands `migrate`, a readiness check and [`Startup::database`].
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    fn migrations() -> Option<Migrator> {
        None
    }

    /// Title, description, license and tags of the OpenAPI document.
    #[cfg(feature = "openapi")]
    fn api_info() -> OpenApi {
        OpenApi::default()
    }

    /// Changes the app after [`start`](Self::start): callbacks, readiness checks, metrics.
    fn configure(&self, app: AppBuilder) -> AppBuilder {
        app
    }
}

/// The package of a service. [`package!`](crate::package) makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Package {
    /// The name, such as `bookmarks`.
    pub name: &'static str,
    /// The version, such as `1.4.0`.
    pub version: &'static str,
    /// The description; empty if the package has none.
    pub description: &'static str,
}

impl Package {
    /// A package. [`package!`](crate::package) takes the values from `Cargo.toml`.
    pub const fn new(name: &'static str, version: &'static str, description: &'static str) -> Self {
        Self { name, version, description }
    }
}

/// The settings of a service that has none of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct NoSettings {}

/// Runs the command that the arguments of the process name, or serves; what [`main!`](crate::main) calls.
pub fn main<T: TapisService>() -> ExitCode {
    cli::main::<T>()
}

/// The package that the code is in, as a [`Package`].
///
/// ```
/// use tapisservice::prelude::*;
///
/// const PACKAGE: Package = package!();
/// assert_eq!(PACKAGE.name, "tapisservice");
/// ```
#[macro_export]
macro_rules! package {
    () => {
        $crate::Package::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_DESCRIPTION"))
    };
}

/// The `main` function of a service: `main!(service: Weather)` for a [`TapisService`], or `main!(routes: routes())` for [`Routes`]
/// without settings and state.
///
/// ```
/// # mod program {
/// use tapisservice::prelude::*;
///
/// #[utoipa::path(get, path = "/greeting", operation_id = "greet", responses((status = 200)))]
/// async fn greet(identity: Identity) -> Envelope<String> {
///     Envelope::new(format!("hello {}", identity.username()))
/// }
///
/// tapisservice::main!(routes: Routes::new().add(Policy::authenticated(), handlers!(greet)));
/// # }
/// ```
#[macro_export]
macro_rules! main {
    (service: $service:ty) => {
        fn main() -> ::std::process::ExitCode {
            $crate::program::main::<$service>()
        }
    };
    (routes: $routes:expr) => {
        fn main() -> ::std::process::ExitCode {
            #[derive(Clone)]
            struct Stateless;

            impl $crate::TapisService for Stateless {
                const PACKAGE: $crate::Package = $crate::package!();
                type Settings = $crate::NoSettings;

                fn routes() -> $crate::Routes<Self> {
                    $crate::Routes::with_state($routes, ())
                }

                async fn start(_: &mut $crate::Startup) -> ::std::result::Result<Self, $crate::StartError> {
                    ::std::result::Result::Ok(Self)
                }
            }

            $crate::program::main::<Stateless>()
        }
    };
}
