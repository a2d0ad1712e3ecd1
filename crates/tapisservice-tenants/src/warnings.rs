//! Warnings about the records of a registry, in bounded number.

/// The maximum number of warnings that are kept and logged.
const MAX_WARNINGS: usize = 100;

/// Distinct warnings. Beyond the first hundred they are only counted.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    warnings: Vec<String>,
    omitted: usize,
}

impl Warnings {
    pub(crate) fn add(&mut self, warning: String) {
        if self.warnings.contains(&warning) {
            return;
        }
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(warning);
        } else {
            self.omitted += 1;
        }
    }

    pub(crate) fn as_slice(&self) -> &[String] {
        &self.warnings
    }

    pub(crate) fn omitted(&self) -> usize {
        self.omitted
    }
}
