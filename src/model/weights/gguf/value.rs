//! Reads the values of the metadata: single values and lists.

use super::cursor::Cursor;
use crate::error::Result;

/// Maximum nesting depth of lists. Published files have no nested lists, and the contents of nested lists are
/// discarded.
const DEEPEST: usize = 4;

/// A single value or a list.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model) enum Value {
    Bool(bool),
    Int(i64),
    /// A whole number that does not fit in i64.
    Large(u64),
    Float(f64),
    Text(String),
    Texts(Vec<String>),
    /// A list of numbers or flags: their type, and their bytes in the file.
    Numbers(Scalar, Vec<u8>),
    /// A list of lists.
    Nested,
}

/// Types of single values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Scalar {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    U64,
    I64,
    F64,
}

/// Type codes of strings and lists.
const TEXT: u32 = 8;
const LIST: u32 = 9;

impl Scalar {
    fn of(code: u32) -> Option<Self> {
        Some(match code {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::F32,
            7 => Self::Bool,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::F64,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// The value that `bytes` encode; the number of bytes must be the size of the type.
    fn value(self, bytes: &[u8]) -> Value {
        let mut all = [0; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        let [a, b, c, d, ..] = all;
        match self {
            Self::U8 => Value::Int(a.into()),
            Self::I8 => Value::Int(i8::from_le_bytes([a]).into()),
            Self::U16 => Value::Int(u16::from_le_bytes([a, b]).into()),
            Self::I16 => Value::Int(i16::from_le_bytes([a, b]).into()),
            Self::U32 => Value::Int(u32::from_le_bytes([a, b, c, d]).into()),
            Self::I32 => Value::Int(i32::from_le_bytes([a, b, c, d]).into()),
            Self::F32 => Value::Float(f32::from_le_bytes([a, b, c, d]).into()),
            Self::Bool => Value::Bool(a != 0),
            Self::U64 => {
                let value = u64::from_le_bytes(all);
                i64::try_from(value).map_or(Value::Large(value), Value::Int)
            }
            Self::I64 => Value::Int(i64::from_le_bytes(all)),
            Self::F64 => Value::Float(f64::from_le_bytes(all)),
        }
    }
}

impl Value {
    /// Reads a type and then a value of that type. Errors name `key`.
    ///
    /// # Errors
    /// [`Error::Weights`](crate::Error::Weights) if the file ends too early, and for an unknown type.
    pub(super) fn read(cursor: &mut Cursor, key: &str) -> Result<Self> {
        let what = format!("the value of `{key}`");
        match cursor.u32(&what)? {
            TEXT => Ok(Self::Text(cursor.text(&what)?)),
            LIST => Self::read_list(cursor, &what, 0),
            code => match Scalar::of(code) {
                Some(scalar) => Ok(scalar.value(cursor.take(scalar.size() as u64, &what)?)),
                None => Err(cursor.damaged(format!("damaged: {what} has the unknown type {code}"))),
            },
        }
    }

    fn read_list(cursor: &mut Cursor, what: &str, depth: usize) -> Result<Self> {
        let code = cursor.u32(what)?;
        let length = format!("the length of {what}");
        match code {
            TEXT => {
                let n = cursor.count(8, &length)?;
                // The list grows with the strings that are read: the length in the file may be wrong, so it
                // is not used to allocate memory.
                let mut texts = vec![];
                for _ in 0..n {
                    texts.push(cursor.text(what)?);
                }
                Ok(Self::Texts(texts))
            }
            LIST if depth < DEEPEST => {
                for _ in 0..cursor.count(12, &length)? {
                    Self::read_list(cursor, what, depth + 1)?;
                }
                Ok(Self::Nested)
            }
            LIST => Err(cursor.damaged(format!(
                "damaged: {what} has lists that are nested more than {DEEPEST} \
                                            levels deep"
            ))),
            code => {
                let Some(scalar) = Scalar::of(code) else {
                    return Err(
                        cursor.damaged(format!("damaged: {what} is a list of the unknown type {code}"))
                    );
                };
                let n = cursor.count(scalar.size() as u64, &length)?;
                let bytes = cursor.take(n * scalar.size() as u64, what)?;
                Ok(Self::Numbers(scalar, bytes.to_vec()))
            }
        }
    }

    /// The values of a list of numbers or flags; `None` for any other value.
    pub(super) fn items(&self) -> Option<impl Iterator<Item = Self> + '_> {
        let Self::Numbers(scalar, bytes) = self else { return None };
        Some(bytes.chunks_exact(scalar.size()).map(|bytes| scalar.value(bytes)))
    }

    /// A description of the value for errors: the value itself if it is a number or a short string, otherwise
    /// its type.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Bool(on) => on.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Large(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) if text.len() <= 40 => format!("{text:?}"),
            Self::Text(_) => "a string".into(),
            Self::Texts(texts) => format!("a list of {} strings", texts.len()),
            Self::Numbers(scalar, bytes) => {
                format!("a list of {} values of type {scalar:?}", bytes.len() / scalar.size())
            }
            Self::Nested => "a list of lists".into(),
        }
    }
}
