//! Reads the settings of a LoRA. An unsupported setting is an error.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Keys that do not affect the merged weights, such as keys about the training of the adapter.
const IGNORED_KEYS: [&str; 20] = [
    "auto_mapping",
    "base_model_class",
    "base_model_name_or_path",
    "eva_config",
    "exclude_modules",
    "inference_mode",
    "layers_pattern",
    "layers_to_transform",
    "lora_dropout",
    "megatron_core",
    "parent_library",
    "peft_version",
    // This key has an effect only together with `use_qalora`, which is not supported.
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
    "unsloth_fixed",
];

/// Values of `init_lora_weights` for which the weights of the checkpoint stay unchanged.
const INITS: [&str; 4] = ["gaussian", "orthogonal", "eva", "true"];

/// The settings that determine the scale of a LoRA.
#[derive(Debug)]
pub(super) struct LoraSettings {
    alpha: f64,
    has_root: bool,
    alphas: Vec<(Regex, f64)>,
}

impl LoraSettings {
    /// Parses an adapter_config.json.
    ///
    /// # Errors
    /// [`Error::Json`] for invalid JSON, [`Error::Config`] for an unsupported adapter.
    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let config = object(path, bytes)?;
        let refuse = |what: String| Error::Config {
            path: path.into(),
            reason: format!(
                "{what}; merge it with peft (`model.merge_and_unload().save_pretrained(folder)`) and give \
                 the folder of the merged model"
            ),
        };
        match config.get("peft_type").and_then(Value::as_str) {
            Some("LORA") => {}
            Some(other) => {
                return Err(refuse(format!("is an adapter of type {other}, but only LORA is supported")));
            }
            None => {
                return Err(refuse(
                    "is not an adapter of peft (`peft_type` is missing), and other adapters are not \
                     supported"
                        .into(),
                ));
            }
        }
        let is_off = |value: &Value| match value {
            Value::Null => true,
            Value::Bool(on) => !on,
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        for (key, value) in &config {
            let is_known = match key.as_str() {
                "peft_type" | "lora_alpha" | "alpha_pattern" | "use_rslora" => true,
                // This key is ignored, because the architecture determines whether a map is stored transposed
                // (Conv1D).
                "fan_in_fan_out" => true,
                "bias" => value.as_str() == Some("none"),
                "init_lora_weights" => {
                    value.is_boolean() || value.as_str().is_some_and(|init| INITS.contains(&init))
                }
                key if IGNORED_KEYS.contains(&key) => true,
                _ => false,
            };
            if !is_known && !is_off(value) {
                return Err(refuse(format!("is a LoRA with {key}={value}, which is not supported")));
            }
        }
        let fault = |key: &str| Error::Config {
            path: path.into(),
            reason: format!("key `{key}` is not a finite number; correct the file or download it again"),
        };
        let number = |key: &str, value: Option<&Value>| {
            value.and_then(Value::as_f64).filter(|alpha| alpha.is_finite()).ok_or_else(|| fault(key))
        };
        let mut alphas = vec![];
        for (pattern, alpha) in config.get("alpha_pattern").and_then(Value::as_object).into_iter().flatten() {
            let regex = Regex::new(&format!("^(?:(?:.*\\.)?(?:{pattern}))$")).map_err(|_| {
                refuse(format!(
                    "is a LoRA whose alpha_pattern has the key `{pattern}`, which is not a supported regular \
                     expression"
                ))
            })?;
            alphas.push((regex, number("alpha_pattern", Some(alpha))?));
        }
        Ok(Self {
            alpha: number("lora_alpha", config.get("lora_alpha"))?,
            has_root: config.get("use_rslora").and_then(Value::as_bool).unwrap_or(false),
            alphas,
        })
    }

    /// The factor of the product `B A` of a module; `rank` is the rank of the product.
    pub(super) fn scale(&self, module: &str, rank: usize) -> f64 {
        let own = self.alphas.iter().find(|(pattern, _)| pattern.is_match(module));
        let alpha = own.map_or(self.alpha, |(_, alpha)| *alpha);
        alpha / if self.has_root { (rank as f64).sqrt() } else { rank as f64 }
    }
}

fn object(path: &Path, bytes: &[u8]) -> Result<Map<String, Value>> {
    let value = serde_json::from_slice(bytes).map_err(|source| Error::Json { path: path.into(), source })?;
    match value {
        Value::Object(map) => Ok(map),
        _ => {
            Err(Error::Config { path: path.into(), reason: "is not a JSON object; download it again".into() })
        }
    }
}

/// The base model that an adapter_config.json names.
pub fn base_of(bytes: &[u8]) -> Option<String> {
    let map: BTreeMap<String, Value> = serde_json::from_slice(bytes).ok()?;
    let base = map.get("base_model_name_or_path")?.as_str()?;
    Some(base.to_owned()).filter(|base| !base.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(more: &[(&str, Value)]) -> Result<LoraSettings> {
        let mut config = json!({"peft_type": "LORA", "r": 4, "lora_alpha": 8, "bias": "none"});
        more.iter().for_each(|(key, value)| config[*key] = value.clone());
        LoraSettings::parse("adapter_config.json".as_ref(), config.to_string().as_bytes())
    }

    #[test]
    fn the_scale_is_alpha_over_the_rank_or_its_root_and_a_pattern_goes_before() {
        assert_eq!(settings(&[]).expect("a LoRA").scale("model.q_proj", 4), 2.0);
        let root = settings(&[("use_rslora", json!(true))]).expect("a LoRA");
        assert_eq!(root.scale("model.q_proj", 4), 4.0);
        let patterns = json!({"layers.0.q_proj": 16, "layers\\.[2-3]\\.v_proj": 4});
        let own = settings(&[("alpha_pattern", patterns)]).expect("a LoRA");
        let scales =
            ["model.layers.0.q_proj", "model.layers.1.q_proj", "model.layers.3.v_proj", "xlayers.0.q_proj"]
                .map(|module| own.scale(module, 4));
        assert_eq!(scales, [4.0, 2.0, 1.0, 2.0]);
    }

    #[test]
    fn what_is_no_plain_lora_is_refused_by_its_key() {
        for (key, value) in [
            ("peft_type", json!("IA3")),
            ("peft_type", json!("PROMPT_TUNING")),
            ("peft_type", json!(null)),
            ("use_dora", json!(true)),
            ("modules_to_save", json!(["lm_head"])),
            ("bias", json!("all")),
            ("lora_bias", json!(true)),
            ("layer_replication", json!([[0, 4], [2, 5]])),
            ("init_lora_weights", json!("pissa")),
            ("trainable_token_indices", json!([1, 2])),
            ("something_new", json!(3)),
        ] {
            let error = settings(&[(key, value.clone())]).expect_err(key).to_string();
            assert!(error.contains(key) || error.contains(value.as_str().unwrap_or("?")), "{error}");
            assert!(error.contains("merge it with peft"), "{error}");
        }
        for (key, value) in [
            ("use_dora", json!(false)),
            ("modules_to_save", json!(null)),
            ("loftq_config", json!({})),
            ("something_new", json!(null)),
            ("target_modules", json!("all-linear")),
            ("init_lora_weights", json!("gaussian")),
        ] {
            settings(&[(key, value)]).expect(key);
        }
        assert!(settings(&[("lora_alpha", json!("x"))]).is_err());
    }
}
