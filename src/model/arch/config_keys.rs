//! Lists, for each `model_type`, the keys of config.json that transformers reads. `scripts/config_keys.py`
//! extracts the lists from the config classes and the model code. A key that transformers does not read
//! cannot change the states that transformers computes, so surmise ignores the key, too.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

/// The keys of one `model_type`.
#[derive(Debug, Deserialize)]
pub(super) struct ConfigKeys {
    /// The config class.
    pub(super) config: String,
    /// All classes that transformers has for this `model_type`.
    pub(super) classes: Vec<String>,
    /// Keys that can affect the states, with their defaults.
    read: BTreeMap<String, Value>,
    /// Keys of the config class that do not affect the states.
    no_effect: Vec<String>,
}

#[derive(Deserialize)]
struct Table {
    /// Keys that every class accepts and that do not affect the states.
    base: Vec<String>,
    #[serde(flatten)]
    by_type: BTreeMap<String, ConfigKeys>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    serde_json::from_str(include_str!("config_keys.json")).expect("config_keys.json is part of this binary")
});

impl ConfigKeys {
    /// The keys of a `model_type`.
    pub(super) fn of(model_type: &str) -> Option<&'static Self> {
        TABLE.by_type.get(model_type)
    }

    /// The keys that can affect the states and have a default in the config class, with their defaults.
    pub(super) fn defaults(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.read.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.as_str(), value))
    }

    /// Whether transformers reads a key.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.read.contains_key(key) || self.has_no_effect(key)
    }

    /// Whether a decoder may ignore a key, because the key does not affect the states or has the default
    /// value of the config class.
    pub(super) fn asks_for_nothing(&self, key: &str, value: &Value) -> bool {
        let Some(default) = self.read.get(key) else { return true };
        // Attention is causal without this key, so the value `true` changes nothing, whatever the default is.
        if key == "is_causal" {
            return value == true;
        }
        let as_default = match (value.as_f64(), default.as_f64()) {
            (Some(value), Some(default)) => value == default,
            _ => value == default,
        };
        as_default || (is_off(value) && is_off(default))
    }

    fn has_no_effect(&self, key: &str) -> bool {
        TABLE.base.iter().chain(&self.no_effect).any(|known| known == key)
    }
}

/// If the name of a key contains one of these words, the key is probably a setting of the computation.
const ARITHMETIC: [&str; 7] = ["rope", "scale", "norm", "window", "expert", "quant", "causal"];

/// Whether a key that transformers does not read may be intended to change the states: its name contains a
/// word of `ARITHMETIC`, and its value is neither off nor 1.
pub(super) fn is_suspicious(key: &str, value: &Value) -> bool {
    let name = key.to_ascii_lowercase();
    !is_off(value) && value.as_f64() != Some(1.0) && ARITHMETIC.iter().any(|part| name.contains(part))
}

/// Whether a value switches its key off: false, 0 or empty. A quantisation config is off if `load_in_4bit`
/// and `load_in_8bit` are both false.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => {
            let bits = [entries.get("load_in_4bit"), entries.get("load_in_8bit")];
            entries.is_empty() || bits.iter().all(|bits| bits.is_some_and(|bits| *bits == false))
        }
        Value::String(text) => text.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::arch::ALL;

    #[test]
    fn every_architecture_has_its_keys() {
        for architecture in ALL {
            let model_type = architecture.model_type();
            let keys = ConfigKeys::of(model_type).unwrap_or_else(|| panic!("no keys of {model_type}"));
            assert!(keys.knows("vocab_size") && keys.knows("torch_dtype") && !keys.knows("unsloth_fixed"));
        }
    }

    #[test]
    fn a_key_is_suspicious_by_name_and_value() {
        assert!(is_suspicious("rope_interleaved", &json!(true)));
        assert!(is_suspicious("RoPE_base", &json!(5e5)));
        assert!(!is_suspicious("rope_interleaved", &json!(false)));
        assert!(!is_suspicious("logit_scale", &json!(1.0)));
        assert!(!is_suspicious("tokenizer", &json!("fast")));
    }
}
