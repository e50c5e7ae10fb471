//! The keys of a config.json that its architecture does not read, and whether to go on beside them.

use serde_json::Value;

use super::config::Config;
use super::config_keys::{ConfigKeys, is_suspicious};
use super::rotary;
use crate::error::Result;

/// What a config.json says that changes no state here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnreadKeys {
    /// The class of transformers that does not read them.
    pub config_class: String,
    /// The keys; one within a description of rotary positions stands behind its name and a point.
    pub keys: Vec<String>,
    /// `unread_key:KEY` for a key that looks like arithmetic and is switched on, `foreign_code:CLASS` for a
    /// class in `auto_map` that is not of transformers' own code.
    pub flags: Vec<String>,
}

/// Notes of tools about the file itself; they mean nothing to any code.
const PROVENANCE: [&str; 4] = ["transformers.js_config", "unsloth_fixed", "unsloth_version", "tokenizer"];

/// Finds the keys that the architecture of `config` does not read. Beside an `auto_map` to foreign code,
/// which may read them, each must be among `allowed`.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) for a key beside foreign code that is not allowed.
pub fn unread_keys(config: &Config, allowed: &[String]) -> Result<UnreadKeys> {
    let Some(known) = ConfigKeys::of(config.text("model_type")?) else { return Ok(UnreadKeys::default()) };
    let mut unread = UnreadKeys { config_class: known.config.clone(), ..UnreadKeys::default() };
    let mut note = |name: String, value: &Value| {
        if is_suspicious(&name, value) {
            unread.flags.push(format!("unread_key:{name}"));
        }
        unread.keys.push(name);
    };
    for (key, value) in config.entries() {
        match value {
            _ if !known.knows(key) => note(key.to_owned(), value),
            Value::Object(description) if rotary::DESCRIPTIONS.contains(&key) => {
                let unread = |inner: &&String| !rotary::KNOWN.contains(&inner.as_str());
                for inner in
                    description.keys().filter(unread).filter(|inner| !description[*inner].is_object())
                {
                    note(format!("{key}.{inner}"), &description[inner]);
                }
            }
            _ => {}
        }
    }
    let foreign = foreign_classes(config, known);
    let asked = unread.keys.iter().find(|key| !PROVENANCE.contains(&key.as_str()) && !allowed.contains(key));
    if let (Some(class), Some(key)) = (foreign.first(), asked) {
        return Err(config.refusal(format!(
            "auto_map names code of its own, `{class}`, which may read `{key}`; `{}` of transformers does \
             not, and neither does this decoder. Add `--allow-config-key {key}` if it changes no state",
            unread.config_class
        )));
    }
    unread.flags.extend(foreign.into_iter().map(|class| format!("foreign_code:{class}")));
    Ok(unread)
}

/// The classes of configs and models in `auto_map` that are none of transformers' own for this `model_type`.
fn foreign_classes(config: &Config, known: &ConfigKeys) -> Vec<String> {
    let Some(Value::Object(map)) = config.get("auto_map") else { return vec![] };
    let of_models = map.iter().filter(|(auto, _)| *auto == "AutoConfig" || auto.starts_with("AutoModel"));
    let classes = of_models.filter_map(|(_, path)| Some(path.as_str()?.rsplit('.').next()?.to_owned()));
    let mut foreign: Vec<String> = classes.filter(|class| !known.classes.contains(class)).collect();
    foreign.sort_unstable();
    foreign.dedup();
    foreign
}
