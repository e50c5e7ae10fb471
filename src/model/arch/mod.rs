//! One architecture per file: its published config.json becomes a [`Spec`], its tensor names become ours. A new architecture is one
//! file here and one row in [`ALL`].

mod gpt2;
mod llama;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::decoder::Parts;
use super::spec::Spec;
use super::weights::Source;
use crate::error::{Error, Result};

/// What an architecture knows: how to read its config and where its tensors are.
pub trait Architecture: Sync {
    /// `model_type` in config.json.
    fn model_type(&self) -> &'static str;
    /// One line for `surmise list architectures`.
    fn summary(&self) -> &'static str;
    /// The spec a config.json asks for, in any of its published spellings.
    ///
    /// # Errors
    /// [`Error::Config`] for a missing or malformed key and for anything the decoder cannot do.
    fn spec(&self, config: &Config) -> Result<Spec>;
    /// Takes every tensor from `source` and lays it out as the decoder wants it: linear maps as `(out, in)`.
    ///
    /// # Errors
    /// Whatever `source` finds wrong.
    fn parts(&self, spec: &Spec, source: &dyn Source) -> Result<Parts>;
}

/// The architectures surmise can open.
pub static ALL: &[&dyn Architecture] = &[&gpt2::Gpt2, &llama::Llama];

/// The architecture of a config, by its `model_type`.
///
/// # Errors
/// [`Error::Config`] if the key is missing or names an architecture that is not in [`ALL`].
pub fn of(config: &Config) -> Result<&'static dyn Architecture> {
    let model_type = config.text("model_type")?;
    let known: Vec<_> = ALL.iter().map(|a| a.model_type()).collect();
    ALL.iter().copied().find(|a| a.model_type() == model_type).ok_or_else(|| {
        let known = known.join(", ");
        config.refusal(format!("model_type `{model_type}` is not supported; take a model of one of these: {known}"))
    })
}

/// A config.json with getters whose errors name file and key.
#[derive(Debug, Clone)]
pub struct Config {
    path: PathBuf,
    value: Value,
}

impl Config {
    /// Parses the bytes of a config.json that came from `path`.
    ///
    /// # Errors
    /// [`Error::Json`] if it does not parse, [`Error::Config`] if it is no object.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let value: Value = serde_json::from_slice(bytes).map_err(|source| Error::Json { path: path.into(), source })?;
        let config = Self { path: path.into(), value };
        if config.value.is_object() { Ok(config) } else { Err(config.fault("is no JSON object")) }
    }

    /// An error about this file: something in it cannot be right.
    pub fn fault(&self, reason: impl std::fmt::Display) -> Error {
        self.refusal(format!("{reason}; correct the file or download it again"))
    }

    /// An error about a file that may be right, and is beyond this decoder; the reason says what to do.
    fn refusal(&self, reason: String) -> Error {
        Error::Config { path: self.path.clone(), reason }
    }

    /// The value of a key; `null` counts as absent.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.value.get(key).filter(|value| !value.is_null())
    }

    fn required(&self, key: &str) -> Result<&Value> {
        self.get(key).ok_or_else(|| self.fault(format!("key `{key}` is missing")))
    }

    /// A required string.
    ///
    /// # Errors
    /// If it is missing or no string.
    pub fn text(&self, key: &str) -> Result<&str> {
        let value = self.required(key)?;
        value.as_str().ok_or_else(|| self.fault(format!("key `{key}` is {value}, not a string")))
    }

    /// A string with a default.
    ///
    /// # Errors
    /// If it is there and no string.
    pub fn text_or<'a>(&'a self, key: &str, default: &'a str) -> Result<&'a str> {
        if self.get(key).is_some() { self.text(key) } else { Ok(default) }
    }

    /// A required count.
    ///
    /// # Errors
    /// If it is missing, no whole number, or too large to be the size of anything.
    pub fn size(&self, key: &str) -> Result<usize> {
        let value = self.required(key)?;
        value
            .as_u64()
            .filter(|size| *size <= u64::from(u32::MAX))
            .map(|size| size as usize)
            .ok_or_else(|| self.fault(format!("key `{key}` is {value}, not a size")))
    }

    /// A count with a default.
    ///
    /// # Errors
    /// If it is there and no whole number.
    pub fn size_or(&self, key: &str, default: usize) -> Result<usize> {
        if self.get(key).is_some() { self.size(key) } else { Ok(default) }
    }

    /// A positive finite number with a default.
    ///
    /// # Errors
    /// If it is there and no positive number.
    pub fn positive_or(&self, key: &str, default: f64) -> Result<f64> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => value
                .as_f64()
                .filter(|number| *number > 0.0 && number.is_finite())
                .ok_or_else(|| self.fault(format!("key `{key}` is {value}, not a positive number"))),
        }
    }

    /// A switch with a default.
    ///
    /// # Errors
    /// If it is there and neither true nor false.
    pub fn flag_or(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => {
                value.as_bool().ok_or_else(|| self.fault(format!("key `{key}` is {value}, not true or false")))
            }
        }
    }

    /// An object below this one, with the same getters; `None` if absent.
    ///
    /// # Errors
    /// If it is there and no object.
    pub fn object(&self, key: &str) -> Result<Option<Self>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) if value.is_object() => Ok(Some(Self { path: self.path.clone(), value: value.clone() })),
            Some(value) => Err(self.fault(format!("key `{key}` is {value}, not an object"))),
        }
    }

    /// Refuses a setting the decoder does not have.
    ///
    /// # Errors
    /// Always, naming the key and its value.
    pub fn unsupported<T>(&self, key: &str, value: impl std::fmt::Display) -> Result<T> {
        Err(self.refusal(format!("unsupported {key}={value}: the states would be wrong; take another model")))
    }
}
