//! Invalid arguments of a call.

use std::fmt;

use crate::spec::{Location, Operation, ValueKind, nearest};

/// The most names that a message lists.
const MAX_LISTED: usize = 60;

/// An invalid argument or body of a call. It holds names and never values.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArgumentError {
    /// The resource of the operation. `None` for a raw call, and where the error is not about an operation.
    pub resource: Option<String>,
    /// The `operationId`. `None` as for the resource.
    pub operation: Option<String>,
    /// The argument, where the error is about one.
    pub argument: Option<String>,
    /// What is wrong.
    pub problem: ArgumentErrorKind,
    /// The arguments that the operation accepts.
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
    /// Required arguments are missing.
    #[non_exhaustive]
    Missing {
        /// The arguments.
        arguments: Vec<AcceptedArgument>,
        /// The media type of a body that is missing as a whole.
        body: Option<String>,
    },
    /// The value has the wrong type.
    #[non_exhaustive]
    WrongType {
        /// The expected type.
        expected: ValueKind,
        /// The type of the value, in words: `an array`.
        found: &'static str,
    },
    /// A query parameter is neither a string nor a number nor a boolean.
    NotScalar,
    /// A parameter has nested arrays or objects, which a URL or a header cannot hold.
    Nested,
    /// A form field has nested values.
    NestedInForm,
    /// A value cannot be serialized as JSON.
    NotJson,
    /// The value for several arguments is not an object.
    NotAnObject,
    /// The arguments of a typed operation are not the fields of a struct.
    NotAStruct,
    /// A form is not an object.
    FormNotAnObject,
    /// The operation takes no body.
    NoBody,
    /// The operation takes no files.
    NoFiles,
    /// The argument is a file, but a value was passed.
    IsFile,
    /// The whole body is set already, so no argument can be added to it.
    BodyAlreadySet,
    /// The body is set both as a whole and by fields.
    BodySetTwice,
    /// A body of this media type cannot be built from named arguments.
    UnsupportedMediaType(String),
    /// A call sets the media type of a multipart body.
    MultipartMediaType,
    /// A raw call has named arguments.
    RawCall,
    /// The arguments of a typed operation differ from the specification.
    #[non_exhaustive]
    Mismatch {
        /// Arguments that are not in the specification.
        unknown: Vec<String>,
        /// Required arguments that the type does not have.
        missing: Vec<String>,
    },
}

/// An argument that an operation accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AcceptedArgument {
    /// Its name.
    pub name: String,
    /// The location of the parameter. `None` for a property of the body.
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
                write!(f, "unknown argument {}{suggestion}", nearest::quoted(name))
            }
            ArgumentErrorKind::Missing { arguments, body } => {
                let body = body.iter().map(|media_type| format!("the body ({media_type})"));
                let missing: Vec<_> = arguments.iter().map(ToString::to_string).chain(body).collect();
                write!(f, "missing: {}", missing.join(", "))
            }
            ArgumentErrorKind::WrongType { expected, found } => {
                write!(f, "{name}: expected {}, found {found}", in_words(*expected))
            }
            ArgumentErrorKind::NotScalar => {
                write!(f, "{name}: a query parameter must be a string, a number or a boolean")
            }
            ArgumentErrorKind::Nested => {
                write!(f, "{name}: a parameter cannot hold nested values; pass it as a string")
            }
            ArgumentErrorKind::NestedInForm => write!(f, "{name}: a form field cannot hold nested values"),
            ArgumentErrorKind::NotJson => f.write_str("a value cannot be serialized as JSON"),
            ArgumentErrorKind::NotAnObject => f.write_str("the arguments must serialize as an object"),
            ArgumentErrorKind::NotAStruct => f.write_str("the arguments must be the fields of a struct"),
            ArgumentErrorKind::FormNotAnObject => f.write_str("a form must serialize as an object"),
            ArgumentErrorKind::NoBody => f.write_str("the operation takes no body"),
            ArgumentErrorKind::NoFiles => write!(f, "{name}: the operation takes no files"),
            ArgumentErrorKind::IsFile => write!(f, "{name} is a file: pass it with `file`"),
            ArgumentErrorKind::BodyAlreadySet => {
                write!(f, "{name} cannot be added: the whole body is set already")
            }
            ArgumentErrorKind::BodySetTwice => f.write_str("the body is set both as a whole and by fields"),
            ArgumentErrorKind::UnsupportedMediaType(media_type) => write!(
                f,
                "a body of {media_type} has no named arguments: pass it with `body_bytes` or `body_stream`"
            ),
            ArgumentErrorKind::MultipartMediaType => {
                f.write_str("the media type of a multipart body cannot be set")
            }
            ArgumentErrorKind::RawCall => f.write_str(
                "a raw call has no named arguments: pass a query with `query`, a body with `body_json`",
            ),
            ArgumentErrorKind::Mismatch { unknown, missing } => {
                let unknown = unknown.iter().map(|name| format!("has no argument {name}"));
                let missing = missing.iter().map(|name| format!("requires {name}"));
                f.write_str(&unknown.chain(missing).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Whether the message of the problem ends its own sentence, as a suggestion does.
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
