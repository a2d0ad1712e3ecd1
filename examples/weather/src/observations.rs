//! `/stations/{station_id}/observations`.

use futures_util::StreamExt as _;
use serde::Serialize;
use tapisservice::db::{Record, TextUuid, Timestamp};
use tapisservice::prelude::*;

use crate::store::Store;

/// Observations that are stored at once.
const BATCH: usize = 500;
/// The longest line.
const MAX_LINE: usize = 200;

/// An observation.
#[derive(Clone, Copy, Serialize, ToSchema, Record)]
pub(crate) struct Observation {
    pub(crate) observed: Timestamp,
    pub(crate) celsius: f64,
}

/// Returns the latest observations of a station.
#[utoipa::path(get, path = "/stations/{station_id}/observations", operation_id = "latestObservations",
    responses((status = 200, body = EnvelopeOf<Vec<Observation>>), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn latest(
    caller: Identity,
    State(store): State<Store>,
    Path(id): Path<TextUuid>,
) -> Result<Envelope<Vec<Observation>>> {
    let station = store.get(caller.tenant_id(), id).await?;
    Ok(Envelope::new(store.latest(caller.tenant_id(), station.station_id).await?))
}

/// Takes observations as CSV, `2026-11-28T12:00:00Z,21.5` on each line, and returns their number. A body of any length takes little memory.
#[utoipa::path(post, path = "/stations/{station_id}/observations", operation_id = "importObservations",
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = EnvelopeOf<usize>), (status = 404, body = ErrorEnvelope)))]
pub(crate) async fn import(
    caller: Identity,
    State(store): State<Store>,
    Path(id): Path<TextUuid>,
    body: axum::body::Body,
) -> Result<Envelope<usize>> {
    let station = store.get(caller.tenant_id(), id).await?.station_id;
    let (mut chunks, mut rest, mut batch, mut count) = (body.into_data_stream(), Vec::new(), Vec::new(), 0);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Error::bad_input("The body ended before its end."))?;
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            rest.extend_from_slice(piece);
            if rest.len() > MAX_LINE {
                return Err(invalid_line(count + batch.len() + 1));
            }
            if rest.ends_with(b"\n") {
                batch.extend(parse(&std::mem::take(&mut rest), count + batch.len() + 1)?);
            }
        }
        if batch.len() >= BATCH {
            count += store.import(caller.tenant_id(), station, &std::mem::take(&mut batch)).await?;
        }
    }
    batch.extend(parse(&rest, count + batch.len() + 1)?);
    count += store.import(caller.tenant_id(), station, &batch).await?;
    Ok(Envelope::new(count))
}

fn parse(line: &[u8], number: usize) -> Result<Option<Observation>> {
    let text = std::str::from_utf8(line).map_err(|_| invalid_line(number))?.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = text.split_once(',').and_then(|(time, celsius)| {
        let observed = time.trim().parse().ok()?;
        Some(Observation { observed, celsius: celsius.trim().parse().ok()? })
    });
    parsed.map(Some).ok_or_else(|| invalid_line(number))
}

fn invalid_line(number: usize) -> Error {
    Error::bad_input(format!(
        "Line {number}: expected a time and degrees Celsius, such as 2026-11-28T12:00:00Z,21.5."
    ))
}
