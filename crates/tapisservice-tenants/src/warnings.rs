//! Warnings about the records of a registry, in bounded number.

/// The maximum number of warnings that are kept and logged.
const MAX_KEPT: usize = 100;

/// Distinct warnings. Beyond the first hundred they are only counted.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    kept: Vec<String>,
    omitted: usize,
}

impl Warnings {
    pub(crate) fn add(&mut self, warning: String) {
        if self.kept.contains(&warning) {
            return;
        }
        if self.kept.len() < MAX_KEPT {
            self.kept.push(warning);
        } else {
            self.omitted += 1;
        }
    }

    pub(crate) fn kept(&self) -> &[String] {
        &self.kept
    }

    pub(crate) fn omitted(&self) -> usize {
        self.omitted
    }
}
