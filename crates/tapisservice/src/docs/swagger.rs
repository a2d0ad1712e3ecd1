//! Swagger UI, from files in the binary. Its own router expects `docs/` with a trailing slash, which the framework removes;
//! so the page is `docs/index.html`, next to the files that it loads.

use std::sync::Arc;

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::header::CONTENT_TYPE;
use tapisservice_auth::Policy;
use tapisservice_core::Error;
use utoipa_swagger_ui::Config;

use crate::Routes;

/// `/docs` and below. `title` is that of the page.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(public_path: &str, title: &str) -> Routes<S> {
    let page = format!("{public_path}/docs/index.html");
    let config = Config::new(["../openapi.json"]).try_it_out_enabled(true).display_operation_id(true);
    // The token stays after a reload, in the browser's storage of this origin.
    let config = Arc::new(config.validator_url("none").persist_authorization(true));
    let title: Arc<str> = escaped(title).into();
    Routes::new().route(Policy::public(), "/docs", get(async move || Redirect::to(&page))).route(
        Policy::public(),
        "/docs/{*file}",
        get(async move |Path(file): Path<String>| serve(&file, config, &title)),
    )
}

fn serve(name: &str, config: Arc<Config<'static>>, title: &str) -> Response {
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) if name == "index.html" => {
            let page = String::from_utf8_lossy(&file.bytes);
            let page = page.replace("<title>Swagger UI</title>", &format!("<title>{title}</title>"));
            ([(CONTENT_TYPE, file.content_type)], page).into_response()
        }
        Ok(Some(file)) => ([(CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response(),
        Ok(None) => Error::not_found("The path does not exist.").into_response(),
        Err(error) => {
            Error::service_config("The page cannot be shown.").with_detail(error.to_string()).into_response()
        }
    }
}

/// Text for an element of HTML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
