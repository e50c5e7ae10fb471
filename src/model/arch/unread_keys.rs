//! Finds the keys of a config.json that its architecture does not read, and returns an error if custom model
//! code may read one of them.

use serde_json::Value;

use super::config::Config;
use super::config_keys::{ConfigKeys, is_suspicious};
use super::multimodal::{self, TextPart};
use super::rotary;
use crate::error::Result;

/// The keys of a config.json that surmise ignores, and other findings to report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnreadKeys {
    /// The config class of transformers for this `model_type`.
    pub config_class: String,
    /// The ignored keys. A key in a description of rotary positions is written as the name of the
    /// description, a dot and the key.
    pub keys: Vec<String>,
    /// `unread_key:KEY` for a key that looks like a setting of the computation and is switched on;
    /// `foreign_code:CLASS` for a class in `auto_map` that transformers does not have;
    /// `text_part_of:MODEL_TYPE` if only the text part of a model is read.
    pub flags: Vec<String>,
}

impl UnreadKeys {
    /// Adds the keys of one config for which `known` is false, with `prefix` before their names.
    fn look_through(
        &mut self,
        config: &Config,
        model_type: &str,
        prefix: &str,
        known: impl Fn(&str) -> bool,
    ) {
        let of_type = rotary::KNOWN_TO.iter().filter(|(kind, _)| *kind == model_type);
        let more: Vec<&str> = of_type.flat_map(|(_, keys)| *keys).copied().collect();
        let is_known = |inner: &str| rotary::KNOWN.contains(&inner) || more.contains(&inner);
        for (key, value) in config.entries() {
            match value {
                _ if !known(key) => self.note(format!("{prefix}{key}"), value),
                Value::Object(description) if rotary::DESCRIPTIONS.contains(&key) => {
                    let plain = description.iter().filter(|(_, value)| !value.is_object());
                    for (inner, value) in plain.filter(|(inner, _)| !is_known(inner)) {
                        self.note(format!("{prefix}{key}.{inner}"), value);
                    }
                }
                _ => {}
            }
        }
    }

    fn note(&mut self, name: String, value: &Value) {
        if is_suspicious(&name, value) {
            self.flags.push(format!("unread_key:{name}"));
        }
        self.keys.push(name);
    }
}

/// Keys that tools add to describe the file. No model code reads them.
const PROVENANCE: [&str; 4] = ["transformers.js_config", "unsloth_fixed", "unsloth_version", "tokenizer"];

/// Finds the keys that the architecture of `config` does not read. If `auto_map` names custom code, the code
/// may read these keys, so each key must be in `allowed`.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) for a key that custom code may read and that is not in `allowed`.
pub fn unread_keys(config: &Config, allowed: &[String]) -> Result<UnreadKeys> {
    let model_type = config.text("model_type")?;
    let Some(known) = ConfigKeys::of(model_type) else { return Ok(UnreadKeys::default()) };
    let mut unread = UnreadKeys { config_class: known.config.clone(), ..UnreadKeys::default() };
    match multimodal::text_part(config)? {
        None => unread.look_through(config, model_type, "", |key| known.knows(key)),
        Some(TextPart { whole, config: part, key }) => {
            unread.flags.push(format!("text_part_of:{}", whole.model_type));
            let kind = part.text("model_type")?;
            let text = ConfigKeys::of(kind);
            let in_text = |key: &str| text.is_none_or(|text| text.knows(key));
            match key {
                None => unread.look_through(config, kind, "", |key| known.knows(key) || in_text(key)),
                Some(nested) => {
                    unread.look_through(config, model_type, "", |key| known.knows(key));
                    unread.look_through(&part, kind, &format!("{nested}."), in_text);
                }
            }
        }
    }
    let foreign = foreign_classes(config, known);
    let asked = unread.keys.iter().find(|key| !PROVENANCE.contains(&key.as_str()) && !allowed.contains(key));
    if let (Some(class), Some(key)) = (foreign.first(), asked) {
        return Err(config.refusal(format!(
            "auto_map names custom code, `{class}`, which may read `{key}`; neither `{}` of transformers nor \
             surmise reads this key. Add `--allow-config-key {key}` if the key does not affect the states",
            unread.config_class
        )));
    }
    unread.flags.extend(foreign.into_iter().map(|class| format!("foreign_code:{class}")));
    Ok(unread)
}

/// The config and model classes in `auto_map` that transformers does not have for this `model_type`.
fn foreign_classes(config: &Config, known: &ConfigKeys) -> Vec<String> {
    let Some(Value::Object(map)) = config.get("auto_map") else { return vec![] };
    let of_models = map.iter().filter(|(auto, _)| *auto == "AutoConfig" || auto.starts_with("AutoModel"));
    let classes = of_models.filter_map(|(_, path)| Some(path.as_str()?.rsplit('.').next()?.to_owned()));
    let mut foreign: Vec<String> = classes.filter(|class| !known.classes.contains(class)).collect();
    foreign.sort_unstable();
    foreign.dedup();
    foreign
}
