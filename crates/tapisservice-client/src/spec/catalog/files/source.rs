//! Custom specifications.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use url::Url;

use super::remote;
use crate::{ClientError, SetupError};

/// The source of a custom specification.
///
/// As text it is an `http` or `https` URL, or `local: ` and a path:
///
/// ```
/// use tapisservice_client::spec::SpecSource;
///
/// assert_eq!("local: notes.yml".parse::<SpecSource>()?, SpecSource::File("notes.yml".into()));
/// assert!(matches!("https://example.org/notes.yml".parse::<SpecSource>()?, SpecSource::Url(_)));
/// # Ok::<(), tapisservice_client::ClientError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecSource {
    /// A URL. The specification is fetched and cached.
    Url(Url),
    /// A file, read when the catalog is built.
    File(PathBuf),
    /// The text itself.
    Text(String),
}

impl FromStr for SpecSource {
    type Err = ClientError;

    fn from_str(text: &str) -> Result<Self, ClientError> {
        let text = text.trim();
        if let Some(path) = text.strip_prefix("local:") {
            return Ok(Self::File(PathBuf::from(path.trim())));
        }
        Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .map(Self::Url)
            .ok_or_else(|| SetupError::SpecSource.into())
    }
}

/// Leaves out the query of a URL, which may hold a key.
impl fmt::Debug for SpecSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.debug_tuple("Url").field(&remote::place(url)).finish(),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
        }
    }
}
