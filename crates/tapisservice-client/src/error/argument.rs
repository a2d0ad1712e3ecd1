//! Arguments that do not fit what is called.

use std::fmt;

use crate::spec::{Location, Operation, ValueKind, nearest};

/// The most names that a text lists.
const MAX_LISTED: usize = 60;

/// An argument, or a body, that does not fit what is called. It holds names and never values.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArgumentError {
    /// The resource of the operation; `None` for a raw call and where no operation is to blame.
    pub resource: Option<String>,
    /// The `operationId`; `None` as for the resource.
    pub operation: Option<String>,
    /// The argument, where one is to blame.
    pub argument: Option<String>,
    /// What is wrong.
    pub problem: ArgumentErrorKind,
    /// What the operation takes.
    pub accepted: Vec<AcceptedArgument>,
}

/// What is wrong with an argument or a body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentErrorKind {
    /// The operation has no argument of this name.
    #[non_exhaustive]
    Unknown {
        /// The most similar name, if one is similar enough.
        nearest: Option<String>,
    },
    /// Something that the operation requires is missing.
    #[non_exhaustive]
    Missing {
        /// The arguments.
        arguments: Vec<AcceptedArgument>,
        /// The media type of a body that is missing as a whole.
        body: Option<String>,
    },
    /// The value is of another kind than the argument takes.
    #[non_exhaustive]
    WrongType {
        /// What the argument takes.
        expected: ValueKind,
        /// What it was given, in words and without the value: `an array`.
        found: &'static str,
    },
    /// A query parameter is neither a string nor a number nor a boolean.
    NotScalar,
    /// A parameter nests arrays or objects, which cannot be written in a URL or a header.
    Nested,
    /// A field of a form nests too deeply.
    NestedInForm,
    /// A value cannot be written as JSON.
    NotJson,
    /// Arguments given at once are not an object.
    NotAnObject,
    /// The arguments of a typed operation are not the fields of a struct.
    NotAStruct,
    /// A form is not an object.
    FormNotAnObject,
    /// The operation takes no body.
    NoBody,
    /// The operation takes no files.
    NoFiles,
    /// The argument is a file, and was given as a value.
    IsFile,
    /// The body is given as a whole, so that this argument cannot be added to it.
    BodyAlreadySet,
    /// The body is given both as a whole and in parts.
    BodySetTwice,
    /// A body of this media type is not made of named arguments.
    UnsupportedMediaType(String),
    /// The media type of a multipart body is set by a call.
    MultipartMediaType,
    /// A raw call has named arguments.
    RawCall,
    /// The arguments of a typed operation differ from the specification.
    #[non_exhaustive]
    Mismatch {
        /// Arguments that the specification does not have.
        unknown: Vec<String>,
        /// Arguments that it requires and the type does not have.
        missing: Vec<String>,
    },
}

/// An argument that an operation takes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcceptedArgument {
    /// Its name.
    pub name: String,
    /// Where the parameter goes; `None` for a property of the body.
    pub location: Option<Location>,
}

impl AcceptedArgument {
    pub(crate) fn parameter(name: &str, location: Location) -> Self {
        Self { name: name.to_owned(), location: Some(location) }
    }

    pub(crate) fn property(name: &str) -> Self {
        Self { name: name.to_owned(), location: None }
    }
}

impl ArgumentError {
    pub(crate) fn new(problem: ArgumentErrorKind) -> Self {
        Self { resource: None, operation: None, argument: None, problem, accepted: Vec::new() }
    }

    pub(crate) fn for_argument(self, name: &str) -> Self {
        Self { argument: Some(name.to_owned()), ..self }
    }

    pub(crate) fn for_operation(self, operation: &Operation, accepted: Vec<AcceptedArgument>) -> Self {
        Self {
            resource: Some(operation.resource.to_string()),
            operation: Some(operation.operation_id.clone()),
            accepted,
            ..self
        }
    }

