//! Where a value came from (C7).

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::pointer;

/// Where a value of the configuration came from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueOrigin {
    /// It stands in the configuration file.
    File {
        /// The path of the file.
        path: PathBuf,
    },
    /// It is the text of an environment variable (C6).
    Environment {
        /// The name of the variable.
        variable: String,
    },
    /// It stands in the configuration file as text with `$env{NAME}` in it (C5).
    Substitution {
        /// The path of the file.
        path: PathBuf,
        /// The names of the variables.
        variables: Vec<String>,
    },
    /// It is the default of a schema (C4).
    Default {
        /// The schema that states the default.
        schema: SchemaSource,
    },
    /// It is a fault of the schema itself.
    Schema {
        /// The schema at fault.
        schema: SchemaSource,
    },
}

/// Which schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SchemaSource {
    /// The framework's own (C2).
    Base,
    /// The service's, compiled into its binary.
    Embedded,
    /// The service's, read from a file.
    File(PathBuf),
}

impl fmt::Display for ValueOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path } => write!(f, "the file {}", path.display()),
            Self::Environment { variable } => write!(f, "the environment variable {variable}"),
            Self::Substitution { path, variables } => {
                for variable in variables {
                    write!(f, "$env{{{variable}}}, ")?;
                }
                write!(f, "used in the file {}", path.display())
            }
            Self::Default { schema } => write!(f, "the default in {schema}"),
            Self::Schema { schema } => schema.fmt(f),
        }
    }
}

impl fmt::Display for SchemaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("the framework's base schema"),
            Self::Embedded => f.write_str("the schema compiled into the service"),
            Self::File(path) => write!(f, "the schema {}", path.display()),
        }
    }
}

/// The origin of every part of a document; a part without its own has that of what it lies in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origins(BTreeMap<String, ValueOrigin>);

impl Origins {
    pub(crate) fn set(&mut self, pointer: impl Into<String>, origin: ValueOrigin) {
        self.0.insert(pointer.into(), origin);
    }

    pub(crate) fn of(&self, pointer: &str) -> Option<&ValueOrigin> {
        pointer::ancestors(pointer).find_map(|p| self.0.get(p))
    }
}
