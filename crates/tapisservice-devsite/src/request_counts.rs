//! Counts the requests for each path.

use std::collections::BTreeMap;

use parking_lot::{Mutex, MutexGuard};

/// The maximum number of distinct paths, which bounds the memory of a long session.
const MAX_PATHS: usize = 10_000;

/// Requests per `METHOD /path`.
#[derive(Debug, Default)]
pub(crate) struct RequestCounts(Mutex<BTreeMap<String, u64>>);

impl RequestCounts {
    pub(crate) fn record(&self, request: &str) {
        let mut counts = self.lock();
        if let Some(count) = counts.get_mut(request) {
            *count += 1;
        } else if counts.len() < MAX_PATHS {
            counts.insert(request.to_owned(), 1);
        }
    }

    pub(crate) fn of(&self, request: &str) -> u64 {
        self.lock().get(request).copied().unwrap_or(0)
    }

    pub(crate) fn all(&self) -> BTreeMap<String, u64> {
        self.lock().clone()
    }

    pub(crate) fn reset(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.lock()
    }
}
