//! Reads values of a config.json. Errors name the file and the key.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::model::spec::Activation;

/// Upper limit for counts. The counts in published models are far smaller. Memory is allocated according to
/// these counts before any tensor is checked, so absurd values must be rejected early.
const MAX_COUNT: usize = 65_536;

/// A config.json with getters whose errors name the file and the key. It records which keys are requested, so
/// that the other keys can be reported.
#[derive(Debug, Clone)]
pub struct Config {
    path: PathBuf,
    value: Value,
    /// The keys requested through this value and its copies.
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Config {
    /// Parses the bytes of the config.json at `path`.
    ///
    /// # Errors
    /// [`Error::Json`] for invalid JSON, [`Error::Config`] if the value is not an object.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let value: Value =
            serde_json::from_slice(bytes).map_err(|source| Error::Json { path: path.into(), source })?;
        let config = Self { path: path.into(), value, asked: Arc::default() };
        if config.value.is_object() { Ok(config) } else { Err(config.fault("is not a JSON object")) }
    }

    /// An error about invalid contents of this file.
    pub fn fault(&self, reason: impl std::fmt::Display) -> Error {
        self.refusal(format!("{reason}; correct the file or download it again"))
    }

    /// An error about a valid file that the decoder does not support; `reason` must also say what to do.
    pub(super) fn refusal(&self, reason: String) -> Error {
        Error::Config { path: self.path.clone(), reason }
    }

