//! The settings that determine the results of a profile, by name. They identify a measurement: they
//! distinguish profiles, and their hash is part of the file name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::Model;
use crate::seed;

/// Number of characters of a hash in messages and file names.
const SHORT: usize = 8;

/// The settings of a measurement as names and values. Two measurements with the same settings have the same
/// results, so the second is unnecessary.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProfileSettings(BTreeMap<String, String>);

impl ProfileSettings {
    /// Creates settings from names and values.
    pub fn new<'a>(settings: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        Self(settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The settings of a measurement: the settings of the model, which all estimands have in common, and the
    /// settings of the estimand.
    pub fn of_estimand<'a>(
        estimand: &str,
        model: &Model,
        own: impl IntoIterator<Item = (&'a str, String)>,
    ) -> Self {
        // The architecture, as the decoder reads it from config.json.
        let spec = format!("{:?}", model.decoder.spec());
        let of_model = [
            ("estimand", estimand.to_owned()),
            ("weights_sha256", model.info.weights_sha256.clone()),
            ("spec_sha256", seed::sha256_hex(spec.as_bytes())),
            ("dtype", model.info.dtype.name().to_owned()),
            ("device", model.info.device.to_string()),
        ];
        Self::new(of_model.into_iter().chain(own))
    }

    /// The value of a setting; `None` if there is no such setting.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names of the settings, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// SHA-256 of the lines `name=value`, sorted by name.
    pub fn sha256(&self) -> String {
        let lines: String = self.0.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        seed::sha256_hex(lines.as_bytes())
    }

    /// The first characters of the hash, as used in file names.
    pub fn short_hash(&self) -> String {
        short(&self.sha256()).to_owned()
    }

    /// The settings in which two measurements differ: the name and both values of each setting. Settings in
    /// `except` are not compared.
    pub fn differences(&self, other: &Self, except: &[&str]) -> Vec<String> {
        let names = self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name)));
        let differ =
            names.filter(|name| !except.contains(&name.as_str()) && self.get(name) != other.get(name));
        let shown = |settings: &Self, name: &str| {
            let value = settings.get(name).unwrap_or("unknown");
            if name.ends_with("_sha256") { short(value).to_owned() } else { value.to_owned() }
        };
        differ.map(|name| format!("{name}: {} and {}", shown(self, name), shown(other, name))).collect()
    }
}

/// The first characters of a hash.
fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

/// A filter `name=value` on a setting. For a hash, its first characters are enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFilter {
    /// The name of the setting.
    pub name: String,
    value: String,
}

impl SettingFilter {
    fn admits(&self, value: &str) -> bool {
        value == self.value || (self.name.ends_with("_sha256") && value.starts_with(&self.value))
    }

    /// Whether the setting has the value of the filter.
    ///
    /// # Errors
    /// [`Error::Parameter`] for an unknown setting; the error lists the known settings.
    pub fn holds(&self, settings: &ProfileSettings) -> Result<bool> {
        match settings.get(&self.name) {
            Some(value) => Ok(self.admits(value)),
            None => Err(self.unknown(&settings.names().collect::<Vec<_>>())),
        }
    }

    fn unknown(&self, known: &[&str]) -> Error {
        let reason = format!("`{}` is not a setting; the settings are {}", self.name, known.join(", "));
        Error::Parameter { name: "--select", reason }
    }
}

impl std::str::FromStr for SettingFilter {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                Ok(Self { name: name.trim().to_owned(), value: value.trim().to_owned() })
            }
            _ => Err("give NAME=VALUE, such as n_windows=1000 or dtype=f32".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&'static str, &str)]) -> ProfileSettings {
        ProfileSettings::new(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())))
    }

    #[test]
    fn the_hash_depends_on_every_name_and_value_and_not_on_their_order() {
        let first = settings(&[("seed", "1"), ("shots", "12")]);
        assert_eq!(first.sha256(), settings(&[("shots", "12"), ("seed", "1")]).sha256());
        for other in [
            settings(&[("seed", "12"), ("shots", "1")]),
            settings(&[("seed", "1"), ("shots", "1")]),
            settings(&[("seed", "1")]),
            settings(&[("seed", "1"), ("shot", "12")]),
        ] {
            assert_ne!(first.sha256(), other.sha256(), "{other:?}");
        }
        // The expected hash comes from `printf 'seed=1\nshots=12\n' | sha256sum`.
        assert_eq!(first.short_hash(), "625e2e28");
    }

    #[test]
    fn differences_name_the_setting_and_both_values() {
        let (a, b) = (settings(&[("seed", "1"), ("shots", "2")]), settings(&[("seed", "1"), ("shots", "3")]));
        assert_eq!(a.differences(&b, &[]), ["shots: 2 and 3"]);
        assert!(a.differences(&b, &["shots"]).is_empty() && a.differences(&a, &[]).is_empty());
    }

    #[test]
    fn a_filter_compares_values_whole_and_hashes_by_their_beginning() {
        let of = settings(&[("shots", "12"), ("weights_sha256", "abcdef")]);
        let holds = |text: &str| text.parse::<SettingFilter>().unwrap().holds(&of);
        assert!(holds("shots=12").unwrap() && !holds("shots=1").unwrap());
        assert!(holds("weights_sha256=abc").unwrap() && !holds("weights_sha256=bc").unwrap());
        assert!(holds("shot=12").unwrap_err().to_string().contains("the settings are shots, weights_sha256"));
        assert!("shots".parse::<SettingFilter>().is_err() && "=1".parse::<SettingFilter>().is_err());
    }
}
