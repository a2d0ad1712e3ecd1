//! A session store in files that only their owner can read.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use tapisservice_client::BoxFuture;

use super::{SessionKey, SessionStore, SessionStoreError, Tokens};

/// The largest session file, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Characters that are not percent-encoded in file names. All others are, so that no name leaves the folder.
const ENCODE_SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Stores each session in its own JSON file, in one folder.
///
/// The folder is created with mode 0700 and the files with 0600. A file that other users can read is rejected, because its tokens may be
/// known to them. Files are replaced atomically: a reader sees the old session or the new one, and of two programs that save at the same
/// time one wins.
#[derive(Debug, Clone)]
pub struct FileStore {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct SessionFile {
    base_url: String,
    tenant_id: String,
    username: String,
    client_id: Option<String>,
    access_token: String,
    refresh_token: Option<String>,
}

impl FileStore {
    /// A store in `folder`, which is created when the first session is saved.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The path of a session file, whether it exists or not.
    pub fn path(&self, key: &SessionKey) -> PathBuf {
        let parts = [&key.tenant_id, &key.username, key.client_id.as_deref().unwrap_or(""), &key.base_url];
        let parts = parts.map(|part| utf8_percent_encode(part, ENCODE_SET).to_string());
        self.folder.join(format!("{}.json", parts.join("~")))
    }

    async fn blocking<T: Send + 'static>(
        &self,
        key: &SessionKey,
        verb: &'static str,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, SessionStoreError> {
        let path = self.path(key);
        let fault = move |path: &Path, error: io::Error| {
            let place = path.display();
            SessionStoreError::new(format!("the session in {place} cannot be {verb}: {error}"))
                .with_source(error)
        };
        let task = tokio::task::spawn_blocking(move || work(&path).map_err(|error| fault(&path, error)));
        task.await.unwrap_or_else(|_| Err(SessionStoreError::new("the session store was interrupted")))
    }
}

impl SessionStore for FileStore {
    fn load<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<Option<Tokens>, SessionStoreError>> {
        Box::pin(async move {
            let saved = self.blocking(key, "read", read).await?;
            let saved = saved.filter(|saved| saved.is_of(key));
            Ok(saved.map(|saved| {
                let tokens = Tokens::new(saved.access_token);
                match saved.refresh_token {
                    Some(refresh) => tokens.with_refresh_token(refresh),
                    None => tokens,
                }
            }))
        })
    }

    fn save<'a>(
        &'a self,
        key: &'a SessionKey,
        tokens: &'a Tokens,
    ) -> BoxFuture<'a, Result<(), SessionStoreError>> {
        let saved = SessionFile::new(key, tokens);
        Box::pin(self.blocking(key, "saved", move |path| write(path, &saved)))
    }

    fn remove<'a>(&'a self, key: &'a SessionKey) -> BoxFuture<'a, Result<(), SessionStoreError>> {
        Box::pin(self.blocking(key, "removed", |path| match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }))
    }
}

impl SessionFile {
    fn new(key: &SessionKey, tokens: &Tokens) -> Self {
        Self {
            base_url: key.base_url.clone(),
            tenant_id: key.tenant_id.clone(),
            username: key.username.clone(),
            client_id: key.client_id.clone(),
            access_token: tokens.access_token().to_owned(),
            refresh_token: tokens.refresh_token().map(str::to_owned),
        }
    }

    /// File systems may ignore case, so the names are compared.
    fn is_of(&self, key: &SessionKey) -> bool {
        (&self.base_url, &self.tenant_id, &self.username, &self.client_id)
            == (&key.base_url, &key.tenant_id, &key.username, &key.client_id)
    }
}

fn read(path: &Path) -> io::Result<Option<SessionFile>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    check_private(&file)?;
    let mut text = Vec::new();
    file.take(MAX_FILE_BYTES).read_to_end(&mut text)?;
    // serde_json's message may quote the file.
    let saved = serde_json::from_slice(&text);
    saved.map(Some).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not a session file"))
}

