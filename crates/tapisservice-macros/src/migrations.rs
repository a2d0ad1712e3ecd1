//! The files of a folder as a migrator.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitStr, Result, Token};

/// What `migrations!` passes on: the path of the crate that has the migrator, and the folder.
struct Input {
    krate: syn::Path,
    folder: LitStr,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let krate = input.call(syn::Path::parse_mod_style)?;
        input.parse::<Token![,]>()?;
        let folder =
            if input.is_empty() { LitStr::new("migrations", input.span()) } else { input.parse()? };
        Ok(Self { krate, folder })
    }
}

/// The two files of a migration.
#[derive(Default)]
struct Files {
    name: String,
    up: Option<PathBuf>,
    down: Option<PathBuf>,
}

pub(super) fn embed(input: TokenStream) -> Result<TokenStream> {
    let Input { krate, folder } = syn::parse2(input)?;
    let error = |message: String| Error::new(folder.span(), message);
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells macros by the environment where the package is"
    )]
    let package =
        std::env::var("CARGO_MANIFEST_DIR").map_err(|_| error("expected to be built by cargo".to_owned()))?;
    let path = Path::new(&package).join(folder.value());
    let migrations = read(&path).map_err(error)?;
    let migrations = migrations.into_iter().map(|(version, Files { name, up, down })| {
        let text = |path: Option<PathBuf>| path.unwrap_or_default().to_string_lossy().into_owned();
        let (description, up, down) = (name.replace('_', " "), text(up), text(down));
        // The compiler watches included files. Of a new one it learns when the crate is built the next time.
        quote! { (#version, #description, ::core::include_str!(#up), ::core::include_str!(#down)) }
    });
    Ok(quote! { #krate::migrate::Migrator::embedded(&[#(#migrations),*]) })
}

/// The migrations of a folder by version. Every fault of a name is told with what is expected.
fn read(folder: &Path) -> std::result::Result<BTreeMap<i64, Files>, String> {
    let place = folder.display();
    let cannot = |error: std::io::Error| format!("the folder {place} cannot be read: {error}");
    let mut migrations = BTreeMap::<i64, Files>::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let Some(file) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some(stem) = file.strip_suffix(".sql") else { continue };
        let expected =
            || format!("{place}/{file}: expected <version>_<name>.up.sql or <version>_<name>.down.sql");
        let (stem, is_up) = match (stem.strip_suffix(".up"), stem.strip_suffix(".down")) {
            (Some(stem), _) => (stem, true),
            (_, Some(stem)) => (stem, false),
            _ => return Err(expected()),
        };
        let (version, name) = stem.split_once('_').ok_or_else(expected)?;
        let version: i64 = version.parse().map_err(|_| expected())?;
        let files = migrations.entry(version).or_default();
        if !files.name.is_empty() && files.name != name {
            return Err(format!(
                "{place}: two migrations have the version {version}: {} and {name}",
                files.name
            ));
        }
        name.clone_into(&mut files.name);
        let slot = if is_up { &mut files.up } else { &mut files.down };
        if slot.replace(path.clone()).is_some() {
            return Err(format!("{place}: two files are the {version}_{name} of one direction"));
        }
    }
    for (version, Files { name, up, down }) in &migrations {
        for (file, direction) in [(up, "up"), (down, "down")] {
            if file.is_none() {
                return Err(format!(
                    "{place}: {version}_{name}.{direction}.sql is missing: every migration can be reverted"
                ));
            }
        }
    }
    Ok(migrations)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_files(files: &[&str]) -> std::result::Result<Vec<(i64, String)>, String> {
        let folder = std::env::temp_dir().join(format!(
            "migrations-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for file in files {
            fs::write(folder.join(file), "SELECT 1;").unwrap();
        }
        let found = read(&folder);
        fs::remove_dir_all(&folder).unwrap();
        let found =
            found.map(|found| found.into_iter().map(|(version, files)| (version, files.name)).collect());
        found.map_err(|text| text.replace(&folder.display().to_string(), "migrations"))
    }

    #[test]
    fn pairs_are_read_in_the_order_of_their_versions() {
        let files = ["20_b.up.sql", "20_b.down.sql", "3_a_c.down.sql", "3_a_c.up.sql", "README.md"];
        assert_eq!(read_files(&files).unwrap(), [(3, "a_c".to_owned()), (20, "b".to_owned())]);
        assert_eq!(read_files(&[]).unwrap(), []);
    }

    #[test]
    fn a_file_that_is_no_half_of_a_pair_is_told() {
        for (files, told) in [
            (&["1_a.up.sql"][..], "migrations: 1_a.down.sql is missing: every migration can be reverted"),
            (&["1_a.down.sql"], "migrations: 1_a.up.sql is missing: every migration can be reverted"),
            (&["a.sql"], "migrations/a.sql: expected <version>_<name>.up.sql or <version>_<name>.down.sql"),
            (
                &["x_a.up.sql"],
                "migrations/x_a.up.sql: expected <version>_<name>.up.sql or <version>_<name>.down.sql",
            ),
            (
                &["1.up.sql"],
                "migrations/1.up.sql: expected <version>_<name>.up.sql or <version>_<name>.down.sql",
            ),
        ] {
            assert_eq!(read_files(files).unwrap_err(), told);
        }
        let told = read_files(&["1_a.up.sql", "1_b.up.sql"]).unwrap_err();
        assert!(told.starts_with("migrations: two migrations have the version 1: "), "{told}");
    }
}
