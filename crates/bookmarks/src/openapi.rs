//! The head of the OpenAPI document; paths and schemas come from the handlers.

use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// Title, description, licence, and what a token is.
pub(crate) fn head() -> Document {
    Head::openapi()
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
    modifiers(&Token),
)]
struct Head;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut Document) {
        let key = ApiKeyValue::with_description("X-Tapis-Token", "A Tapis access token (JWT).");
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(key));
        document.components.get_or_insert_default().add_security_scheme("TapisJWT", scheme);
    }
}
