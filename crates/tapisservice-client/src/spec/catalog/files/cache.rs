//! The cache of fetched specifications.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use tempfile::NamedTempFile;

use super::remote::Remote;
use crate::spec::resource::Resource;

/// The largest file that is read.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// A folder with one index per resource. The files are checked like any input, and nothing in them is executed.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    folder: PathBuf,
}

impl Cache {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The cache in the cache folder of the user, if there is one.
    pub(super) fn of_the_user() -> Option<Self> {
        let folder = etcetera::choose_base_strategy().ok()?.cache_dir();
        Some(Self::new(folder.join("tapisservice").join("specs")))
    }

    /// The cached specification of this URL. An error says why a file is ignored.
    pub(super) fn read(&self, remote: &Remote) -> Result<Option<Resource>, String> {
        let path = self.path(remote);
        let text = match read(&path) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(e) => return Err(format!("{}: {e}", path.display())),
        };
        let fault = |reason: String| format!("{}: {reason}", path.display());
        let (resource, source) = Resource::from_index(&text).map_err(fault)?;
        if resource.name() != remote.resource {
            return Err(fault("it is for another resource".to_owned()));
        }
        if source.as_deref() != Some(remote.identity().as_str()) {
            return Err(fault("it was fetched from another address".to_owned()));
        }
        if resource.operations().len() == 0 {
            return Err(fault("it has no operations".to_owned()));
        }
        Ok(Some(resource))
    }

    /// Replaces the cached specification atomically.
    pub(super) fn write(&self, remote: &Remote, resource: &Resource) -> Result<(), String> {
        let path = self.path(remote);
        let text = resource.index_from(Some(remote.identity()));
        replace(&path, text.as_bytes()).map_err(|e| format!("{}: {e}", path.display()))
    }

    fn path(&self, remote: &Remote) -> PathBuf {
        self.folder.join(remote.folder).join(format!("{}.json", remote.resource))
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    // Reading a pipe or a device could block for ever.
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(io::Error::other("it is not a file")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    }
    let mut text = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other(format!("it is larger than {MAX_BYTES} bytes")));
    }
    Ok(Some(text))
}

fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("it is in no folder"))?;
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync(folder)
}

/// Persists the rename. Only Unix opens folders.
fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
