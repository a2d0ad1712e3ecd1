//! The names of the serialized fields of a struct, including those that are skipped.

use std::fmt::Display;

use serde::Serialize;
use serde::ser::{Error as _, Impossible, SerializeMap, SerializeStruct, Serializer};

/// The names of the fields of `arguments`.
///
/// # Errors
///
/// When it is neither a struct nor a map.
pub(crate) fn of(arguments: &impl Serialize) -> Result<Vec<String>, NotNamed> {
    arguments.serialize(Names)
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotNamed(String);

impl serde::ser::Error for NotNamed {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

/// Collects names and ignores values.
struct Names;
type Never = Impossible<Vec<String>, NotNamed>;

#[derive(Default)]
struct Found(Vec<String>);

/// The serializers of values without names.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*);)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<Vec<String>, NotNamed> {
            Err(NotNamed::custom("the arguments must be the fields of a struct"))
        }
    )*};
}

macro_rules! refuse_compound {
    ($($method:ident($($argument:ty),*);)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<Never, NotNamed> {
            Err(NotNamed::custom("the arguments must be the fields of a struct"))
        }
    )*};
}

impl Serializer for Names {
    type Ok = Vec<String>;
    type Error = NotNamed;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Found;
    type SerializeStruct = Found;
    type SerializeStructVariant = Never;

    refuse! {
        serialize_bool(bool); serialize_i8(i8); serialize_i16(i16); serialize_i32(i32); serialize_i64(i64);
        serialize_u8(u8); serialize_u16(u16); serialize_u32(u32); serialize_u64(u64);
        serialize_f32(f32); serialize_f64(f64); serialize_char(char); serialize_str(&str); serialize_bytes(&[u8]);
        serialize_none(); serialize_unit(); serialize_unit_variant(&'static str, u32, &'static str);
    }

    refuse_compound! {
        serialize_seq(Option<usize>); serialize_tuple(usize); serialize_tuple_struct(&'static str, usize);
        serialize_tuple_variant(&'static str, u32, &'static str, usize);
        serialize_struct_variant(&'static str, u32, &'static str, usize);
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Vec<String>, NotNamed> {
        Ok(Vec::new())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<String>, NotNamed> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Vec<String>, NotNamed> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Vec<String>, NotNamed> {
        Err(NotNamed::custom("the arguments must be the fields of a struct"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Found, NotNamed> {
        Ok(Found::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Found, NotNamed> {
        Ok(Found::default())
    }
}

impl SerializeStruct for Found {
    type Ok = Vec<String>;
    type Error = NotNamed;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, _: &T) -> Result<(), NotNamed> {
        self.0.push(key.to_owned());
        Ok(())
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), NotNamed> {
        self.0.push(key.to_owned());
        Ok(())
    }

    fn end(self) -> Result<Vec<String>, NotNamed> {
        Ok(self.0)
    }
}

/// A struct with `#[serde(flatten)]` serializes as a map.
impl SerializeMap for Found {
    type Ok = Vec<String>;
    type Error = NotNamed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotNamed> {
        let key = serde_json::to_value(key).ok();
        let key = key.as_ref().and_then(|key| key.as_str());
        self.0
            .push(key.ok_or_else(|| NotNamed::custom("the names of arguments must be strings"))?.to_owned());
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, _: &T) -> Result<(), NotNamed> {
        Ok(())
    }

    fn end(self) -> Result<Vec<String>, NotNamed> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Arguments<'a> {
        system_id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        select: Option<&'a str>,
        #[serde(skip)]
        note: u8,
    }

    #[derive(Serialize)]
    struct Nothing;

    #[test]
    fn fields_are_named_as_serialised_also_when_left_out_for_now() {
        let arguments = Arguments { system_id: "x", select: None, note: 0 };
        let _ = arguments.note;
        assert_eq!(of(&arguments).unwrap(), ["systemId", "select"]);
        assert_eq!(of(&serde_json::json!({"a": 1})).unwrap(), ["a"]);
        assert!(of(&Nothing).unwrap().is_empty());
    }

    #[test]
    fn what_has_no_names_is_refused() {
        assert!(of(&1).is_err() && of(&"x").is_err() && of(&[1]).is_err() && of(&(1, 2)).is_err());
        assert!(of(&None::<Arguments<'_>>).is_err());
    }
}
