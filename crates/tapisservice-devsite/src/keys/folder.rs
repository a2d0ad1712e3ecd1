//! Persistent keys: one PEM file per tenant, readable by its owner only.

use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::SigningKey;
use crate::DevSiteError;

/// Loads the key of `tenant`, or generates and stores one.
pub(super) fn load_or_create(folder: &Path, tenant: &str) -> Result<SigningKey, DevSiteError> {
    prepare(folder).map_err(|source| DevSiteError::KeyStore { path: folder.to_owned(), source })?;
    match read(folder, tenant)? {
        Some(key) => Ok(key),
        None => create(folder, tenant),
    }
}

/// Generates a new key for `tenant` and replaces the old one.
pub(super) fn replace(folder: &Path, tenant: &str) -> Result<SigningKey, DevSiteError> {
    let (key, path) = (SigningKey::generate()?, file(folder, tenant));
    let written =
        prepare(folder).and_then(|()| draft(folder, &key)).map_err(|source| store_error(&path, source))?;
    written.persist(&path).map_err(|failed| store_error(&path, failed.error))?;
    Ok(key)
}

fn create(folder: &Path, tenant: &str) -> Result<SigningKey, DevSiteError> {
    let (key, path) = (SigningKey::generate()?, file(folder, tenant));
    let written = draft(folder, &key).map_err(|source| store_error(&path, source))?;
    match written.persist_noclobber(&path) {
        Ok(_) => Ok(key),
        // Another process created the key first: use that one.
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
            read(folder, tenant)?.ok_or(DevSiteError::KeyFile { path })
        }
        Err(failed) => Err(store_error(&path, failed.error)),
    }
}

fn read(folder: &Path, tenant: &str) -> Result<Option<SigningKey>, DevSiteError> {
    let path = file(folder, tenant);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(DevSiteError::KeyFile { path });
        }
        Err(source) => return Err(store_error(&path, source)),
    };
    restrict(&path, 0o600).map_err(|source| store_error(&path, source))?;
    SigningKey::from_pem(&text).map(Some).ok_or(DevSiteError::KeyFile { path })
}

/// Writes the key to a temporary file; tempfile creates it with mode 0600.
fn draft(folder: &Path, key: &SigningKey) -> io::Result<NamedTempFile> {
    let pem = key.to_pem().map_err(io::Error::other)?;
    let mut written = NamedTempFile::new_in(folder)?;
    written.write_all(pem.as_bytes())?;
    written.as_file().sync_all()?;
    Ok(written)
}

/// Creates the folder, makes it private and excludes it from git.
fn prepare(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    restrict(folder, 0o700)?;
    let ignore = folder.join(".gitignore");
    if ignore.exists() { Ok(()) } else { fs::write(ignore, "*\n") }
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

fn file(folder: &Path, tenant: &str) -> PathBuf {
    folder.join(format!("{tenant}.pem"))
}

fn store_error(path: &Path, source: io::Error) -> DevSiteError {
    DevSiteError::KeyStore { path: path.to_owned(), source }
}
