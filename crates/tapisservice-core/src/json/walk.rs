//! One traversal of a document, for every result that is built from it.

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess as _, Visitor,
};
use serde_json::Value;

/// A scalar value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A negative integer.
    Signed(i64),
    /// A non-negative integer.
    Unsigned(u64),
    /// Any other number, including NaN and infinity.
    Float(f64),
    /// Text.
    Text(&'a str),
}

impl Scalar<'_> {
    /// The value.
    ///
    /// # Errors
    ///
    /// For a number that JSON cannot represent.
    #[inline]
    pub fn into_value<E: Error>(self) -> Result<Value, E> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => value.into(),
            Self::Signed(value) => value.into(),
            Self::Unsigned(value) => value.into(),
            Self::Float(value) if !value.is_finite() => return Err(E::custom("number out of range")),
            Self::Float(value) => value.into(),
            Self::Text(value) => value.into(),
        })
    }
}

/// What is built from a document, and which documents are rejected. [`Walk`] traverses it.
pub trait Build<'de>: Copy {
    /// The result for one value.
    type Value;

    /// A scalar value.
    ///
    /// # Errors
    ///
    /// When it is rejected.
    fn scalar<E: Error>(self, scalar: Scalar<'_>) -> Result<Self::Value, E>;

    /// Text that lives as long as the document.
    ///
    /// # Errors
    ///
    /// When it is rejected.
    #[inline]
    fn borrowed<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        self.scalar(Scalar::Text(text))
    }

    /// An array, whose items are traversed with [`Walk`].
    ///
    /// # Errors
    ///
    /// When it or a part of it is rejected.
    fn array<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error>;

    /// An object, whose members are traversed with [`Walk`].
    ///
    /// # Errors
    ///
    /// When it or a part of it is rejected.
    fn object<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error>;
}

/// Traverses one value and returns what [`Build`] builds from it.
#[derive(Debug, Clone, Copy)]
pub struct Walk<B>(pub B);

impl<'de, B: Build<'de>> DeserializeSeed<'de> for Walk<B> {
    type Value = B::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<B::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, B: Build<'de>> Visitor<'de> for Walk<B> {
    type Value = B::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<B::Value, E> {
        self.0.scalar(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<B::Value, E> {
        self.0.scalar(Scalar::Signed(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<B::Value, E> {
        self.0.scalar(Scalar::Unsigned(value))
    }

    // JSON represents them as floats; YAML's become text, because no JSON number holds all their digits.
    fn visit_i128<E: Error>(self, value: i128) -> Result<B::Value, E> {
        self.0.scalar(Scalar::Text(&value.to_string()))
    }

    fn visit_u128<E: Error>(self, value: u128) -> Result<B::Value, E> {
        self.0.scalar(Scalar::Text(&value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<B::Value, E> {
        self.0.scalar(Scalar::Float(value))
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<B::Value, E> {
        self.0.borrowed(text)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<B::Value, E> {
        self.0.scalar(Scalar::Text(text))
    }

    fn visit_unit<E: Error>(self) -> Result<B::Value, E> {
        self.0.scalar(Scalar::Null)
    }

    fn visit_none<E: Error>(self) -> Result<B::Value, E> {
        self.0.scalar(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<B::Value, A::Error> {
        self.0.array(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<B::Value, A::Error> {
        self.0.object(members)
    }

    // A tagged YAML value: the tag is ignored.
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<B::Value, A::Error> {
        let (_tag, variant) = data.variant::<String>()?;
        variant.newtype_variant_seed(self)
    }
}
