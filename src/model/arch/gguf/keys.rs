//! The metadata of one architecture: keys without its name before them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::weights::gguf::{Gguf, Metadata};

/// Getters that remember which keys were asked for.
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

    /// An error about this file; the reason says what to do.
    pub(super) fn fault(&self, reason: String) -> Error {
        self.metadata().fault(reason)
    }

    /// An error about a key whose value the decoder cannot do.
    pub(super) fn unsupported(&self, key: &str, value: impl std::fmt::Display) -> Error {
        let name = self.name;
        self.fault(format!("unsupported {name}.{key}={value}: the states would be wrong; take another model"))
    }

    pub(super) fn size(&self, key: &str) -> Result<Option<usize>> {
        self.metadata().same_size(&self.full(key))
    }

    /// A size that must be there.
    ///
    /// # Errors
    /// If it is missing or of another type.
    pub(super) fn required(&self, key: &str) -> Result<usize> {
        let missing = || self.fault(format!("key `{}.{key}` is missing; download the file again", self.name));
        self.size(key)?.ok_or_else(missing)
    }

    /// A number in the fewest decimals: the file holds the f32 that is nearest to what a config.json says.
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

    /// One switch for each block, if the key has them.
    pub(super) fn flags(&self, key: &str) -> Option<Vec<bool>> {
        self.metadata().flags(&self.full(key))
    }

    /// The keys of this architecture that were not asked for, with their values.
    pub(super) fn unread(&self) -> Vec<(&'a str, Value)> {
        let prefix = format!("{}.", self.name);
        let asked = self.asked.borrow();
        let keys = self.metadata().keys().filter(|key| key.starts_with(&prefix) && !asked.contains(*key));
        keys.map(|key| (key, self.metadata().json(key))).collect()
    }
}
