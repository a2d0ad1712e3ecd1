//! Suggestions for misspelt names.

/// The least similarity (Jaro-Winkler) for a suggestion.
const ALIKE: f64 = 0.75;
/// How many names a message lists.
const MAX_LISTED: usize = 80;
/// How many characters of the requested name are quoted.
const MAX_QUOTED: usize = 80;

/// The name most similar to `wanted`, ignoring case, `_` and `-`.
pub(crate) fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = plain(wanted);
    if wanted.is_empty() {
        return None;
    }
    let alike = names.map(|name| (strsim::jaro_winkler(&wanted, &plain(name)), name));
    alike.filter(|(alike, _)| *alike >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
}

/// `; did you mean "getSystem"?`, or a full stop.
pub(crate) fn suggestion(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| ".".to_owned(), |name| format!("; did you mean {}?", quoted(name)))
}

/// A list of the names, up to a limit.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    let listed = names.iter().take(MAX_LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_LISTED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// An untrusted name, shortened and escaped.
pub(crate) fn quoted(name: &str) -> String {
    format!("{:?}", name.chars().take(MAX_QUOTED).collect::<String>())
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).take(MAX_QUOTED).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_underscores_do_not_matter() {
        let names = ["getSystems", "getSystem", "deleteSystem", "create_token"];
        let cases = [
            ("get_system", Some("getSystem")),
            ("GETSYSTEM", Some("getSystem")),
            ("createToken", Some("create_token")),
            ("getSistem", Some("getSystem")),
            ("", None),
            ("___", None),
            ("zzzzzzz", None),
        ];
        for (wanted, meant) in cases {
            assert_eq!(nearest(wanted, names.into_iter()), meant, "{wanted}");
        }
    }

    #[test]
    fn long_lists_and_names_are_cut() {
        let names: Vec<_> = (0..100).map(|n| format!("n{n}")).collect();
        assert!(list(names.iter().map(String::as_str)).ends_with("n79 and 20 more"));
        assert!(quoted(&"x".repeat(10_000)).len() < 100);
    }
}
