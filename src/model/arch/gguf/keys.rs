//! Reads the metadata of one architecture. Callers name keys without the prefix of the architecture.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::weights::gguf::{Gguf, Metadata};

/// Getters for the metadata of one architecture. They record which keys were requested.
pub(super) struct Keys<'a> {
    gguf: &'a Gguf,
    name: &'a str,
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(gguf: &'a Gguf, name: &'a str) -> Self {
        Self { gguf, name, asked: RefCell::default() }
    }

    pub(super) fn gguf(&self) -> &'a Gguf {
        self.gguf
    }

    fn metadata(&self) -> &'a Metadata {
        self.gguf.metadata()
    }

    fn full(&self, key: &str) -> String {
        let full = format!("{}.{key}", self.name);
        self.asked.borrow_mut().insert(full.clone());
        full
    }

    /// An error about this file; `reason` must also say what to do.
    pub(super) fn fault(&self, reason: String) -> Error {
        self.metadata().fault(reason)
    }

    /// An error about a key with an unsupported value.
    pub(super) fn unsupported(&self, key: &str, value: impl std::fmt::Display) -> Error {
        let name = self.name;
        self.fault(format!("unsupported {name}.{key}={value}: the states would be wrong; use another model"))
    }

    pub(super) fn size(&self, key: &str) -> Result<Option<usize>> {
        self.metadata().same_size(&self.full(key))
    }

    /// A required size.
    ///
    /// # Errors
    /// If the key is missing or has another type.
    pub(super) fn required(&self, key: &str) -> Result<usize> {
        let missing = || self.fault(format!("key `{}.{key}` is missing; download the file again", self.name));
        self.size(key)?.ok_or_else(missing)
    }

    /// A number. The file stores a decimal number from config.json as the nearest f32; this function returns
    /// the shortest decimal number that rounds to this f32.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>> {
        let number = self.metadata().number(&self.full(key))?;
        Ok(number.map(|number| (number as f32).to_string().parse().unwrap_or(number)))
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>> {
        self.metadata().flag(&self.full(key))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.metadata().text(&self.full(key))
    }

    /// One flag for each block, if the value is a list of flags.
    pub(super) fn flags(&self, key: &str) -> Option<Vec<bool>> {
        self.metadata().flags(&self.full(key))
    }

    /// The keys of this architecture that were not requested, with their values.
    pub(super) fn unread(&self) -> Vec<(&'a str, Value)> {
        let prefix = format!("{}.", self.name);
        let asked = self.asked.borrow();
        let keys = self.metadata().keys().filter(|key| key.starts_with(&prefix) && !asked.contains(*key));
        keys.map(|key| (key, self.metadata().json(key))).collect()
    }
}
