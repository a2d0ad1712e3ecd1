//! `/stations` and `/about`.

use serde::{Deserialize, Serialize};
use tapisservice::client::ServiceClient;
use tapisservice::db::{Record, TextUuid, Timestamp};
use tapisservice::extract::UpTo;
use tapisservice::list::{ListMetadata, ListOf};
use tapisservice::prelude::*;

use crate::KeepDays;
use crate::store::Store;

/// A station.
#[derive(Serialize, ToSchema, Record)]
pub(crate) struct Station {
    pub(crate) station_id: TextUuid,
    pub(crate) name: String,
    pub(crate) latitude: f64,
    pub(crate) longitude: f64,
    /// The system that its raw data is on.
    pub(crate) system_id: String,
    pub(crate) created: Timestamp,
}

/// What its owner says of a station.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StationInput {
    /// Unique in the tenant.
    #[schema(min_length = 1, max_length = 80)]
    pub(crate) name: String,
    #[schema(minimum = -90, maximum = 90)]
    pub(crate) latitude: f64,
    #[schema(minimum = -180, maximum = 180)]
    pub(crate) longitude: f64,
    #[schema(example = "workstation")]
    pub(crate) system_id: String,
}

/// Which stations to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// The most stations to return.
    #[param(inline, default = 100)]
    limit: Option<UpTo<1000>>,
    /// How many to skip.
    #[param(inline, default = 0)]
    skip: Option<UpTo<1_000_000>>,
}

/// What the service does.
#[derive(Serialize, ToSchema)]
pub(crate) struct About {
    /// Days after which observations are deleted.
    keep_days: u16,
}

impl StationInput {
    async fn check(&self, g: &RequestContext, tapis: &ServiceClient) -> Result<()> {
        let wrong = |field, expected| {
            Err(Error::bad_input(format!("Invalid value at \"/{field}\": expected {expected}.")))
        };
        if !(1..=80).contains(&self.name.chars().count()) {
            return wrong("name", "1 to 80 characters");
        }
        if !(-90.0..=90.0).contains(&self.latitude) {
            return wrong("latitude", "a number from -90 to 90");
        }
        if !(-180.0..=180.0).contains(&self.longitude) {
            return wrong("longitude", "a number from -180 to 180");
        }
        let system =
            tapis.on_behalf_of(g)?.operation("systems", "getSystem").arg("systemId", &*self.system_id);
        match system.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
                wrong("system_id", "a system that you can see")
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Describes the service.
#[utoipa::path(get, path = "/about", responses((status = 200, body = EnvelopeOf<About>)))]
pub(crate) async fn about(State(KeepDays(keep_days)): State<KeepDays>) -> Envelope<About> {
    Envelope::new(About { keep_days })
}

/// Lists the stations of the tenant.
#[utoipa::path(get, path = "/stations", operation_id = "listStations", params(Page),
    responses((status = 200, body = ListOf<Station>)))]
pub(crate) async fn list(
    caller: Identity,
    State(store): State<Store>,
    Query(page): Query<Page>,
) -> Result<Envelope<Vec<Station>>> {
    let (limit, skip) = (page.limit.map_or(100, UpTo::get), page.skip.map_or(0, UpTo::get));
    let stations = store.list(caller.tenant_id(), limit, skip).await?;
    let metadata = ListMetadata::new(stations.len(), limit, skip);
    Ok(Envelope::new(stations).with_metadata(metadata.into()))
}

/// Creates a station.
#[utoipa::path(post, path = "/stations", operation_id = "createStation",
    responses((status = 201, body = EnvelopeOf<Station>), (status = 409, body = ErrorEnvelope)))]
pub(crate) async fn create(
    g: RequestContext,
    caller: Identity,
    State(store): State<Store>,
    State(tapis): State<ServiceClient>,
    Json(new): Json<StationInput>,
) -> Result<Envelope<Station>> {
    new.check(&g, &tapis).await?;
    Ok(Envelope::created(store.create(caller.tenant_id(), &new).await?))
}

/// Returns a station.
#[utoipa::path(get, path = "/stations/{station_id}", operation_id = "getStation",
    responses((status = 200, body = EnvelopeOf<Station>), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn get(
    caller: Identity,
    State(store): State<Store>,
    Path(id): Path<TextUuid>,
) -> Result<Envelope<Station>> {
    Ok(Envelope::new(store.get(caller.tenant_id(), id).await?))
}

/// Replaces what is said of a station.
#[utoipa::path(put, path = "/stations/{station_id}", operation_id = "updateStation",
    responses((status = 200, body = EnvelopeOf<Station>), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn update(
    g: RequestContext,
    caller: Identity,
    State(store): State<Store>,
    State(tapis): State<ServiceClient>,
    Path(id): Path<TextUuid>,
    Json(new): Json<StationInput>,
) -> Result<Envelope<Station>> {
    new.check(&g, &tapis).await?;
    Ok(Envelope::new(store.update(caller.tenant_id(), id, &new).await?))
}

/// Deletes a station with its observations.
#[utoipa::path(delete, path = "/stations/{station_id}", operation_id = "deleteStation",
    responses((status = 200, body = EnvelopeOf<Station>), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn delete(
    caller: Identity,
    State(store): State<Store>,
    Path(id): Path<TextUuid>,
) -> Result<Envelope<Station>> {
    Ok(Envelope::new(store.delete(caller.tenant_id(), id).await?))
}
