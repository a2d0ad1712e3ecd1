//! A registry in a file.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use tapisservice_core::json;

use crate::raw::List;
use crate::{BoxFuture, RegistryData, RegistryRecord, SourceError, TenantSource};

/// The default limit for both responses of the Tenants API together.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Records are elements of a list in an object.
const MAX_DEPTH: usize = RegistryRecord::MAX_DEPTH + 2;

/// Reads the registry from a JSON file that holds `{"tenants": [...], "sites": [...]}`, the records as the Tenants API
/// returns them, at most 16 MiB. It is read again on every refresh.
#[derive(Debug, Clone)]
pub struct FileSource {
    path: PathBuf,
}

const EXPECTED: &str = "expected an object with the lists `tenants` and `sites`";

#[derive(Deserialize)]
struct Lists<'a> {
    #[serde(borrow)]
    tenants: Option<List<'a>>,
    #[serde(borrow)]
    sites: Option<List<'a>>,
}

impl FileSource {
    /// The file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn read(&self) -> Result<RegistryData, SourceError> {
        let fault = |what: String| SourceError::new(format!("{}: {what}", self.path.display()));
        let mut text = Vec::new();
        let read = File::open(&self.path).and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut text));
        if read.map_err(|e| fault(e.to_string()))? as u64 > MAX_BYTES {
            return Err(fault(format!("it is larger than {MAX_BYTES} bytes")));
        }
        json::check(&text, MAX_DEPTH).map_err(|e| fault(e.to_string()))?;
        let no_lists = || fault(EXPECTED.to_owned());
        let text = Arc::new(String::from_utf8(text).map_err(|_| no_lists())?);
        let lists: Lists<'_> = serde_json::from_str(&text).map_err(|_| no_lists())?;
        let records = |list: Option<List<'_>>, name| {
            let list = list.ok_or_else(|| fault(format!("{name} is missing or not a list")))?;
            list.records_in(&text)
                .map_err(|_| fault(format!("{name} has more than {} records", RegistryRecord::MAX_COUNT)))
        };
        Ok(RegistryData::new(records(lists.tenants, "tenants")?, records(lists.sites, "sites")?))
    }
}

impl TenantSource for FileSource {
    fn fetch(&self) -> BoxFuture<'_, Result<RegistryData, SourceError>> {
        let source = self.clone();
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || source.read());
            read.await.map_err(|e| SourceError::new(format!("reading the registry file: {e}")))?
        })
    }

    fn describe(&self) -> String {
        format!("file {}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_faulty_file_is_named_with_its_fault() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("registry.json");
        let source = FileSource::new(&path);
        let records = vec!["{}"; RegistryRecord::MAX_COUNT + 1].join(",");
        let many = format!(r#"{{"tenants": [{records}], "sites": []}}"#);
        let large = " ".repeat(17 * 1024 * 1024);
        for (text, reason) in [
            (None, "No such file"),
            (Some("{"), "EOF"),
            (Some("{\"tenants\": []}"), "sites is missing"),
            (Some("{\"tenants\": {}, \"sites\": []}"), "expected an object with the lists"),
            (Some("{\"tenants\": [{\"a\": 1, \"a\": 2}], \"sites\": []}"), "duplicate member \"a\""),
            (Some(&*many), "more than 10000 records"),
            (Some(&*large), "larger than 16777216 bytes"),
        ] {
            if let Some(text) = text {
                std::fs::write(&path, text).unwrap();
            }
            let error = source.fetch().await.unwrap_err().to_string();
            assert!(error.contains("registry.json") && error.contains(reason), "{error}");
        }
        std::fs::write(&path, r#"{"tenants": [{}], "sites": []}"#).unwrap();
        assert_eq!(source.fetch().await.unwrap().tenants.len(), 1);
    }
}
