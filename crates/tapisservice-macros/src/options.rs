//! The attributes of the derives.

use syn::{Attribute, LitStr, Path, Result};

/// What `#[db(..)]` or `#[from_ref(..)]` says of a struct or a field.
#[derive(Default)]
pub(crate) struct Options {
    /// Where the crate of the macro's code is.
    pub(crate) krate: Option<Path>,
    /// The name of the column.
    pub(crate) rename: Option<LitStr>,
    /// Whether the field is left out.
    pub(crate) skip: bool,
}

/// The options in the attributes called `name`.
pub(crate) fn options(attributes: &[Attribute], name: &str) -> Result<Options> {
    let mut options = Options::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident(name)) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                options.krate = Some(meta.value()?.parse::<LitStr>()?.parse()?);
            } else if meta.path.is_ident("rename") && name == "db" {
                options.rename = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("skip") && name == "from_ref" {
                options.skip = true;
            } else {
                let expected = if name == "db" { "`rename = \"column\"`" } else { "`skip`" };
                return Err(meta.error(format_args!("expected {expected} or `crate = \"path\"`")));
            }
            Ok(())
        })?;
    }
    Ok(options)
}
