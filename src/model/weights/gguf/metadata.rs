//! Reads the metadata of a GGUF file. Errors name the file and the key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::value::Value;
use crate::error::{Error, Result};

/// The metadata of a file: values by key.
#[derive(Debug, Clone)]
pub(in crate::model) struct Metadata {
    path: PathBuf,
    values: BTreeMap<String, Value>,
}

impl Metadata {
    pub(super) fn new(path: &Path, values: BTreeMap<String, Value>) -> Self {
        Self { path: path.into(), values }
    }

    /// An error about this file; `reason` includes the advice.
    pub(in crate::model) fn fault(&self, reason: impl Into<String>) -> Error {
        Error::Config { path: self.path.clone(), reason: reason.into() }
    }

    fn mistyped(&self, key: &str, value: &Value, what: &str) -> Error {
        let value = value.describe();
        self.fault(format!("key `{key}` is {value}, not {what}; download the file again or use another file"))
    }

    /// All keys, sorted.
    pub(in crate::model) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// A value as JSON. For a list, a string that describes the list.
    pub(in crate::model) fn json(&self, key: &str) -> serde_json::Value {
        match self.values.get(key) {
            None => serde_json::Value::Null,
            Some(Value::Bool(on)) => (*on).into(),
            Some(Value::Int(number)) => (*number).into(),
            Some(Value::Large(number)) => (*number).into(),
            Some(Value::Float(number)) => (*number).into(),
            Some(Value::Text(text)) => text.as_str().into(),
            Some(list) => list.describe().into(),
        }
    }

    /// A string, or `None` if the key is absent.
    ///
    /// # Errors
    /// [`Error::Config`] if the value has another type.
    pub(in crate::model) fn text(&self, key: &str) -> Result<Option<&str>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.mistyped(key, other, "a string")),
        }
    }

    /// A whole number below 2^32, or `None` if the key is absent.
    ///
    /// # Errors
    /// [`Error::Config`] for other values.
    pub(in crate::model) fn size(&self, key: &str) -> Result<Option<usize>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(value) => match size_of(value) {
                Some(size) => Ok(Some(size)),
                None => Err(self.mistyped(key, value, "a whole number below 2^32")),
            },
        }
    }

    /// A whole number below 2^32, or `None` if the key is absent. The value may also be a list with one
    /// number per block, if all numbers are equal.
    ///
    /// # Errors
    /// [`Error::Config`] for other values.
    pub(in crate::model) fn same_size(&self, key: &str) -> Result<Option<usize>> {
        let Some(value) = self.values.get(key) else { return Ok(None) };
        let Some(items) = value.items() else { return self.size(key) };
        let mut sizes: Vec<_> = items.map(|item| size_of(&item)).collect();
        sizes.dedup();
        match sizes.as_slice() {
            [Some(size)] => Ok(Some(*size)),
            _ => Err(self.fault(format!(
                "key `{key}` differs from block to block, which the decoder does not support; use another \
                 model"
            ))),
        }
    }

    /// A finite number, or `None` if the key is absent.
    ///
    /// # Errors
    /// [`Error::Config`] for other values.
    pub(in crate::model) fn number(&self, key: &str) -> Result<Option<f64>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Float(number)) if number.is_finite() => Ok(Some(*number)),
            Some(Value::Int(number)) => Ok(Some(*number as f64)),
            Some(other) => Err(self.mistyped(key, other, "a number")),
        }
    }

    /// A flag, or `None` if the key is absent.
    ///
    /// # Errors
    /// [`Error::Config`] if the value has another type.
    pub(in crate::model) fn flag(&self, key: &str) -> Result<Option<bool>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Bool(on)) => Ok(Some(*on)),
            Some(other) => Err(self.mistyped(key, other, "true or false")),
        }
    }

    /// A list of strings, or `None` if the key is absent.
    ///
    /// # Errors
    /// [`Error::Config`] if the value has another type.
    pub(in crate::model) fn texts(&self, key: &str) -> Result<Option<&[String]>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Texts(texts)) => Ok(Some(texts)),
            Some(other) => Err(self.mistyped(key, other, "a list of strings")),
        }
    }

    /// A list of numbers, or `None` if the key is absent.
    ///
    /// # Errors
    /// [`Error::Config`] if the value has another type.
    pub(in crate::model) fn numbers(&self, key: &str) -> Result<Option<Vec<f64>>> {
        let Some(value) = self.values.get(key) else { return Ok(None) };
        let number = |item: Value| match item {
            Value::Float(number) => Some(number),
            Value::Int(number) => Some(number as f64),
            Value::Large(number) => Some(number as f64),
            _ => None,
        };
        let numbers = value.items().and_then(|items| items.map(number).collect::<Option<Vec<f64>>>());
        numbers.map(Some).ok_or_else(|| self.mistyped(key, value, "a list of numbers"))
    }

    /// A list of flags; `None` if the key is absent or has another type.
    pub(in crate::model) fn flags(&self, key: &str) -> Option<Vec<bool>> {
        let items = self.values.get(key)?.items()?;
        let flag = |item: Value| match item {
            Value::Bool(on) => Some(on),
            Value::Int(number) => Some(number != 0),
            _ => None,
        };
        items.map(flag).collect()
    }
}

fn size_of(value: &Value) -> Option<usize> {
    match value {
        Value::Int(number) => u32::try_from(*number).ok().map(|size| size as usize),
        _ => None,
    }
}
