//! Strict parsing: values, checks and members.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::Member;
use super::walk::{Build, Scalar, Walk};

/// Builds the value, unless it is nested too deep or an object has a duplicate member.
#[derive(Clone, Copy)]
pub(super) struct Strict {
    pub(super) depth_left: usize,
}

impl Strict {
    pub(super) fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))?;
        Ok(Self { depth_left })
    }
}

impl<'de> Build<'de> for Strict {
    type Value = Value;

    fn scalar<E: Error>(self, scalar: Scalar<'_>) -> Result<Value, E> {
        scalar.into_value()
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Walk(inner))? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(twice(&name));
            }
            let value = members.next_value_seed(Walk(inner))?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

/// Checks a value as [`Strict`] does, and discards it.
#[derive(Clone, Copy)]
pub(super) struct Checked(pub(super) Strict);

impl<'de> Build<'de> for Checked {
    type Value = ();

    fn scalar<E: Error>(self, scalar: Scalar<'_>) -> Result<(), E> {
        match scalar {
            Scalar::Float(_) => scalar.into_value().map(drop),
            _ => Ok(()),
        }
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inner = Self(self.0.deeper()?);
        while items.next_element_seed(Walk(inner))?.is_some() {}
        Ok(())
    }

    fn object<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let inner = Self(self.0.deeper()?);
        let mut seen = Names::new();
        while let Some(name) = members.next_key_seed(Text)? {
            if let Some(name) = seen.add(name) {
                return Err(twice(&name));
            }
            members.next_value_seed(Walk(inner))?;
        }
        Ok(())
    }
}

/// Builds the value as [`Strict`] does, but borrows text.
#[derive(Clone, Copy)]
struct MemberOf(Strict);

impl<'de> Build<'de> for MemberOf {
    type Value = Member<'de>;

    fn scalar<E: Error>(self, scalar: Scalar<'_>) -> Result<Member<'de>, E> {
        match scalar {
            Scalar::Text(text) => Ok(Member::Text(text.to_owned().into())),
            other => other.into_value().map(Member::Other),
        }
    }

    fn borrowed<E: Error>(self, text: &'de str) -> Result<Member<'de>, E> {
        Ok(Member::Text(text.into()))
    }

    fn array<A: SeqAccess<'de>>(self, items: A) -> Result<Member<'de>, A::Error> {
        self.0.array(items).map(Member::Other)
    }

    fn object<A: MapAccess<'de>>(self, members: A) -> Result<Member<'de>, A::Error> {
        self.0.object(members).map(Member::Other)
    }
}

/// Visits the members of an object one by one.
pub(super) struct Members<F> {
    pub(super) strict: Strict,
    pub(super) each: F,
}

impl<'de, F: FnMut(&str, Member<'de>)> Visitor<'de> for Members<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut seen = Names::new();
        while let Some(name) = map.next_key_seed(Text)? {
            let value = map.next_value_seed(Walk(MemberOf(self.strict)))?;
            (self.each)(&name, value);
            if let Some(name) = seen.add(name) {
                return Err(twice(&name));
            }
        }
        Ok(())
    }
}

fn twice<E: Error>(name: &str) -> E {
    E::custom(format_args!("duplicate member {name:?}"))
}

/// Names of members. Most objects have few.
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    const FEW: usize = 32;

    fn new() -> Self {
        Self { few: Vec::with_capacity(Self::FEW), many: HashSet::new() }
    }

    /// Adds a name, or returns it if it is a duplicate.
    fn add(&mut self, name: Cow<'a, str>) -> Option<Cow<'a, str>> {
        if self.few.contains(&name) || self.many.contains(&name) {
            return Some(name);
        }
        if self.few.len() < Self::FEW {
            self.few.push(name);
        } else {
            self.many.insert(name);
        }
        None
    }
}

/// A string, borrowed if possible.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(v.to_owned()))
    }
}
