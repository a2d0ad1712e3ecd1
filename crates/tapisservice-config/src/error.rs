//! Faults of a configuration (C7).

use std::fmt;
use std::process::ExitCode;

use crate::Origin;

/// The exit code of a process whose configuration is at fault: `EX_CONFIG` of `sysexits.h` (C7, F26).
pub const EXIT_CODE: u8 = 78;

/// Everything that is wrong with a configuration, every fault at once.
///
/// [`Display`](fmt::Display) writes one line per fault. No line holds a value, secret or not.
///
/// ```
/// use tapisservice_config::Config;
///
/// let error = Config::loader()
///     .default_config_path("does-not-exist.json")
///     .environment([("log_level", "LOUD"), ("service_name", "bookmarks")])
///     .load()
///     .unwrap_err();
/// assert!(error.faults().iter().any(|fault| fault.pointer() == "/log_level"));
/// assert!(error.faults().iter().any(|fault| fault.pointer() == "/tenants"));
/// assert!(!error.to_string().contains("LOUD"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    faults: Vec<Fault>,
}

impl ConfigError {
    /// The faults, ordered by pointer; never empty.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// What `main` returns after it has printed the error: [`EXIT_CODE`].
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(EXIT_CODE)
    }

    /// Orders the faults and leaves out repetitions.
    pub(crate) fn new(mut faults: Vec<Fault>) -> Self {
        debug_assert!(!faults.is_empty(), "an error has a reason");
        faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        faults.dedup();
        Self { faults }
    }
}

impl From<Fault> for ConfigError {
    fn from(fault: Fault) -> Self {
        Self { faults: vec![fault] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pointer: String,
    message: String,
    origin: Option<Origin>,
    remedy: Option<String>,
}

impl Fault {
    /// The JSON pointer ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)) of the value; of the place
    /// where it belongs when it is missing; empty when a file or a schema as a whole is at fault.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What was expected, and the kind of what was found; never a value.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where the value came from; `None` when it is missing.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// What to do, where the origin does not say it already.
    pub fn remedy(&self) -> Option<&str> {
        self.remedy.as_deref()
    }

    pub(crate) fn new(
        pointer: impl Into<String>,
        message: impl Into<String>,
        origin: Option<Origin>,
    ) -> Self {
        Self { pointer: pointer.into(), message: message.into(), origin, remedy: None }
    }

    /// A fault of a file or a schema as a whole.
    pub(crate) fn of_source(origin: Origin, message: impl Into<String>) -> Self {
        Self::new("", message, Some(origin))
    }

    pub(crate) fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match (&self.origin, self.pointer.as_str()) {
            (Some(origin), "") => format!("{origin}: {}", self.message),
            (None, "") => self.message.clone(),
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

/// Control characters in keys, names and paths are escaped: a fault is one line.
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
        let fault = Fault::new("/a\nb", "expected a string", None).with_remedy("set it in a\rb");
        assert_eq!(fault.to_string(), "/a\\nb: expected a string; set it in a\\rb");
    }

    #[test]
    fn faults_are_ordered_and_said_once() {
        let fault = |p: &str| Fault::new(p, "missing", None);
        let error = ConfigError::new(vec![fault("/b"), fault("/a"), fault("/b")]);
        assert_eq!(error.to_string(), "/a: missing\n/b: missing");
    }
}
