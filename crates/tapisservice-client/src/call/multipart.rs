//! Multipart bodies (RFC 7578).

use std::fmt;

use futures_util::TryStreamExt;
use reqwest::multipart::{Form, Part};

use super::Upload;
use super::upload::Opened;
use crate::transport::BodyProgress;
use crate::{ClientError, SetupError};

/// A multipart body. Text fields are text parts, and files are streamed.
///
/// ```
/// use tapisservice_client::{Upload, call::Multipart};
///
/// let body = Multipart::new().text("note", "from today").file("file", Upload::bytes("a,b\n").with_file_name("t.csv"));
/// # let _ = body;
/// ```
#[derive(Default)]
#[must_use]
pub struct Multipart {
    parts: Vec<(String, Content)>,
}

enum Content {
    Text(String),
    File(Upload),
}

/// A multipart body that is ready to be sent.
pub(super) enum Rendered {
    /// In memory, with its boundary. It can be sent again.
    Whole(String, Vec<u8>),
    Streamed(Form),
}

impl Multipart {
    /// An empty body.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text field.
    pub fn text(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parts.push((name.into(), Content::Text(value.into())));
        self
    }

    /// Adds a file.
    pub fn file(mut self, name: impl Into<String>, upload: Upload) -> Self {
        self.parts.push((name.into(), Content::File(upload)));
        self
    }

    fn is_in_memory(&self) -> bool {
        self.parts.iter().all(|(_, content)| match content {
            Content::Text(_) => true,
            Content::File(upload) => upload.is_in_memory(),
        })
    }

    pub(super) async fn render(self, progress: &BodyProgress) -> Result<Rendered, ClientError> {
        let whole = self.is_in_memory();
        let mut form = Form::new();
        for (name, content) in self.parts {
            form = match content {
                Content::Text(text) => form.text(name, text),
                Content::File(upload) => form.part(name, part(upload, progress).await?),
            };
        }
        if !whole {
            return Ok(Rendered::Streamed(form));
        }
        let boundary = form.boundary().to_owned();
        let pieces: Result<Vec<_>, _> = form.into_stream().try_collect().await;
        let pieces =
            pieces.map_err(|_| SetupError::Request("a multipart body cannot be written".to_owned()))?;
        Ok(Rendered::Whole(boundary, pieces.concat()))
    }
}

/// Shows only the names of the parts: their text may be secret.
impl fmt::Debug for Multipart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.parts.iter().map(|(name, _)| name)).finish()
    }
}

async fn part(mut upload: Upload, progress: &BodyProgress) -> Result<Part, ClientError> {
    let (file_name, media_type) = (upload.file_name.take(), upload.media_type.take());
    let part = match upload.open(progress).await? {
        Opened::Whole(bytes) => Part::stream(bytes),
        Opened::Streamed(body, Some(length)) => Part::stream_with_length(body, length),
        Opened::Streamed(body, None) => Part::stream(body),
    };
    // Without a file name some servers take a part for a text field.
    let part = part.file_name(file_name.unwrap_or_else(|| "file".to_owned()));
    let media_type = media_type.as_deref().unwrap_or("application/octet-stream");
    part.mime_str(media_type).map_err(|_| ClientError::InvalidValue {
        name: "media type".to_owned(),
        reason: "not a valid media type".to_owned(),
    })
}
