//! Operations: what is needed to build and check a request.

use std::fmt;
use std::sync::Arc;

use http::Method;
use serde::{Deserialize, Serialize};

/// One operation of one Tapis service, from its OpenAPI file, without descriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The resource: the name of the service for clients, such as `systems`, `sk`, `globus-proxy`.
    pub resource: Arc<str>,
    /// Its `operationId`, unique within the resource.
    pub operation_id: String,
    /// The method.
    pub method: Method,
    /// The path template, `/v3` included: `/v3/systems/{systemId}`.
    pub path: String,
    /// Path, query, header and cookie parameters.
    pub parameters: Vec<Parameter>,
    /// The request body, if it takes one.
    pub body: Option<RequestBody>,
}

/// A parameter of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// Its name, as it is sent.
    pub name: String,
    /// Where it is sent.
    pub location: Location,
    /// Whether it is required.
    pub required: bool,
    /// How arrays and objects are written (OpenAPI 3.0 section 4.7.12, "Style Values").
    pub style: Style,
    /// Whether the members of an array or object become parameters of their own.
    pub explode: bool,
    /// The type of its value.
    pub kind: ValueKind,
    /// Whether the slashes in its value are kept, as in a trailing path parameter that holds a file path.
    pub allows_slashes: bool,
}

/// Where a parameter goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Location {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        })
    }
}

/// The styles of OpenAPI 3 for parameter values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "named by the OpenAPI specification")]
#[non_exhaustive]
pub enum Style {
    Simple,
    Label,
    Matrix,
    Form,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
}

/// The type of a parameter or a property. `Any` if the specification does not state it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the types of JSON")]
#[non_exhaustive]
pub enum ValueKind {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
    #[default]
    Any,
}

/// The request body of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestBody {
    /// Whether it is required.
    pub required: bool,
    /// The possible media types, the preferred one first.
    pub content: Vec<BodyContent>,
}

/// One media type of a request body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BodyContent {
    /// `application/json`, `multipart/form-data`, ...
    pub media_type: String,
    /// The properties of an object. Empty for a free-form object, an array, a composition or bytes.
    pub properties: Vec<Property>,
    /// Whether other properties are allowed. True if none is listed.
    pub additional_properties: bool,
}

/// A property of an object in a request body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Property {
    /// Its name.
    pub name: String,
    /// Whether it is required.
    pub required: bool,
    /// The type of its value.
    pub kind: ValueKind,
    /// `format: binary`: bytes of a file in a multipart body.
    pub binary: bool,
}

impl Style {
    /// The style of a parameter that names none (OpenAPI 3.0, "Parameter Object").
    pub(super) fn default_for(location: Location) -> Self {
        match location {
            Location::Path | Location::Header => Self::Simple,
            Location::Query | Location::Cookie => Self::Form,
        }
    }

    /// Whether the style is allowed for parameters of the location (OpenAPI 3.0, "Style Values").
    pub(super) fn fits(self, location: Location) -> bool {
        match location {
            Location::Path => matches!(self, Self::Simple | Self::Label | Self::Matrix),
            Location::Query => {
                matches!(self, Self::Form | Self::SpaceDelimited | Self::PipeDelimited | Self::DeepObject)
            }
            Location::Header => self == Self::Simple,
            Location::Cookie => self == Self::Form,
        }
    }
}