    fn write_problem(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.argument.as_deref().unwrap_or("the argument");
        match &self.problem {
            ArgumentErrorKind::Unknown { nearest } => {
                let suggestion = nearest::suggestion(nearest.as_deref());
                write!(f, "it has no argument {}{suggestion}", nearest::quoted(name))
            }
            ArgumentErrorKind::Missing { arguments, body } => {
                let body = body.iter().map(|media_type| format!("the body ({media_type})"));
                let missing: Vec<_> = arguments.iter().map(ToString::to_string).chain(body).collect();
                write!(f, "missing: {}", missing.join(", "))
            }
            ArgumentErrorKind::WrongType { expected, found } => {
                write!(f, "{name} takes {}, not {found}", in_words(*expected))
            }
            ArgumentErrorKind::NotScalar => {
                write!(f, "{name}: a query takes strings, numbers and booleans")
            }
            ArgumentErrorKind::Nested => {
                write!(f, "the value of {name} nests, which no parameter can: give it as text")
            }
            ArgumentErrorKind::NestedInForm => write!(f, "the value of {name} nests too deeply for a form"),
            ArgumentErrorKind::NotJson => f.write_str("a value cannot be written as JSON"),
            ArgumentErrorKind::NotAnObject => f.write_str("arguments given at once are an object"),
            ArgumentErrorKind::NotAStruct => f.write_str("arguments are the fields of a struct"),
            ArgumentErrorKind::FormNotAnObject => f.write_str("a form is an object of fields"),
            ArgumentErrorKind::NoBody => f.write_str("it takes no body"),
            ArgumentErrorKind::NoFiles => write!(f, "it takes no files, so {name} cannot be one"),
            ArgumentErrorKind::IsFile => write!(f, "{name} is a file: give it by `file`"),
            ArgumentErrorKind::BodyAlreadySet => {
                write!(f, "the body is given whole, so {name} cannot be added to it")
            }
            ArgumentErrorKind::BodySetTwice => f.write_str("the body is given both whole and in parts"),
            ArgumentErrorKind::UnsupportedMediaType(media_type) => write!(
                f,
                "a body of {media_type} is not made of named arguments: give it by `body_bytes` or `body_stream`"
            ),
            ArgumentErrorKind::MultipartMediaType => {
                f.write_str("the media type of a multipart body is not for calls to set")
            }
            ArgumentErrorKind::RawCall => f.write_str(
                "a raw call has no named arguments: give a query by `query`, a body by `body_json`",
            ),
            ArgumentErrorKind::Mismatch { unknown, missing } => {
                let unknown = unknown.iter().map(|name| format!("takes no {name}"));
                let missing = missing.iter().map(|name| format!("requires {name}"));
                f.write_str(&unknown.chain(missing).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Whether the problem ends its own sentence, as a suggestion does.
    fn ends_sentence(&self) -> bool {
        matches!(self.problem, ArgumentErrorKind::Unknown { .. })
    }
}

impl fmt::Display for ArgumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(resource), Some(operation)) = (&self.resource, &self.operation) else {
            return self.write_problem(f);
        };
        let joint = if matches!(self.problem, ArgumentErrorKind::Mismatch { .. }) { " " } else { ": " };
        write!(f, "{resource}.{operation}{joint}")?;
        self.write_problem(f)?;
        let stop = if self.ends_sentence() { "" } else { "." };
        if self.accepted.is_empty() {
            return write!(f, "{stop} It takes no named arguments");
        }
        let listed: Vec<_> = self.accepted.iter().take(MAX_LISTED).map(ToString::to_string).collect();
        write!(f, "{stop} It takes {}", listed.join(", "))?;
        match self.accepted.len().saturating_sub(MAX_LISTED) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl std::error::Error for ArgumentError {}

impl fmt::Display for AcceptedArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.location {
            Some(location) => write!(f, "{} ({location})", self.name),
            None => write!(f, "{} (body)", self.name),
        }
    }
}

fn in_words(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::String => "a string",
        ValueKind::Integer => "an integer",
        ValueKind::Number => "a number",
        ValueKind::Boolean => "a boolean",
        ValueKind::Array => "an array",
        ValueKind::Object => "an object",
        ValueKind::Any => "any value",
    }
}
