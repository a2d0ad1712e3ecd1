//! A registry in a file.

use std::path::PathBuf;

use serde_json::Value;
use tapisservice_core::json;

use crate::{BoxFuture, RegistryData, SourceError, TenantSource};

const MAX_DEPTH: usize = 16;

/// Reads the registry from a JSON file that holds `{"tenants": [...], "sites": [...]}`, the records as the Tenants API
/// gives them. It is read again at every refresh.
#[derive(Debug, Clone)]
pub struct FileSource {
    path: PathBuf,
}

impl FileSource {
    /// The file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    fn read(&self) -> Result<RegistryData, SourceError> {
        let fault = |what: String| SourceError::new(format!("{}: {what}", self.path.display()));
        let text = std::fs::read(&self.path).map_err(|e| fault(e.to_string()))?;
        let mut registry = json::parse(&text, MAX_DEPTH).map_err(|e| fault(e.to_string()))?;
        let mut list = |name: &str| match registry.get_mut(name).map(Value::take) {
            Some(Value::Array(records)) => Ok(records),
            _ => Err(fault(format!("{name} is missing or not a list"))),
        };
        Ok(RegistryData { tenants: list("tenants")?, sites: list("sites")? })
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
        for (text, reason) in
            [(None, "No such file"), (Some("{"), "EOF"), (Some("{\"tenants\": []}"), "sites is missing")]
        {
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
