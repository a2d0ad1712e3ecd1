//! A tolerant reader of OpenAPI files.
//!
//! It takes what people write: YAML or JSON, OpenAPI 3 with leftovers of Swagger 2, with or without `openapi`, `info`,
//! `servers` and `responses`, and reads only what building a request needs. What is left out is a note; what makes an
//! operation impossible to call is an error that says where and why. Time and memory are bounded for any input.

mod body;
mod document;
mod fault;
mod ids;
mod loose;
mod parameters;
mod paths;
mod schema;
mod view;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use http::Method;
use serde_json::Value;

use self::fault::{Fault, Within};
use self::view::{Followed, View};
use super::check;
use super::index::SharedId;
use super::operation::Operation;

pub(super) use self::document::MAX_BYTES;

/// How many parameters, properties and references one file may come to, so that references to references stay finite.
const BUDGET: u32 = 400_000;
/// How many notes are kept.
const MAX_NOTES: usize = 50;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) operations: Vec<Operation>,
    pub(super) shared: Vec<SharedId>,
    pub(super) notes: Vec<String>,
}

/// Reads the OpenAPI file of `resource`.
pub(super) fn read(resource: &Arc<str>, bytes: &[u8]) -> Result<Reading, String> {
    let root = document::parse(bytes)?;
    let reader = Reader { root: &root, budget: Cell::new(BUDGET), notes: RefCell::default() };
    let found = reader.operations().map_err(|fault| fault.to_string())?;
    let (operations, shared) = ids::settle(resource, found);
    for operation in &operations {
        check::operation(operation)
            .map_err(|reason| format!("{} {}: {reason}", operation.method, loose::short(&operation.path)))?;
    }
    Ok(Reading { operations, shared, notes: reader.notes.into_inner() })
}

struct Reader<'a> {
    root: &'a Value,
    budget: Cell<u32>,
    notes: RefCell<Vec<String>>,
}

/// An operation before it has got its id and its resource.
struct Found {
    id: Option<String>,
    operation: Operation,
}

impl<'a> Reader<'a> {
    fn operations(&self) -> Result<Vec<Found>, Fault> {
        let Some(paths) = self.root.get("paths").filter(|paths| !paths.is_null()) else {
            return Err(Fault::new("there are no paths"));
        };
        let Some(paths) = paths.as_object() else {
            return Err(Fault::new("paths is not a mapping"));
        };
        let mut found = Vec::new();
        for (raw, item) in paths.iter().filter(|(raw, _)| !raw.starts_with("x-")) {
            self.path_item(raw, item, &mut found).within(|| format!("path {}", loose::short(raw)))?;
        }
        if found.is_empty() { Err(Fault::new("there are no operations")) } else { Ok(found) }
    }

    fn path_item(&self, raw: &str, item: &'a Value, found: &mut Vec<Found>) -> Result<(), Fault> {
        let item = match self.follow(item)? {
            Followed::Mapping(view) => view,
            Followed::Nothing => return Ok(()),
            Followed::Elsewhere(to) => {
                self.left_out(raw, &to);
                return Ok(());
            }
            Followed::Other => return Err(Fault::new("is not a mapping")),
        };
        let template = paths::template(raw, self.root)?;
        for (key, operation) in item.entries() {
            let Some(method) = paths::method(key) else { continue };
            let place = method.clone();
            found.push(
                self.operation(&template, &item, method, operation).within(|| place.as_str().to_owned())?,
            );
        }
        Ok(())
    }

    fn operation(
        &self,
        template: &paths::Template,
        item: &View<'a>,
        method: Method,
        operation: &'a Value,
    ) -> Result<Found, Fault> {
        let view = match self.follow(operation)? {
            Followed::Mapping(view) => view,
            Followed::Nothing => View::default(),
            Followed::Elsewhere(to) => {
                return Err(Fault::new(format!("is an unresolved reference: {}", loose::short(&to))));
            }
            Followed::Other => return Err(Fault::new("is not a mapping")),
        };
        self.spend(1)?;
        let declared = self.parameters(item, &view)?;
        Ok(Found {
            id: view.get("operationId").and_then(loose::text),
            operation: Operation {
                resource: Arc::from(""),
                operation_id: String::new(),
                method,
                path: template.path.clone(),
                body: self.body(&view, &declared)?,
                parameters: self.fit(template, declared.parameters),
            },
        })
    }

    fn left_out(&self, what: &str, to: &str) {
        self.note(|| format!("{}: skipped, unresolved reference {}", loose::short(what), loose::short(to)));
    }

    fn note(&self, text: impl FnOnce() -> String) {
        let mut notes = self.notes.borrow_mut();
        if notes.len() < MAX_NOTES {
            notes.push(text());
        }
    }

    fn spend(&self, cost: usize) -> Result<(), Fault> {
        let cost = u32::try_from(cost).unwrap_or(u32::MAX);
        let left = self.budget.get().checked_sub(cost);
        self.budget.set(left.ok_or_else(|| Fault::new("too many parameters, properties and references"))?);
        Ok(())
    }
}
