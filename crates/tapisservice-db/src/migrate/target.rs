//! The targets of `upgrade` and `downgrade`.

use std::str::FromStr;

/// The target of `upgrade`: `head`, or the version to apply last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Upgrade {
    /// All migrations.
    #[default]
    Head,
    /// Up to and including this migration.
    To(i64),
}

/// The target of `downgrade`: `-1` (or another number of steps), `base`, or the version that stays applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Downgrade {
    /// This number of migrations.
    Steps(u32),
    /// Down to this migration, which stays applied.
    To(i64),
    /// All migrations.
    Base,
}

impl Default for Downgrade {
    fn default() -> Self {
        Self::Steps(1)
    }
}

/// The text is not a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct InvalidTarget(&'static str);

impl FromStr for Upgrade {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        if text == "head" {
            return Ok(Self::Head);
        }
        let version = text.parse().ok().filter(|version| *version > 0);
        version.map(Self::To).ok_or(InvalidTarget("`head` or the version of a migration"))
    }
}

impl FromStr for Downgrade {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        const EXPECTED: InvalidTarget = InvalidTarget("`-1`, `base` or the version of a migration");
        if text == "base" {
            return Ok(Self::Base);
        }
        if let Some(steps) = text.strip_prefix('-') {
            let steps = steps.parse().ok().filter(|steps| *steps > 0);
            return steps.map(Self::Steps).ok_or(EXPECTED);
        }
        text.parse().ok().filter(|version| *version > 0).map(Self::To).ok_or(EXPECTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_words_versions_or_steps() {
        assert_eq!("head".parse(), Ok(Upgrade::Head));
        assert_eq!("20261101000000".parse(), Ok(Upgrade::To(20_261_101_000_000)));
        assert_eq!("base".parse(), Ok(Downgrade::Base));
        assert_eq!("-2".parse(), Ok(Downgrade::Steps(2)));
        assert_eq!("7".parse(), Ok(Downgrade::To(7)));
        for wrong in ["", "0", "-0", "--1", "heads", "1.5", "+"] {
            assert!(wrong.parse::<Upgrade>().is_err(), "{wrong}");
            assert!(wrong.parse::<Downgrade>().is_err(), "{wrong}");
        }
    }
}