    /// The value of a key; `None` if the key is absent or its value is `null`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        self.value.get(key).filter(|value| !value.is_null())
    }

    /// Marks keys as requested, so that they are not reported as unread: together with the other settings of
    /// this config, they have no effect.
    pub(super) fn mark_inert(&self, keys: &[&str]) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.extend(keys.iter().map(|key| (*key).to_owned()));
    }

    /// The first key that was not requested, whose value is not null, and for which `known` returns false.
    pub(super) fn first_unread_key(&self, known: impl Fn(&str, &Value) -> bool) -> Option<(&str, &Value)> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.entries().find(|(key, value)| !asked.contains(*key) && !known(key, value))
    }

    fn required(&self, key: &str) -> Result<&Value> {
        self.get(key).ok_or_else(|| self.fault(format!("key `{key}` is missing")))
    }

    /// A copy without these keys.
    pub(super) fn without(&self, keys: &[&str]) -> Self {
        self.only(|key| !keys.contains(&key))
    }

    /// A copy with only these keys.
    pub(super) fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut config = self.clone();
        if let Some(entries) = config.value.as_object_mut() {
            entries.retain(|key, _| keep(key));
        }
        config
    }

    /// A copy in which a key has the value `count` if the key was absent or null.
    pub(super) fn with_default(&self, key: &str, count: usize) -> Self {
        let mut config = self.clone();
        if self.get(key).is_none() {
            config.value[key] = count.into();
        }
        config
    }

    /// A copy in which a key has the given value.
    pub(super) fn with(&self, key: &str, value: Value) -> Self {
        let mut config = self.clone();
        config.value[key] = value;
        config
    }

    /// A copy in which a key has the given value if the key was absent. A key with the value `null` is
    /// unchanged.
    pub(super) fn with_absent(self, key: &str, value: &Value) -> Self {
        if self.value.get(key).is_none() { self.with(key, value.clone()) } else { self }
    }

    /// A required string.
    ///
    /// # Errors
    /// If the key is missing or not a string.
    pub fn text(&self, key: &str) -> Result<&str> {
        let value = self.required(key)?;
        value.as_str().ok_or_else(|| self.fault(format!("key `{key}` is {value}, not a string")))
    }

    /// A string with a default.
    ///
    /// # Errors
    /// If the value is not a string.
    pub fn text_or<'a>(&'a self, key: &str, default: &'a str) -> Result<&'a str> {
        if self.get(key).is_some() { self.text(key) } else { Ok(default) }
    }

    /// A required count.
    ///
    /// # Errors
    /// If the key is missing, not a whole number, or too large.
    pub fn size(&self, key: &str) -> Result<usize> {
        let value = self.required(key)?;
        value
            .as_u64()
            .filter(|size| *size <= u64::from(u32::MAX))
            .map(|size| size as usize)
            .ok_or_else(|| self.fault(format!("key `{key}` is {value}, not a whole number below 2^32")))
    }

    /// A count with a default.
    ///
    /// # Errors
    /// If the value is not a whole number, or is too large.
    pub fn size_or(&self, key: &str, default: usize) -> Result<usize> {
        if self.get(key).is_some() { self.size(key) } else { Ok(default) }
    }

    /// A required count of blocks, heads or values in a head.
    ///
    /// # Errors
    /// If the key is missing, not a whole number, or above the limit.
    pub fn count(&self, key: &str) -> Result<usize> {
        let count = self.size(key)?;
        if count <= MAX_COUNT {
            Ok(count)
        } else {
            Err(self.fault(format!("key `{key}` is {count}, above the limit of {MAX_COUNT}")))
        }
    }

    /// A count of blocks, heads or values in a head, with a default.
    ///
    /// # Errors
    /// If the value is not a whole number, or is above the limit.
    pub fn count_or(&self, key: &str, default: usize) -> Result<usize> {
        if self.get(key).is_some() { self.count(key) } else { Ok(default) }
    }

    /// Width of a head if `n_heads` heads share `width`.
    ///
    /// # Errors
    /// If the width is not divisible by the number of heads.
    pub fn share(&self, width: usize, n_heads: usize) -> Result<usize> {
        if n_heads > 0 && width.is_multiple_of(n_heads) && width / n_heads <= MAX_COUNT {
            Ok(width / n_heads)
        } else {
            Err(self.fault(format!(
                "width {width} cannot be divided into {n_heads} equal heads (of at most {MAX_COUNT} values), \
                 and no head_dim is given"
            )))
        }
    }

    /// The first of `keys` that this config contains; `keys[0]` if it contains none. The keys are alternative
    /// names of one setting.
    pub fn present_alias<'a>(&self, keys: &[&'a str]) -> &'a str {
        self.mark_inert(keys);
        keys.iter().find(|key| self.get(key).is_some()).or(keys.first()).copied().unwrap_or_default()
    }

    /// A setting that can be switched off: `None` if the value is `null`, and `absent` if the key is absent.
    ///
    /// # Errors
    /// Returns the errors of `read`.
    pub fn optional<T>(
        &self,
        key: &str,
        absent: Option<T>,
        read: impl Fn(&Self, &str) -> Result<T>,
    ) -> Result<Option<T>> {
        match (self.get(key), self.value.get(key)) {
            (Some(_), _) => read(self, key).map(Some),
            (None, Some(_)) => Ok(None),
            (None, None) => Ok(absent),
        }
    }

    /// A required positive finite number.
    ///
    /// # Errors
    /// If the key is missing or not a positive number.
    pub fn positive(&self, key: &str) -> Result<f64> {
        let value = self.required(key)?;
        value
            .as_f64()
            .filter(|number| *number > 0.0 && number.is_finite())
            .ok_or_else(|| self.fault(format!("key `{key}` is {value}, not a positive number")))
    }

    /// A positive finite number with a default.
    ///
    /// # Errors
    /// If the value is not a positive number.
    pub fn positive_or(&self, key: &str, default: f64) -> Result<f64> {
        if self.get(key).is_some() { self.positive(key) } else { Ok(default) }
    }

    /// A required list.
    ///
    /// # Errors
    /// If the key is missing or not a list.
    pub fn list(&self, key: &str) -> Result<&[Value]> {
        let value = self.required(key)?;
        value
            .as_array()
            .map(Vec::as_slice)
            .ok_or_else(|| self.fault(format!("key `{key}` is {value}, not a list")))
    }

    /// The activation function that a key names.
    ///
    /// # Errors
    /// If the decoder does not support the activation.
    pub fn activation(&self, key: &str, default: &str) -> Result<Activation> {
        match self.text_or(key, default)? {
            "gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" => Ok(Activation::GeluTanh),
            "gelu" | "gelu_python" => Ok(Activation::GeluErf),
            "relu" => Ok(Activation::Relu),
            "relu2" => Ok(Activation::SquaredRelu),
            "silu" | "swish" => Ok(Activation::Silu),
            other => self.unsupported(key, other),
        }
    }

    /// A boolean with a default.
    ///
    /// # Errors
    /// If the value is neither true nor false.
    pub fn flag_or(&self, key: &str, default: bool) -> Result<bool> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => value
                .as_bool()
                .ok_or_else(|| self.fault(format!("key `{key}` is {value}, not true or false"))),
        }
    }

    /// The keys and their values, without null values.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Value)> {
        let entries = self.value.as_object().into_iter().flatten();
        entries.filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.as_str(), value))
    }

    /// A nested object, with the same getters; `None` if absent.
    ///
    /// # Errors
    /// If the value is not an object.
    pub fn object(&self, key: &str) -> Result<Option<Self>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) if value.is_object() => {
                Ok(Some(Self { path: self.path.clone(), value: value.clone(), asked: Arc::default() }))
            }
            Some(value) => Err(self.fault(format!("key `{key}` is {value}, not an object"))),
        }
    }

    /// Rejects an unsupported setting.
    ///
    /// # Errors
    /// Always; the error names the key and its value.
    pub fn unsupported<T>(&self, key: &str, value: impl std::fmt::Display) -> Result<T> {
        Err(self.refusal(format!("unsupported {key}={value}: the states would be wrong; use another model")))
    }
}
