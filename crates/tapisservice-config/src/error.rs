//! Violations of a configuration (C7).

use std::fmt;
use std::process::ExitCode;

use tapisservice_core::{Error, ServiceError};

use crate::{ValueOrigin, pointer};

/// The exit code of a process whose configuration is invalid: `EX_CONFIG` of `sysexits.h` (C7, F26).
pub const EXIT_CODE: u8 = 78;

/// All violations of a configuration.
///
/// [`Display`](fmt::Display) writes one line per violation. No line contains a value, secret or not.
///
/// ```
/// use tapisservice_config::Config;
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Settings {
///     page_size: u16,
///     sql_db_url: String,
/// }
///
/// let error = Config::loader()
///     .settings::<Settings>()
///     .default_config_path("does-not-exist.json")
///     .environment([("page_size", "many")])
///     .load()
///     .unwrap_err();
/// assert!(error.violations().iter().any(|violation| violation.pointer() == "/page_size"));
/// assert!(error.violations().iter().any(|violation| violation.pointer() == "/sql_db_url"));
/// assert!(!error.to_string().contains("many"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    violations: Vec<Violation>,
}

impl ConfigError {
    /// The violations, ordered by pointer; never empty.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What `main` returns after it has printed the error: [`EXIT_CODE`].
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(EXIT_CODE)
    }

    /// All violations of these errors; of several at one place, the first.
    ///
    /// # Errors
    ///
    /// When one of them is an error.
    pub fn all(results: impl IntoIterator<Item = Result<(), Self>>) -> Result<(), Self> {
        let mut violations: Vec<Violation> = Vec::new();
        for error in results.into_iter().filter_map(Result::err) {
            let new: Vec<_> =
                error.violations.into_iter().filter(|violation| violation.is_new(&violations)).collect();
            violations.extend(new);
        }
        if violations.is_empty() { Ok(()) } else { Err(Self::new(violations)) }
    }

    pub(crate) fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    /// Orders the violations and removes duplicates.
    pub(crate) fn new(mut violations: Vec<Violation>) -> Self {
        debug_assert!(!violations.is_empty(), "an error has a reason");
        violations.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        violations.dedup();
        Self { violations }
    }
}

impl From<Violation> for ConfigError {
    fn from(violation: Violation) -> Self {
        Self { violations: vec![violation] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.violations.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Where a handler reads settings: the caller learns no more than that the service is misconfigured.
impl ServiceError for ConfigError {
    fn to_error(&self) -> Error {
        Error::service_config("The service is misconfigured.")
    }
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pointer: String,
    message: Box<str>,
    origin: Option<ValueOrigin>,
    remedy: Option<Box<str>>,
    /// The pointer of what has to be right for this to be one.
    depends_on: Option<Box<str>>,
}

impl Violation {
    /// The JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)) of the value; of the place
    /// where it belongs when it is missing; empty if a file or a schema as a whole is invalid.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What was expected, and the kind of what was found; never a value.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where the value came from; `None` if it is missing.
    pub fn origin(&self) -> Option<&ValueOrigin> {
        self.origin.as_ref()
    }

    /// What to do, if the origin does not say it.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    /// States that the violation depends on another key: it is not reported if that key has a violation of its own.
    #[must_use]
    pub fn depends_on(mut self, key: &str) -> Self {
        self.depends_on = Some(pointer::member("", key).into());
        self
    }

    /// Whether nothing among `known` says the same, or what has to be mended first.
    pub(crate) fn is_new(&self, known: &[Self]) -> bool {
        known.iter().filter(|known| !known.pointer.is_empty()).all(|known| {
            let (at, known) = (self.pointer.as_str(), known.pointer.as_str());
            let overlaps = |at: &str| pointer::is_within(at, known) || pointer::is_within(known, at);
            !overlaps(at) && !self.depends_on.as_deref().is_some_and(overlaps)
        })
    }

    pub(crate) fn new(
        pointer: impl Into<String>,
        message: impl Into<String>,
        origin: Option<ValueOrigin>,
    ) -> Self {
        Self {
            pointer: pointer.into(),
            message: message.into().into(),
            origin,
            remedy: None,
            depends_on: None,
        }
    }

    /// A violation of a file or a schema as a whole.
    pub(crate) fn of_source(origin: ValueOrigin, message: impl Into<String>) -> Self {
        Self::new("", message, Some(origin))
    }

    pub(crate) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into().into());
        self
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (&self.origin, self.pointer.as_str()) {
            (Some(origin), "") => format!("{origin}: {}", self.message),
            (None, "") => self.message.to_string(),
            (Some(origin), pointer) => format!("{pointer}: {} (from {origin})", self.message),
            (None, pointer) => format!("{pointer}: {}", self.message),
        };
        write_line(f, &text)?;
        if let Some(remedy) = &self.remedy {
            f.write_str("; ")?;
            write_line(f, remedy)?;
        }
        Ok(())
    }
}

/// Control characters in keys, names and paths are escaped: a violation is one line.
fn write_line(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for part in text.split_inclusive(char::is_control) {
        let plain = part.trim_end_matches(char::is_control);
        write!(f, "{plain}{}", part[plain.len()..].escape_debug())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_line() {
        let violation = Violation::new("/a\nb", "expected a string", None).with_remedy("set it in a\rb");
        assert_eq!(violation.to_string(), "/a\\nb: expected a string; set it in a\\rb");
    }

    #[test]
    fn faults_are_ordered_and_said_once() {
        let violation = |p: &str| Violation::new(p, "required", None);
        let error = ConfigError::new(vec![violation("/b"), violation("/a"), violation("/b")]);
        assert_eq!(error.to_string(), "/a: required\n/b: required");
    }
}
