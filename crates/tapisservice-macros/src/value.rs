//! A newtype as the value of a column.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, Index, Member, Result, parse_quote};

use crate::options::options;

pub(super) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let wrong =
        || Error::new_spanned(&input.ident, "expected a struct with one field: it is what the column holds");
    let Data::Struct(data) = &input.data else { return Err(wrong()) };
    let (Fields::Named(_) | Fields::Unnamed(_), 1) = (&data.fields, data.fields.len()) else {
        return Err(wrong());
    };
    let Some(field) = data.fields.iter().next() else { return Err(wrong()) };
    let member = field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(0)), Member::Named);
    let db = options(&input.attrs, "db")?.krate.unwrap_or_else(|| parse_quote!(::tapisservice::db));
    let (name, inner) = (&input.ident, &field.ty);
    Ok(quote! {
        #[automatically_derived]
        impl<DB: #db::sqlx::Database> #db::sqlx::Type<DB> for #name
        where
            #inner: #db::sqlx::Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <#inner as #db::sqlx::Type<DB>>::type_info()
            }

            fn compatible(info: &DB::TypeInfo) -> bool {
                <#inner as #db::sqlx::Type<DB>>::compatible(info)
            }
        }

        #[automatically_derived]
        impl<'q, DB: #db::sqlx::Database> #db::sqlx::Encode<'q, DB> for #name
        where
            #inner: #db::sqlx::Encode<'q, DB>,
        {
            fn encode_by_ref(
                &self,
                buffer: &mut DB::ArgumentBuffer,
            ) -> ::core::result::Result<#db::sqlx::encode::IsNull, #db::sqlx::error::BoxDynError> {
                #db::sqlx::Encode::<'q, DB>::encode_by_ref(&self.#member, buffer)
            }

            fn produces(&self) -> ::core::option::Option<DB::TypeInfo> {
                #db::sqlx::Encode::<'q, DB>::produces(&self.#member)
            }
        }

        #[automatically_derived]
        impl<'r, DB: #db::sqlx::Database> #db::sqlx::Decode<'r, DB> for #name
        where
            #inner: #db::sqlx::Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> ::core::result::Result<Self, #db::sqlx::error::BoxDynError> {
                ::core::result::Result::Ok(Self { #member: #db::sqlx::Decode::<'r, DB>::decode(value)? })
            }
        }
    })
}
