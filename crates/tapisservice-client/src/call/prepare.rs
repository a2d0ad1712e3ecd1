//! Turns a built request into one that the HTTP client can send. Files are opened here.

use http::HeaderValue;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Request};

use super::body::Payload;
use super::multipart::Rendered;
use super::request::Built;
use super::upload::Opened;
use crate::transport::BodyProgress;
use crate::{ClientError, SetupError};

/// Prepares the request and its body.
pub(super) async fn prepare(
    built: Built,
    progress: &BodyProgress,
    pool: &reqwest::Client,
) -> Result<Request, ClientError> {
    let Built { method, url, headers, payload } = built;
    let mut request = Request::new(method, url);
    *request.headers_mut() = headers;
    match payload {
        Payload::None => {}
        Payload::Bytes { media_type, bytes } => put(&mut request, &media_type, bytes.into(), None)?,
        Payload::Upload { media_type, upload } => match upload.open(progress).await? {
            Opened::Whole(bytes) => put(&mut request, &media_type, bytes.into(), None)?,
            Opened::Streamed(body, length) => put(&mut request, &media_type, body, length)?,
        },
        Payload::Multipart(parts) => match parts.render(progress).await? {
            Rendered::Whole(boundary, bytes) => {
                put(&mut request, &format!("multipart/form-data; boundary={boundary}"), bytes.into(), None)?;
            }
            Rendered::Streamed(form) => {
                // Only reqwest's own builder knows the length of a streamed form.
                request = reqwest::RequestBuilder::from_parts(pool.clone(), request)
                    .multipart(form)
                    .build()
                    .map_err(|_| SetupError::Request("a multipart body cannot be written".to_owned()))?;
            }
        },
    }
    Ok(request)
}

fn put(request: &mut Request, media_type: &str, body: Body, length: Option<u64>) -> Result<(), ClientError> {
    let media_type = HeaderValue::from_str(media_type).map_err(|_| ClientError::InvalidValue {
        name: "media type".to_owned(),
        reason: "not a valid media type".to_owned(),
    })?;
    request.headers_mut().insert(CONTENT_TYPE, media_type);
    if let Some(length) = length {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    *request.body_mut() = Some(body);
    Ok(())
}
