//! All routes with their policies.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tapisservice::BodyLimit;
use tapisservice::axum::routing::post;
use tapisservice::client::ServiceClient;
use tapisservice::docs::{EnvelopeOf, ErrorEnvelope};
use tapisservice::prelude::*;

use crate::app::Shared;
use crate::store::{Book, Store};

/// Imports may be larger than `max_body_bytes`.
const MAX_IMPORT: usize = 16 << 20;

/// All routes.
pub(crate) fn all() -> Routes<Shared> {
    Routes::new()
        .add(Policy::public(), handlers!(about))
        .add(Policy::authenticated(), handlers!(list, create))
        .add(Policy::authenticated(), handlers!(get, delete))
        .add(Policy::service_only(), handlers!(inventory))
        .route(Policy::authenticated(), "/import", post(import).body_limit(BodyLimit::new(MAX_IMPORT)))
}

/// The book to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBook {
    /// The title, unique among your books.
    title: String,
    /// The shelf it stands on.
    shelf: String,
    /// The system that its text is on.
    system_id: String,
}

/// Which books to list.
#[derive(Debug, Deserialize, IntoParams)]
struct Filter {
    /// Only those of this shelf.
    shelf: Option<String>,
}

/// What the service is.
#[derive(Debug, Serialize, ToSchema)]
struct About {
    /// Its name.
    name: String,
    /// Its version.
    version: String,
}

/// Describes the service.
#[utoipa::path(get, path = "/about", operation_id = "about", tag = "shelf",
    responses((status = 200, description = "What it is.", body = EnvelopeOf<About>)))]
async fn about(g: RequestContext) -> Envelope<About> {
    let service = g.service();
    Envelope::new(About { name: service.name.clone(), version: service.version.clone() })
}

/// Lists your books.
#[utoipa::path(get, path = "/books", operation_id = "listBooks", tag = "books",
    params(Filter), responses((status = 200, description = "The books.", body = EnvelopeOf<Vec<Book>>)))]
async fn list(
    owner: Identity,
    State(store): State<Store>,
    Query(filter): Query<Filter>,
) -> Result<Envelope<Vec<Book>>> {
    Ok(Envelope::new(store.list(&owner, filter.shelf.as_deref()).await?))
}

/// Puts a book on a shelf.
#[utoipa::path(post, path = "/books", operation_id = "createBook", tag = "books",
    request_body = NewBook,
    responses(
        (status = 201, description = "The book.", body = EnvelopeOf<Book>),
        (status = 409, description = "You have one of that title.", body = ErrorEnvelope),
        (status = 422, description = "The title is empty.", body = ErrorEnvelope),
    ))]
async fn create(
    g: RequestContext,
    owner: Identity,
    State(store): State<Store>,
    State(tapis): State<ServiceClient>,
    Json(new): Json<NewBook>,
) -> Result<Envelope<Book>> {
    if new.title.trim().is_empty() {
        return Err(Error::bad_input("A book has a title.").with_status(StatusCode::UNPROCESSABLE_ENTITY));
    }
    check_system(&tapis, &g, &new.system_id).await?;
    let book = store.create(&owner, &new.title, &new.shelf, &new.system_id).await?;
    Ok(Envelope::created(book).with_message("The book is on its shelf."))
}

/// Returns a book.
#[utoipa::path(get, path = "/books/{id}", operation_id = "getBook", tag = "books",
    params(("id" = i64, Path, description = "The id of the book.")),
    responses(
        (status = 200, description = "The book.", body = EnvelopeOf<Book>),
        (status = 404, description = "You have no such book.", body = ErrorEnvelope),
    ))]
async fn get(owner: Identity, State(store): State<Store>, Path(id): Path<String>) -> Result<Envelope<Book>> {
    Ok(Envelope::new(store.get(&owner, parse_id(&id)?).await?))
}

/// Takes a book off its shelf.
#[utoipa::path(delete, path = "/books/{id}", operation_id = "deleteBook", tag = "books",
    params(("id" = i64, Path, description = "The id of the book.")),
    responses(
        (status = 200, description = "The book as it was.", body = EnvelopeOf<Book>),
        (status = 404, description = "You have no such book.", body = ErrorEnvelope),
    ))]
async fn delete(
    owner: Identity,
    State(store): State<Store>,
    Path(id): Path<String>,
) -> Result<Envelope<Book>> {
    Ok(Envelope::new(store.delete(&owner, parse_id(&id)?).await?))
}

/// Lists the books of the user that a service acts for, as one text.
#[utoipa::path(get, path = "/inventory", operation_id = "inventory", tag = "books",
    responses((status = 200, description = "JSON, as text.", body = EnvelopeOf<String>)))]
async fn inventory(owner: Identity, State(store): State<Store>) -> Result<Envelope<String>> {
    let books: Vec<Value> = store
        .list(&owner, None)
        .await?
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<_, _>>()
        .unrecognized()?;
    Ok(Envelope::new(serde_json::to_string(&books).unrecognized()?))
}

/// Puts books on the shelf `new`, one title per line, and returns their number.
async fn import(owner: Identity, State(store): State<Store>, titles: String) -> Result<Envelope<usize>> {
    let titles: Vec<_> = titles.lines().map(str::trim).filter(|title| !title.is_empty()).collect();
    for title in &titles {
        store.create(&owner, title, "new", "").await?;
    }
    Ok(Envelope::new(titles.len()))
}

fn parse_id(id: &str) -> Result<i64> {
    id.parse().map_err(|_| Error::bad_input("The id of a book is a number."))
}

/// Asks Systems whether the user of the request can see the system.
async fn check_system(tapis: &ServiceClient, g: &RequestContext, system_id: &str) -> Result<()> {
    let ask = async {
        let call = tapis.on_behalf_of(g)?.operation("systems", "getSystem");
        call.arg("systemId", system_id).send().await
    };
    match ask.await {
        Ok(_) => Ok(()),
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
            Err(Error::bad_input(format!("There is no system {system_id:?}.")))
        }
        Err(error) => Err(error.into()),
    }
}
