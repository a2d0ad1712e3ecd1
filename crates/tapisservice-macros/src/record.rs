//! A row of a query as a struct.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Result, parse_quote};

use crate::options::options;

pub(super) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "expected a struct: a row has named columns"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(&input.ident, "expected named fields: each is a column"));
    };
    let db = options(&input.attrs, "db")?.krate.unwrap_or_else(|| parse_quote!(::tapisservice::db));
    let mut columns = Vec::new();
    let mut bounds = Vec::new();
    for field in &fields.named {
        let (name, kind) = (&field.ident, &field.ty);
        let own = name.as_ref().map(|name| name.to_string().trim_start_matches("r#").to_owned());
        let column = options(&field.attrs, "db")?.rename.map(|column| column.value()).or(own);
        columns.push(quote!(#name: #db::sqlx::Row::try_get(row, #column)?));
        bounds.push(quote! {
            #kind: #db::sqlx::Decode<'row, R::Database> + #db::sqlx::Type<R::Database>
        });
    }
    let name = &input.ident;
    let (_, types, conditions) = input.generics.split_for_impl();
    let mut generics = input.generics.clone();
    generics.params.insert(0, parse_quote!('row));
    generics.params.push(parse_quote!(R: #db::sqlx::Row));
    let (parameters, ..) = generics.split_for_impl();
    let given = conditions.map(|conditions| &conditions.predicates);
    Ok(quote! {
        #[automatically_derived]
        impl #parameters #db::sqlx::FromRow<'row, R> for #name #types
        where
            &'static str: #db::sqlx::ColumnIndex<R>,
            #(#bounds,)*
            #given
        {
            fn from_row(row: &'row R) -> #db::sqlx::Result<Self> {
                ::core::result::Result::Ok(Self { #(#columns),* })
            }
        }
    })
}
