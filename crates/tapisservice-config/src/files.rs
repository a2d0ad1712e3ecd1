//! The two files (C1).

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tapisservice_core::json;

use crate::environment::{Environment, Variable};
use crate::error::Violation;
use crate::origin::{SchemaSource, ValueOrigin};

pub(crate) const CONFIG_PATH: &str = "TAPIS_CONFIG_PATH";
pub(crate) const SCHEMA_PATH: &str = "TAPIS_CONFIGSCHEMA_PATH";

/// Containers within containers that a file may have.
const MAX_DEPTH: usize = 64;

/// The configuration file.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) exists: bool,
    /// Whether it is what a development machine has in place of a deployer's file.
    pub(crate) local: bool,
    pub(crate) value: Map<String, Value>,
}

/// The schema of the service.
#[derive(Debug)]
pub(crate) struct ServiceSchema {
    pub(crate) source: SchemaSource,
    pub(crate) value: Map<String, Value>,
}

/// A configuration to use when there is no file.
#[derive(Debug, Clone)]
pub(crate) struct Fallback {
    pub(crate) name: PathBuf,
    pub(crate) json: String,
}

/// Reads the configuration. When no variable names a file and there is none at the default path, it is
/// the fallback, and without one empty: the environment may hold all there is.
pub(crate) fn read_config(
    environment: &Environment,
    default: &Path,
    fallback: Option<Fallback>,
    local: bool,
) -> Result<ConfigFile, Violation> {
    let named = path_from(environment, CONFIG_PATH)?;
    let path = named.clone().unwrap_or_else(|| default.to_owned());
    let origin = ValueOrigin::File { path: path.clone() };
    match read(&path, named.is_some(), &origin)? {
        Some(bytes) => Ok(ConfigFile {
            value: parse(&bytes, &origin)?,
            path,
            exists: true,
            local: local && named.is_none(),
        }),
        None => without_file(path, fallback, local),
    }
}

fn without_file(path: PathBuf, fallback: Option<Fallback>, local: bool) -> Result<ConfigFile, Violation> {
    let Some(Fallback { name, json }) = fallback else {
        return Ok(ConfigFile { value: Map::new(), path, exists: false, local });
    };
    let value = parse(json.as_bytes(), &ValueOrigin::File { path: name.clone() })?;
    Ok(ConfigFile { value, path: name, exists: true, local })
}

/// Reads the schema: the file a variable names, else the one at the default path, else what is compiled
/// into the service, else an empty one.
pub(crate) fn read_schema(
    environment: &Environment,
    default: &Path,
    embedded: Option<&str>,
) -> Result<ServiceSchema, Violation> {
    let named = path_from(environment, SCHEMA_PATH)?;
    let path = named.clone().unwrap_or_else(|| default.to_owned());
    let source = SchemaSource::File(path.clone());
    let origin = ValueOrigin::Schema { schema: source.clone() };
    if let Some(bytes) = read(&path, named.is_some(), &origin)? {
        return Ok(ServiceSchema { value: parse(&bytes, &origin)?, source });
    }
    let source = SchemaSource::Embedded;
    let origin = ValueOrigin::Schema { schema: source.clone() };
    Ok(ServiceSchema { value: parse(embedded.unwrap_or("{}").as_bytes(), &origin)?, source })
}

fn path_from(environment: &Environment, variable: &str) -> Result<Option<PathBuf>, Violation> {
    let violation = |message: &str| {
        Violation::of_source(ValueOrigin::Environment { variable: variable.to_owned() }, message)
            .with_remedy("set it to the path of a file, or unset it for the default")
    };
    match environment.get(variable) {
        Variable::Set("") => Err(violation("it is set and empty")),
        Variable::Set(path) => Ok(Some(path.into())),
        Variable::NotUnicode => Err(violation("it is not UTF-8")),
        Variable::Unset => Ok(None),
    }
}

fn read(path: &Path, must_exist: bool, origin: &ValueOrigin) -> Result<Option<Vec<u8>>, Violation> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must_exist => Ok(None),
        Err(error) => Err(Violation::of_source(origin.clone(), format!("cannot be read: {error}"))),
    }
}

fn parse(bytes: &[u8], origin: &ValueOrigin) -> Result<Map<String, Value>, Violation> {
    let violation = |message: String| Violation::of_source(origin.clone(), message);
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(
            violation("starts with a byte order mark".to_owned()).with_remedy("save it as UTF-8 without one")
        );
    }
    if bytes.trim_ascii().is_empty() {
        return Err(violation("expected a JSON object, found nothing: it is empty".to_owned()));
    }
    match json::parse(bytes, MAX_DEPTH) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(other) => {
            let found = crate::expected::with_article(crate::schema_node::kind_of(&other));
            Err(violation(format!("expected a JSON object, found {found}")))
        }
        Err(error) => {
            let violation = violation(format!("is not valid JSON: {error}"));
            let bare = is_bare_reference(bytes, error.line(), error.column());
            Err(if bare { violation.with_remedy("write $env{NAME} inside double quotes") } else { violation })
        }
    }
}

/// Whether the fault at this line and column is a `$env{` outside a string.
fn is_bare_reference(bytes: &[u8], line: usize, column: usize) -> bool {
    let text = bytes.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
    text.get(column.saturating_sub(1)..).is_some_and(|rest| rest.starts_with(b"$env{"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &[u8]) -> String {
        parse(text, &ValueOrigin::File { path: "c.json".into() }).unwrap_err().to_string()
    }

    #[test]
    fn every_bad_file_has_its_own_line() {
        let cases: &[(&[u8], &str)] = &[
            (b"\xef\xbb\xbf{}", "byte order mark"),
            (b" \n", "it is empty"),
            (b"[]", "found an array"),
            (b"\"x\"", "found a string"),
            (b"{\"a\": 1, \"a\": 2}", "duplicate member \"a\""),
            (b"{\"a\": \"\xe9\"}", "invalid UTF-8"),
            (b"{\"a\": NaN}", "line 1"),
            (b"{\n\"port\": $env{PORT}}", "inside double quotes"),
            (b"{\"a\": 1,}", "trailing comma"),
        ];
        for (text, expected) in cases {
            let said = said(text);
            assert!(said.contains(expected) && said.contains("c.json") && !said.contains('\n'), "{said}");
        }
        assert!(!said(b"{\"a\": NaN}").contains("quotes"));
    }
}
