//! What the error mapper makes of error types the framework does not know.

use std::any::type_name;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use tapisservice_core::{Error, ErrorKind};

type Source = dyn StdError + Send + Sync + 'static;
type Mapping = Arc<dyn Fn(&Source) -> Option<Error> + Send + Sync>;

/// A service's own translations, by type.
#[derive(Clone, Default)]
pub(crate) struct ErrorMap(Vec<(&'static str, Mapping)>);

impl ErrorMap {
    pub(crate) fn add<E: StdError + 'static>(&mut self, map: impl Fn(&E) -> Error + Send + Sync + 'static) {
        let mapping: Mapping = Arc::new(move |source| source.downcast_ref::<E>().map(&map));
        self.0.push((type_name::<E>(), mapping));
    }

    /// The translation of an unrecognized error whose type is known here.
    pub(crate) fn translate(&self, error: &Error) -> Option<Error> {
        if error.kind() != ErrorKind::Unrecognized {
            return None;
        }
        let source = error.source()?;
        self.0.iter().find_map(|(_, mapping)| mapping(source))
    }
}

impl fmt::Debug for ErrorMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
