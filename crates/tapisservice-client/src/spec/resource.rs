//! The operations of one service.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::index::{Index, SharedId};
use super::nearest;
use super::operation::Operation;
#[cfg(feature = "spec-files")]
use super::reader;
#[cfg(feature = "spec-files")]
use crate::SetupError;
use crate::{ClientError, UnknownOperation};

/// The operations of one Tapis service, by its name for clients: `systems`, `sk`, `globus-proxy`.
///
/// ```
/// use tapisservice_client::spec::Catalog;
///
/// let catalog = Catalog::bundled();
/// let operation = catalog.resource("systems")?.operation("getSystem")?;
/// assert_eq!(operation.path, "/v3/systems/{systemId}");
/// # Ok::<(), tapisservice_client::ClientError>(())
/// ```
#[derive(Debug)]
pub struct Resource {
    name: Arc<str>,
    operations: BTreeMap<String, Arc<Operation>>,
    shared: Vec<SharedId>,
    notes: Vec<String>,
}

impl Resource {
    /// Parses an OpenAPI file in YAML or JSON.
    ///
    /// The parser is tolerant: only `paths` is required. [`notes`](Self::notes) lists what it skipped.
    ///
    /// ```
    /// use tapisservice_client::spec::Resource;
    ///
    /// let text = r#"{"paths": {"/notes/{id}": {"get": {"operationId": "getNote"}}}}"#;
    /// let notes = Resource::from_openapi("notes", text.as_bytes())?;
    /// let operation = notes.operation("getNote")?;
    /// assert_eq!(operation.path, "/v3/notes/{id}");
    /// assert_eq!(operation.parameters[0].name, "id");
    /// # Ok::<(), tapisservice_client::ClientError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ClientError::Spec`] with the place and the cause when the file is not YAML or JSON, is too large, or has an operation that cannot be
    /// called; [`ClientError::Setup`] when the name is invalid.
    #[cfg(feature = "spec-files")]
    pub fn from_openapi(name: &str, text: &[u8]) -> Result<Self, ClientError> {
        check_name(name)?;
        let name: Arc<str> = Arc::from(name);
        let reading = reader::read(&name, text)
            .map_err(|reason| ClientError::Spec { resource: name.to_string(), reason })?;
        let notes = reading.notes;
        Ok(Self { notes, ..Self::new(name, reading.operations, reading.shared) })
    }

    /// Parses an index, and returns its source.
    pub(super) fn from_index(text: &[u8]) -> Result<(Self, Option<String>), String> {
        let index = Index::read(text)?;
        Ok((Self::new(index.resource, index.operations, index.shared), index.source))
    }

    fn new(name: Arc<str>, operations: Vec<Operation>, shared: Vec<SharedId>) -> Self {
        let operations = operations.into_iter().map(|op| (op.operation_id.clone(), Arc::new(op))).collect();
        Self { name, operations, shared, notes: Vec::new() }
    }

    /// The resource in the compact format of bundled and cached resources: JSON, one operation per line.
    pub fn to_index(&self) -> String {
        self.index_from(None)
    }

    pub(super) fn index_from(&self, source: Option<String>) -> String {
        let operations = self.operations.values().map(|op| Operation::clone(op)).collect();
        let index =
            Index { resource: Arc::clone(&self.name), source, operations, shared: self.shared.clone() };
        index.write().expect("strings, numbers and maps with string keys are JSON")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its operations, by id.
    pub fn operations(&self) -> impl ExactSizeIterator<Item = &Arc<Operation>> {
        self.operations.values()
    }

    /// What the parser skipped in the OpenAPI file, one sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The operation with this id.
    ///
    /// # Errors
    ///
    /// [`ClientError::UnknownOperation`], which suggests the nearest name and lists all.
    pub fn operation(&self, id: &str) -> Result<Arc<Operation>, ClientError> {
        Ok(self.operations.get(id).cloned().ok_or_else(|| self.unknown(id))?)
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.operations.contains_key(id)
    }

    pub(super) fn unknown(&self, id: &str) -> UnknownOperation {
        let (resource, operation) = (self.name.to_string(), id.to_owned());
        if let Some(shared) = self.shared.iter().find(|shared| shared.id == id) {
            let candidates =
                shared.instead.iter().filter_map(|id| self.operations.get(id)).cloned().collect();
            return UnknownOperation::Ambiguous { resource, operation, candidates, elsewhere: Vec::new() };
        }
        let nearest = nearest::nearest(id, self.operations.keys().map(String::as_str)).map(str::to_owned);
        let known = self.operations.keys().cloned().collect();
        UnknownOperation::Operation { resource, operation, nearest, known, elsewhere: Vec::new() }
    }
}

/// Checks the name of a resource, which becomes a file name: letters, digits, `-`, `_` and `.`, not starting with `.`.
#[cfg(feature = "spec-files")]
pub(super) fn check_name(name: &str) -> Result<(), ClientError> {
    let usable = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.chars().all(usable) {
        return Err(SetupError::ResourceName(name.to_owned()).into());
    }
    Ok(())
}
