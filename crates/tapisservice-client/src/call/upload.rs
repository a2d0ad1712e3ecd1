//! Uploads: from memory, from a file, or streamed.

use std::fmt;
use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use reqwest::Body;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_util::io::ReaderStream;

use crate::ClientError;
use crate::transport::BodyProgress;

/// The size of the chunks that are read from files and reported.
const PIECE: usize = 64 * 1024;

/// The progress of an upload or a download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes transferred so far.
    pub done: u64,
    /// All bytes, if the length is known.
    pub total: Option<u64>,
}

/// Bytes to send, as a whole body or as a file of a multipart body. Files and streams are sent in chunks and never held in memory as a
/// whole.
///
/// An upload from memory is sent again when a call is retried. One that is streamed, or reports its progress, is not.
pub struct Upload {
    source: Source,
    length: Option<u64>,
    pub(super) file_name: Option<String>,
    pub(super) media_type: Option<String>,
    progress: Option<Box<dyn FnMut(Progress) + Send>>,
}

enum Source {
    Bytes(Bytes),
    Path(PathBuf),
    Stream(BoxStream<'static, io::Result<Bytes>>),
}

/// An upload that is ready to be sent.
pub(super) enum Opened {
    Whole(Bytes),
    Streamed(Body, Option<u64>),
}

impl Upload {
    /// Bytes in memory.
    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let length = Some(bytes.len() as u64);
        Self { length, ..Self::new(Source::Bytes(bytes)) }
    }

    /// A file, which is opened when the call is sent. A multipart body includes its name.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self { file_name, ..Self::new(Source::Path(path)) }
    }

    /// The bytes of a reader.
    pub fn reader(reader: impl AsyncRead + Send + 'static) -> Self {
        Self::stream(ReaderStream::with_capacity(reader, PIECE))
    }

    /// The bytes of a stream.
    pub fn stream(pieces: impl futures_util::Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self::new(Source::Stream(pieces.boxed()))
    }

    fn new(source: Source) -> Self {
        Self { source, length: None, file_name: None, media_type: None, progress: None }
    }

    /// Sets the length of a reader or a stream. Without it the body is sent chunked, which not every server supports.
    #[must_use]
    pub fn with_length(mut self, length: u64) -> Self {
        self.length = Some(length);
        self
    }

    /// The file name in a multipart body.
    #[must_use]
    pub fn with_file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// The media type, `application/octet-stream` by default.
    #[must_use]
    pub fn with_media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// Calls `progress` for every chunk that is sent.
    #[must_use]
    pub fn on_progress(mut self, progress: impl FnMut(Progress) + Send + 'static) -> Self {
        self.progress = Some(Box::new(progress));
        self
    }

    /// Whether it can be sent more than once.
    pub(super) fn is_in_memory(&self) -> bool {
        matches!(self.source, Source::Bytes(_)) && self.progress.is_none()
    }

    pub(super) async fn open(self, body: &BodyProgress) -> Result<Opened, ClientError> {
        let (pieces, length) = match self.source {
            Source::Bytes(bytes) if self.progress.is_none() => return Ok(Opened::Whole(bytes)),
            Source::Bytes(bytes) => (in_pieces(bytes), self.length),
            Source::Path(path) => open_file(path).await?,
            Source::Stream(pieces) => (pieces, self.length),
        };
        let (mut done, mut progress, body) = (0, self.progress, body.clone());
        let watched = pieces.inspect_ok(move |piece| {
            body.touch();
            done += piece.len() as u64;
            if let Some(progress) = &mut progress {
                progress(Progress { done, total: length });
            }
        });
        Ok(Opened::Streamed(Body::wrap_stream(watched), length))
    }
}

fn in_pieces(bytes: Bytes) -> BoxStream<'static, io::Result<Bytes>> {
    let rest = |mut rest: Bytes| (!rest.is_empty()).then(|| (Ok(rest.split_to(rest.len().min(PIECE))), rest));
    stream::unfold(bytes, move |left| std::future::ready(rest(left))).boxed()
}

/// The chunks of a file and its length. Bytes appended meanwhile are not sent, so that the length stays correct.
async fn open_file(
    path: PathBuf,
) -> Result<(BoxStream<'static, io::Result<Bytes>>, Option<u64>), ClientError> {
    let fault = |source: io::Error| ClientError::File { path: path.display().to_string(), source };
    let file = tokio::fs::File::open(&path).await.map_err(fault)?;
    let metadata = file.metadata().await.map_err(fault)?;
    if metadata.is_file() {
        let pieces = ReaderStream::with_capacity(file.take(metadata.len()), PIECE);
        Ok((pieces.boxed(), Some(metadata.len())))
    } else if metadata.is_dir() {
        Err(fault(io::Error::from(io::ErrorKind::IsADirectory)))
    } else {
        Ok((ReaderStream::with_capacity(file, PIECE).boxed(), None))
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("length", &self.length)
            .field("file_name", &self.file_name)
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}
