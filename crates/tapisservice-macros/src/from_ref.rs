//! The parts of a state.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result, parse_quote};

use crate::options::options;

pub(super) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let wrong = || {
        Error::new_spanned(&input.ident, "expected a struct with named fields: each is a part of the state")
    };
    let Data::Struct(data) = &input.data else { return Err(wrong()) };
    let Fields::Named(fields) = &data.fields else { return Err(wrong()) };
    let krate = options(&input.attrs, "from_ref")?.krate.unwrap_or_else(|| parse_quote!(::tapisservice));
    let state = &input.ident;
    let mut parts = Vec::new();
    for field in &fields.named {
        if options(&field.attrs, "from_ref")?.skip {
            continue;
        }
        let (name, part) = (&field.ident, &field.ty);
        parts.push(quote! {
            #[automatically_derived]
            impl #krate::axum::extract::FromRef<#state> for #part {
                fn from_ref(state: &#state) -> Self {
                    ::core::clone::Clone::clone(&state.#name)
                }
            }
        });
    }
    Ok(quote!(#(#parts)*))
}
