//! What the handlers of a service use: `use tapisservice::prelude::*;`.
//!
//! | name | description |
//! |---|---|
//! | [`Routes`], [`handlers!`](crate::handlers), [`Policy`], [`PublicPolicy`] | the routes of a service; each has a policy, which says who may call it |
//! | [`Identity`] | the user and the tenant a request is for; as an argument of a handler it is a 401 where there is none |
//! | [`RequestContext`], [`g()`](g()) | the context of the request, always called `g`; an argument of a handler, or read anywhere in the task |
//! | [`Envelope`] | the response of a handler: `message`, `result`, `status`, `version` and an optional `metadata` |
//! | [`Result`], [`Error`], [`ServiceError`], [`ResultExt`] | failures: `?` converts what implements `ServiceError`, `.unrecognized()?` any other error |
//! | [`Json`], [`Query`], [`Path`], [`State`], [`FromRef`] | extractors; an invalid body or query is a 400 that names the place, not the value |
//! | [`Config`], [`Secret`] | settings |
//! | [`JsonSchema`], [`schemars`] | the derive that makes a settings struct the schema of its keys, and its crate |
//! | [`RouteMethods`](crate::RouteMethods) | limits of single routes on axum's `get(..)` and the like: `.timeout(..)`, `.body_limit(..)`; its methods only, not its name |
//! | [`TenantId`], [`Username`] | identifiers, validated when they are parsed |
//! | [`Authn`], [`PolicyRequest`] | what callbacks return and receive |
//! | [`BackgroundTask`], [`Schedule`], [`TaskContext`] | work outside of requests: when it runs, and what it works with |
//! | [`axum`], [`http`], [`utoipa`], [`StatusCode`], [`ToSchema`], [`IntoParams`], [`debug_handler`] | the libraries below, in the versions that the framework uses |
//!
//! A handler with state, a policy and an error of its own:
//!
//! ```
//! use tapisservice::prelude::*;
//!
//! /// What all handlers share. `with_state` hands it to the routes.
//! #[derive(Clone)]
//! struct Notes {
//!     limit: usize,
//! }
//!
//! #[derive(serde::Deserialize, ToSchema)]
//! struct NewNote {
//!     text: String,
//! }
//!
//! #[derive(Debug)]
//! struct TooLong;
//! # impl std::fmt::Display for TooLong {
//! #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("too long") }
//! # }
//! # impl std::error::Error for TooLong {}
//!
//! impl ServiceError for TooLong {
//!     fn to_error(&self) -> Error {
//!         Error::bad_input("The note is too long.")
//!     }
//! }
//!
//! impl Notes {
//!     fn check(&self, note: &NewNote) -> std::result::Result<(), TooLong> {
//!         if note.text.len() > self.limit { Err(TooLong) } else { Ok(()) }
//!     }
//! }
//!
//! #[utoipa::path(post, path = "/notes", operation_id = "createNote", responses((status = 200)))]
//! async fn create(
//!     g: RequestContext,          // the context of the request
//!     identity: Identity,         // who it is for
//!     State(notes): State<Notes>, // the state, from `with_state`
//!     Json(note): Json<NewNote>,  // the body comes last
//! ) -> Result<Envelope<String>> {
//!     notes.check(&note)?;
//!     tracing::info!("note created"); // the line has tenant, user and request id
//!     let whose = format!("{} of {}", identity.username(), identity.tenant_id());
//!     Ok(Envelope::new(note.text).with_message(format!("Created for {whose} by {} {}", g.method(), g.path())))
//! }
//!
//! fn routes(notes: Notes) -> Routes {
//!     // The policy admits callers with a valid token. All others get 401, and `create` does not run.
//!     Routes::new().add(Policy::authenticated(), handlers!(create)).with_state(notes)
//! }
//! # use tower::ServiceExt as _;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
//! # let site = tapisservice_devsite::DevSite::builder().server("dev").service("notes", "open-sesame").start().await?;
//! # let config = Config::loader().environment([("", ""); 0]).default_config_path("").default_schema_path("")
//! #     .fallback_config("example", site.config_json("notes")?.to_string()).load()?;
//! # let app = tapisservice::App::builder(tapisservice::Settings::from_config(&config)?).routes(routes(Notes { limit: 5 })).build()?;
//! # app.tenants().refresh().await?;
//! # let token = site.token_for_user("tacc", "alice");
//! # let send = async |token: &str, text: &str| {
//! #     let request = http::Request::post("/v3/notes/notes").header("host", "localhost").header("content-type", "application/json");
//! #     let request = if token.is_empty() { request } else { request.header("x-tapis-token", token) };
//! #     let response = app.service().oneshot(request.body(format!("{{\"text\":\"{text}\"}}").into()).unwrap()).await.unwrap();
//! #     let status = response.status().as_u16();
//! #     let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
//! #     (status, String::from_utf8(body.to_vec()).unwrap())
//! # };
//! # let (status, body) = send(&token, "hello").await;
//! # assert_eq!(status, 200, "{body}");
//! # assert!(body.contains("Created for alice of tacc by POST /v3/notes/notes"), "{body}");
//! # let (status, body) = send(&token, "hello world").await;
//! # assert_eq!((status, body.contains("The note is too long.")), (400, true), "{body}");
//! # assert_eq!(send("", "hello").await.0, 401);
//! # Ok(())
//! # }
//! ```
//!
//! # Questions
//!
//! - **What is `g`?** The [`RequestContext`] of the current request. It has the identity, the tenant, the request id, the
//!   tracking id, the method and the path. All clones share one state.
//! - **What is a tenant?** A customer of Tapis with its own users, signing key and base URL. Nearly every request is for one tenant;
//!   [`Identity::tenant_id`] and [`RequestContext::request_tenant_id`] say which.
//! - **What is "on behalf of"?** A service that calls for a user sends its own token, and names the user in `X-Tapis-Tenant` and
//!   `X-Tapis-User`. [`Identity`] is then that user. [`RequestContext::token`] tells who sent the token.
//! - **What is a stanza?** A member of the envelope, such as `result` or `metadata`.
//! - **What does a policy do?** It rejects a request before the handler runs and before the body is read. It filters no data.
//! - **Where is the state?** In [`Routes::with_state`], as with axum's `Router`. Handlers take [`State`]; [`FromRef`] picks a part.
//! - **What happens when a handler panics?** A panic becomes a 500 in an envelope, without its text. It is logged once at `CRITICAL`, and
//!   increments `tapisservice_panics_total`. The process keeps running.
//! - **What about spawned tasks?** They have no `g`. Pass it on: `tokio::spawn(g.scope(work))`. The service does not wait for them when it stops, but it does
//!   for a [`BackgroundTask`].
//!
//! `docs/ARCHITECTURE.md` has a glossary and follows a request through the stack; `docs/COMPILER.md` helps when a handler does not compile.

pub use axum::extract::State;
pub use axum::{self, debug_handler};
pub use axum_core::extract::FromRef;
pub use http::{self, StatusCode};
pub use tapisservice_auth::{Authn, Policy, PolicyRequest, PublicPolicy};
pub use tapisservice_config::Config;
pub use tapisservice_core::{
    Envelope, Error, Identity, RequestContext, Result, ResultExt, Secret, ServiceError, TenantId, Username, g,
};
pub use tapisservice_macros::FromRef;
pub use tracing;

pub use schemars::{self, JsonSchema};
#[cfg(feature = "openapi")]
pub use utoipa::{self, IntoParams, ToSchema};

#[cfg(feature = "openapi")]
pub use crate::docs::{EnvelopeOf, ErrorEnvelope};
pub use crate::extract::{Json, Path, Query};
#[cfg(feature = "openapi")]
pub use crate::handlers;
pub use crate::{BackgroundTask, RouteMethods as _, Routes, Schedule, TaskContext};
#[cfg(feature = "cli")]
pub use crate::{NoSettings, Package, StartError, Startup, TapisService, package};
