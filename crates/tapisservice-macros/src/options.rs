//! The attributes of the derives.

use syn::{Attribute, LitStr, Path, Result};

/// What `#[db(..)]` says of a struct or a field.
#[derive(Default)]
pub(crate) struct Options {
    /// Where `tapisservice::db` is.
    pub(crate) krate: Option<Path>,
    /// The name of the column.
    pub(crate) rename: Option<LitStr>,
}

pub(crate) fn options(attributes: &[Attribute]) -> Result<Options> {
    let mut options = Options::default();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("db")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("crate") {
                options.krate = Some(meta.value()?.parse::<LitStr>()?.parse()?);
            } else if meta.path.is_ident("rename") {
                options.rename = Some(meta.value()?.parse()?);
            } else {
                return Err(meta.error("expected `rename = \"column\"` or `crate = \"path\"`"));
            }
            Ok(())
        })?;
    }
    Ok(options)
}
