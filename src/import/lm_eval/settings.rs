//! Copies the settings of a run that cannot contain an API key, and returns the names of the other settings.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::import::keys::is_suspect;

/// Settings that cannot contain a key. Only these and [`MODEL_ARGS`] are copied.
static SETTINGS: &[&str] = &[
    "batch_size",
    "bootstrap_iters",
    "date",
    "fewshot_as_multiturn",
    "fewshot_seed",
    "git_hash",
    "limit",
    "lm_eval_version",
    "model",
    "model_source",
    "numpy_seed",
    "random_seed",
    "system_instruction_sha",
    "chat_template_sha",
    "torch_seed",
    "transformers_version",
    "num_fewshot",
];

/// The placeholder for an argument without a name.
static UNNAMED: &str = "(an argument without a name)";

/// Model arguments that cannot contain a key.
static MODEL_ARGS: &[&str] = &[
    "model",
    "pretrained",
    "revision",
    "dtype",
    "num_concurrent",
    "max_length",
    "max_gen_toks",
    "engine",
    "peft",
    "tokenizer_backend",
    "seed",
];

/// Members that are read elsewhere or ignored. They are neither copied nor reported.
static OTHERS: &[&str] = &[
    "results",
    "groups",
    "group_subtasks",
    "configs",
    "versions",
    "n-shot",
    "higher_is_better",
    "n-samples",
    "config",
    "task_hashes",
    "model_name",
    "model_name_sanitized",
    "model_args",
    "batch_sizes",
    "device",
    "max_length",
    "eot_token_id",
    "tokenizer_pad_token",
    "tokenizer_eos_token",
    "tokenizer_bos_token",
    "total_evaluation_time_seconds",
    "start_time",
    "end_time",
    "upper_git_hash",
    "pretty_env_info",
    "chat_template",
    "use_cache",
    "eval_hf_args",
    "summary_tasks",
];

/// Whether a text can be the name of a setting: an identifier that is shorter than a key.
fn is_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.');
    text == UNNAMED || text.len() <= 32 && text.bytes().all(is_letter)
}

/// Copies the settings that cannot contain a key to `kept`, and returns the names of the other settings.
pub(super) fn settings(value: &Value, kept: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut dropped = vec![];
    let mut keep = |prefix: &str, key: &str, value: &Value, known: &[&str], quiet: &[&str]| {
        let plain = matches!(value, Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_));
        let is_empty = value.is_null()
            || value.as_object().is_some_and(Map::is_empty)
            || value.as_array().is_some_and(Vec::is_empty);
        match value {
            _ if is_empty => {}
            _ if known.contains(&key) && plain => {
                let text: String = value.as_str().map_or_else(|| value.to_string(), Into::into);
                match is_suspect(&text) {
                    true => dropped.push(format!("{prefix}{key}")),
                    false => drop(kept.insert(format!("{prefix}{key}"), text)),
                }
            }
            _ if quiet.contains(&key) || known.contains(&key) => {}
            // A text at the place of a name may be part of a value, so it is not reported unless it is a
            // plain identifier.
            _ if !is_name(key) => dropped.push(format!("{prefix}(a member whose name may contain a secret)")),
            _ => dropped.push(format!("{prefix}{key}")),
        }
    };
    for (key, value) in value.as_object().into_iter().flatten() {
        keep("", key, value, SETTINGS, OTHERS);
    }
    for (key, value) in value["config"].as_object().into_iter().flatten() {
        keep("config.", key, value, SETTINGS, OTHERS);
    }
    let arguments = &value["config"]["model_args"];
    for (key, value) in arguments.as_object().into_iter().flatten() {
        keep("config.model_args.", key, value, MODEL_ARGS, &[]);
    }
    for pair in arguments.as_str().unwrap_or_default().split(',').filter(|pair| !pair.is_empty()) {
        // An argument without `=` is a value without a name, and may be a key.
        let (key, value) = pair.split_once('=').unwrap_or((UNNAMED, ""));
        keep("config.model_args.", key.trim(), &Value::String(value.trim().into()), MODEL_ARGS, &[]);
    }
    dropped
}
