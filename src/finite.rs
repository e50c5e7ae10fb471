//! Checks that every number in a value is finite before the value is written. Without this check, NaN and
//! infinity would become `null` in JSON and words such as `inf` in CSV, which readers could misinterpret.

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Serializer};

/// A number that is NaN or infinite, and the path of its field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct NotFinite {
    value: String,
    /// The names of the enclosing fields, innermost first.
    path: Vec<String>,
}

impl NotFinite {
    fn within(mut self, field: &str) -> Self {
        self.path.push(field.to_owned());
        self
    }
}

impl fmt::Display for NotFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.value);
        }
        let path: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        write!(f, "`{}` = {}", path.join("."), self.value)
    }
}

impl std::error::Error for NotFinite {}

impl ser::Error for NotFinite {
    /// Keeps the error message of a value that cannot be serialised. The serialiser that writes the value
    /// reports the same error later.
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { value: message.to_string(), path: vec![] }
    }
}

/// Checks that every number in a value is finite.
///
/// # Errors
/// Returns the first number that is NaN or infinite, with the path of its field.
pub(crate) fn check<T: Serialize + ?Sized>(value: &T) -> Result<(), NotFinite> {
    value.serialize(Walk)
}

/// A serializer that visits every number of a value and writes nothing.
#[derive(Clone, Copy)]
struct Walk;

/// The state of a walk through a map: the key of the next value.
struct Members {
    key: String,
}

fn number(value: f64) -> Result<(), NotFinite> {
    if value.is_finite() { Ok(()) } else { Err(NotFinite { value: value.to_string(), path: vec![] }) }
}

macro_rules! accept {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, _value: $type) -> Result<(), NotFinite> { Ok(()) })*
    };
}

impl Serializer for Walk {
    type Ok = ();
    type Error = NotFinite;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Members;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    accept!(
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
        serialize_u128: u128, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_unit_struct: &'static str
    );

    fn serialize_f32(self, value: f32) -> Result<(), NotFinite> {
        number(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), NotFinite> {
        number(value)
    }

    fn serialize_none(self) -> Result<(), NotFinite> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), NotFinite> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), NotFinite> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), NotFinite> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), NotFinite> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), NotFinite> {
        value.serialize(self).map_err(|fault| fault.within(variant))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members, NotFinite> {
        Ok(Members { key: String::new() })
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, NotFinite> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self, NotFinite> {
        Ok(self)
    }
}

macro_rules! walk_items {
    ($($seam:ident: $method:ident),*) => {
        $(impl ser::$seam for Walk {
            type Ok = ();
            type Error = NotFinite;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotFinite> {
                value.serialize(*self)
            }

            fn end(self) -> Result<(), NotFinite> {
                Ok(())
            }
        })*
    };
}

walk_items!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

macro_rules! walk_fields {
    ($($seam:ident),*) => {
        $(impl ser::$seam for Walk {
            type Ok = ();
            type Error = NotFinite;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), NotFinite> {
                value.serialize(*self).map_err(|fault| fault.within(key))
            }

            fn end(self) -> Result<(), NotFinite> {
                Ok(())
            }
        })*
    };
}

walk_fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Members {
    type Ok = ();
    type Error = NotFinite;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), NotFinite> {
        // A key that is not a string is shown as JSON. Keys are not checked, because a key is never a
        // measured number.
        self.key = serde_json::to_value(key).map_or_else(
            |_| "?".into(),
            |key| match key {
                serde_json::Value::String(key) => key,
                other => other.to_string(),
            },
        );
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), NotFinite> {
        value.serialize(Walk).map_err(|fault| fault.within(&self.key))
    }

    fn end(self) -> Result<(), NotFinite> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::check;

    #[derive(Serialize)]
    struct Inner {
        nats: Option<f64>,
        bounds: (f32, f32),
    }

    #[derive(Serialize)]
    struct Row {
        name: &'static str,
        blocks: Vec<Inner>,
        scores: BTreeMap<String, f64>,
        #[serde(flatten)]
        rest: BTreeMap<String, f64>,
    }

    fn row(nats: Option<f64>, upper: f32, score: f64, rest: f64) -> Row {
        Row {
            name: "NaN",
            blocks: vec![Inner { nats, bounds: (0.0, upper) }],
            scores: [("a".to_owned(), score)].into(),
            rest: [("rest".to_owned(), rest)].into(),
        }
    }

    #[test]
    fn a_number_that_is_none_is_found_wherever_it_is_and_named() {
        let says = |row: &Row| check(row).expect_err("not finite").to_string();
        assert_eq!(check(&row(Some(1.0), 2.0, -0.0, f64::MAX)), Ok(()));
        assert_eq!(check(&row(None, 2.0, 0.0, 0.0)), Ok(()));
        assert_eq!(says(&row(Some(f64::NAN), 2.0, 0.0, 0.0)), "`blocks.nats` = NaN");
        assert_eq!(says(&row(None, f32::INFINITY, 0.0, 0.0)), "`blocks.bounds` = inf");
        assert_eq!(says(&row(None, 2.0, f64::NEG_INFINITY, 0.0)), "`scores.a` = -inf");
        assert_eq!(says(&row(None, 2.0, 0.0, f64::NAN)), "`rest` = NaN");
        assert_eq!(check(&vec![f64::NAN]).expect_err("not finite").to_string(), "NaN");
    }
}
