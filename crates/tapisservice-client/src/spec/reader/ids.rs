//! Operation ids: made where there is none, and told apart where several operations have the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Found;
use crate::spec::index::SharedId;
use crate::spec::operation::Operation;
use http::Method;

/// Gives every operation an id of its own, and sorts by it.
pub(super) fn settle(resource: &Arc<str>, found: Vec<Found>) -> (Vec<Operation>, Vec<SharedId>) {
    let mut count = BTreeMap::new();
    for id in found.iter().filter_map(|found| found.id.clone()) {
        *count.entry(id).or_insert(0_usize) += 1;
    }
    let mut taken: BTreeSet<String> =
        count.iter().filter(|(_, times)| **times == 1).map(|(id, _)| id.clone()).collect();
    let mut shared: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut operations = Vec::with_capacity(found.len());
    for Found { id, mut operation } in found {
        operation.operation_id = match id {
            Some(id) if count.get(&id) == Some(&1) => id,
            id => {
                let made = fresh(&operation, &mut taken);
                if let Some(id) = id {
                    shared.entry(id).or_default().push(made.clone());
                }
                made
            }
        };
        operation.resource = Arc::clone(resource);
        operations.push(operation);
    }
    operations.sort_by(|a, b| a.operation_id.cmp(&b.operation_id));
    (operations, shared.into_iter().map(|(id, instead)| SharedId { id, instead }).collect())
}

fn fresh(operation: &Operation, taken: &mut BTreeSet<String>) -> String {
    let made = made(&operation.method, &operation.path);
    let mut id = made.clone();
    let mut number = 2_usize;
    while !taken.insert(id.clone()) {
        id = format!("{made}_{number}");
        number += 1;
    }
    id
}

/// `get_systems_systemId` for `GET /v3/systems/{systemId}`.
fn made(method: &Method, path: &str) -> String {
    let words =
        path.trim_start_matches("/v3").split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    std::iter::once(method.as_str().to_ascii_lowercase().as_str()).chain(words).collect::<Vec<_>>().join("_")
}
