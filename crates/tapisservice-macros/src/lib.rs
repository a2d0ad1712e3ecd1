#![doc = include_str!("../README.md")]

mod from_ref;
mod migrations;
mod options;
mod record;
mod value;

use proc_macro::TokenStream;

/// Embeds the migrations of a folder; `tapisservice_db::migrations!` passes the path of its crate.
#[doc(hidden)]
#[proc_macro]
pub fn embed_migrations(input: TokenStream) -> TokenStream {
    migrations::embed(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Reads a row of a query into the fields of a struct, by the names of its columns.
///
/// `#[db(rename = "column")]` on a field names its column; `#[db(crate = "path")]` on the struct says where `tapisservice::db` is.
#[proc_macro_derive(Record, attributes(db))]
pub fn derive_record(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    record::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a struct with one field the value of a column, as that field is.
///
/// `#[db(crate = "path")]` says where `tapisservice::db` is.
#[proc_macro_derive(Value, attributes(db))]
pub fn derive_value(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    value::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Lets handlers take the fields of a state: `State<Store>` where the state has a field of type `Store`.
///
/// `#[from_ref(skip)]` leaves a field out: two fields of one type cannot be told apart. `#[from_ref(crate = "path")]` on the struct says where
/// `tapisservice` is.
#[proc_macro_derive(FromRef, attributes(from_ref))]
pub fn derive_from_ref(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    from_ref::derive(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}