fn write(path: &Path, saved: &SessionFile) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    make_private(folder)?;
    // tempfile creates files with mode 0600.
    let mut file = tempfile::Builder::new().prefix(".session").tempfile_in(folder)?;
    file.write_all(&serde_json::to_vec_pretty(saved)?)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

#[cfg(unix)]
fn check_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata()?.permissions().mode();
    let private = mode.trailing_zeros() >= 6;
    private.then_some(()).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("other users can read it (mode {:03o})", mode & 0o777),
        )
    })
}

#[cfg(not(unix))]
fn check_private(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SessionKey {
        SessionKey::new("https://tacc.test", "tacc", "alice")
    }

    fn tokens() -> Tokens {
        Tokens::new("canary-access").with_refresh_token("canary-refresh")
    }

    #[tokio::test]
    async fn a_session_comes_back_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("deep/sessions"));
        assert!(store.load(&key()).await.unwrap().is_none());
        store.save(&key(), &tokens()).await.unwrap();
        let loaded = store.load(&key()).await.unwrap().unwrap();
        assert_eq!(
            (loaded.access_token(), loaded.refresh_token()),
            ("canary-access", Some("canary-refresh"))
        );
        store.remove(&key()).await.unwrap();
        store.remove(&key()).await.unwrap();
        assert!(store.load(&key()).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_session_is_kept_for_its_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path());
        store.save(&key(), &tokens()).await.unwrap();
        let others = [
            SessionKey { base_url: "https://tacc.example".into(), ..key() },
            SessionKey { tenant_id: "dev".into(), ..key() },
            SessionKey { username: "Alice".into(), ..key() },
            SessionKey { client_id: Some("notebook".into()), ..key() },
        ];
        for other in others {
            assert!(store.load(&other).await.unwrap().is_none(), "{other:?}");
        }
        let moved = SessionKey { username: "bob".into(), ..key() };
        fs::rename(store.path(&key()), store.path(&moved)).unwrap();
        assert!(store.load(&moved).await.unwrap().is_none(), "a file under another name is not believed");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path().join("sessions"));
        store.save(&key(), &tokens()).await.unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join("sessions")), 0o700);
        assert_eq!(mode(&store.path(&key())), 0o600);
        fs::set_permissions(store.path(&key()), fs::Permissions::from_mode(0o644)).unwrap();
        let text = store.load(&key()).await.unwrap_err().to_string();
        assert!(text.contains("other users can read it (mode 644)") && !text.contains("canary"), "{text}");
    }

    #[tokio::test]
    async fn a_file_is_replaced_as_a_whole_and_leaves_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path());
        store.save(&key(), &tokens()).await.unwrap();
        let reader = File::open(store.path(&key())).unwrap();
        store.save(&key(), &Tokens::new("another")).await.unwrap();
        let old: SessionFile = serde_json::from_reader(reader).unwrap();
        assert_eq!(old.access_token, "canary-access", "who has the old file open reads it to its end");
        assert_eq!(store.load(&key()).await.unwrap().unwrap().access_token(), "another");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn what_is_no_session_is_an_error_that_does_not_quote_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = FileStore::new(folder.path());
        store.save(&key(), &tokens()).await.unwrap();
        for garbage in ["", "canary", "{\"access_token\": \"canary\"}", "[\"canary\"]"] {
            fs::write(store.path(&key()), garbage).unwrap();
            let text = store.load(&key()).await.unwrap_err().to_string();
            assert!(text.contains("not a session file") && !text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn no_name_leaves_the_folder() {
        let store = FileStore::new("sessions");
        let key = SessionKey { username: "../../alice".into(), tenant_id: "..".into(), ..key() };
        assert_eq!(store.path(&key).parent(), Some(Path::new("sessions")));
    }
}
