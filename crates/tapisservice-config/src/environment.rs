//! The environment, read once. No other crate of the framework reads it.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// The variables a configuration may refer to.
#[derive(Clone)]
pub(crate) struct Environment(BTreeMap<String, Text>);

#[derive(Clone)]
enum Text {
    Unicode(String),
    Other,
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variable<'a> {
    Set(&'a str),
    Unset,
    /// It is set to bytes that are not UTF-8.
    NotUnicode,
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the environment")]
    pub(crate) fn of_process() -> Self {
        // `std::env::vars` panics on text that is not Unicode, and one such variable is none of our business.
        Self::from_os(std::env::vars_os())
    }

    pub(crate) fn from_os(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let entry = |(name, text): (OsString, OsString)| {
            Some((name.into_string().ok()?, text.into_string().map_or(Text::Other, Text::Unicode)))
        };
        Self(variables.into_iter().filter_map(entry).collect())
    }

    /// The names of all variables.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn get(&self, name: &str) -> Variable<'_> {
        match self.0.get(name) {
            Some(Text::Unicode(text)) => Variable::Set(text),
            Some(Text::Other) => Variable::NotUnicode,
            None => Variable::Unset,
        }
    }
}

impl<N: Into<String>, T: Into<String>> FromIterator<(N, T)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, text)| (name.into(), Text::Unicode(text.into()))).collect())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt as _;

    #[test]
    fn a_variable_that_is_not_unicode_is_known_as_such() {
        let environment = Environment::from_os([("A".into(), OsString::from_vec(vec![0xff]))]);
        assert_eq!(environment.get("A"), Variable::NotUnicode);
        assert_eq!(environment.get("B"), Variable::Unset);
    }
}
