//! The info section of the OpenAPI document. Paths and schemas come from the handlers, security from the policies.

use tapisservice::utoipa::openapi::OpenApi as Document;
use tapisservice::utoipa::{self, OpenApi};

/// The title, description and license.
pub(crate) fn api_info() -> Document {
    ApiInfo::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bookmarks",
        description = "Users keep bookmarks to paths on Tapis systems. Everybody sees their own only.",
        license(name = "BSD-3-Clause", identifier = "BSD-3-Clause"),
    ),
    tags(
        (name = "bookmarks", description = "Bookmarks of the user the request is for."),
        (name = "identity", description = "Who the service takes the caller for."),
        (name = "health", description = "Whether the service is alive and can serve."),
    ),
)]
struct ApiInfo;
