//! Saves responses to files.

use std::io;
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};
use tokio::io::AsyncWriteExt;
use tokio::task::spawn_blocking;

use super::{CallResponse, Progress};
use crate::ClientError;

impl CallResponse {
    /// Streams the body to a file and returns its length in bytes. `progress` is called for each chunk.
    ///
    /// The file appears, or replaces an older one, only when the download is complete. Until then the data is in a temporary file in the
    /// same folder, which is removed if the download fails or is dropped.
    ///
    /// # Errors
    ///
    /// [`ClientError::File`] when the file cannot be written; else when the connection breaks or no data arrives for the idle timeout.
    pub async fn save_to(
        mut self,
        path: impl AsRef<Path>,
        mut progress: impl FnMut(Progress) + Send,
    ) -> Result<u64, ClientError> {
        let path = path.as_ref().to_owned();
        let fault = |source: io::Error| ClientError::File { path: path.display().to_string(), source };
        let total = self.content_length();
        let (part, mut file) = blocking(beside(path.clone())).await.map_err(fault)?;
        let mut done = 0;
        while let Some(piece) = self.next_piece().await? {
            file.write_all(&piece).await.map_err(fault)?;
            done += piece.len() as u64;
            progress(Progress { done, total });
        }
        file.flush().await.map_err(fault)?;
        file.sync_all().await.map_err(fault)?;
        let target = path.clone();
        blocking(move || part.persist(target).map(drop).map_err(|e| e.error)).await.map_err(fault)?;
        Ok(done)
    }
}

/// A temporary file in the folder of `path`, with the permissions a new file has, and a handle to write it.
fn beside(path: PathBuf) -> impl FnOnce() -> io::Result<(NamedTempFile, tokio::fs::File)> + Send + 'static {
    move || {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let mut builder = Builder::new();
        builder.prefix(".").suffix(".part");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let part = builder.tempfile_in(folder)?;
        let file = part.reopen()?;
        Ok((part, tokio::fs::File::from_std(file)))
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}
