//! Reads the settings files of a tokenizer: tokenizer_config.json, special_tokens_map.json and
//! added_tokens.json.

use std::collections::BTreeMap;

use serde_json::Value;
use tokenizers::AddedToken;

use super::TokenizerFiles;
use crate::error::{Error, Result};

pub(super) const CONFIG: &str = "tokenizer_config.json";
pub(super) const SPECIAL: &str = "special_tokens_map.json";
pub(super) const ADDED: &str = "added_tokens.json";

/// The settings of a tokenizer; missing settings are `None`.
#[derive(Debug, Default)]
pub(super) struct TokenizerSettings {
    /// `tokenizer_class`, without the suffix `Fast` of classes that read tokenizer.json.
    pub(super) class: Option<String>,
    /// The text of the beginning-of-sequence token.
    pub(super) bos: Option<String>,
    pub(super) add_bos: Option<bool>,
    pub(super) add_eos: Option<bool>,
    pub(super) add_prefix_space: Option<bool>,
    /// Tokens beyond the vocabulary, by id.
    pub(super) added: BTreeMap<u32, AddedToken>,
    /// The texts of all special tokens. Their ids are looked up in the vocabulary.
    pub(super) special: Vec<String>,
}

impl TokenizerSettings {
    /// Reads the files that exist.
    ///
    /// # Errors
    /// [`Error::Json`] for invalid JSON, [`Error::Tokenizer`] for a setting that must be true or false but is
    /// not.
    pub(super) fn read(files: &dyn TokenizerFiles) -> Result<Self> {
        let object = |name: &str| -> Result<Value> {
            let Some(bytes) = files.read(name)? else { return Ok(Value::Null) };
            serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: files.path(name), source })
        };
        let (config, special, added) = (object(CONFIG)?, object(SPECIAL)?, object(ADDED)?);
        let token = |key: &str| text_of(&config[key]).or_else(|| text_of(&special[key]));
        let switch = |key: &str| match &config[key] {
            Value::Null => Ok(None),
            Value::Bool(on) => Ok(Some(*on)),
            other => Err(Error::Tokenizer {
                path: files.path(CONFIG),
                reason: format!(
                    "key `{key}` is {other}, not true or false; correct the file or download it again"
                ),
            }),
        };
        let class = config["tokenizer_class"].as_str();
        let mut settings = Self {
            class: class.map(|class| class.trim_end_matches("Fast").to_owned()),
            bos: token("bos_token"),
            add_bos: switch("add_bos_token")?,
            add_eos: switch("add_eos_token")?,
            add_prefix_space: switch("add_prefix_space")?,
            ..Self::default()
        };
        for (id, entry) in config["added_tokens_decoder"].as_object().into_iter().flatten() {
            if let (Ok(id), Some(content)) = (id.parse(), text_of(entry)) {
                settings.added.insert(id, added_token(content, entry));
            }
        }
        for (content, id) in added.as_object().into_iter().flatten() {
            if let Some(id) = id.as_u64().and_then(|id| u32::try_from(id).ok()) {
                let token = AddedToken::from(content.clone(), false);
                settings.added.entry(id).or_insert(token);
            }
        }
        for map in [&config, &special] {
            let named = map.as_object().into_iter().flatten().filter(|(key, _)| key.ends_with("_token"));
            settings.special.extend(named.filter_map(|(_, value)| text_of(value)));
            let more = map["additional_special_tokens"].as_array().into_iter().flatten();
            settings.special.extend(more.filter_map(text_of));
        }
        settings.special.sort_unstable();
        settings.special.dedup();
        for token in settings.added.values_mut() {
            if settings.special.binary_search(&token.content).is_ok() {
                token.special = true;
                token.normalized = false;
            }
        }
        Ok(settings)
    }
}

/// The text of a token, which is a string or an object with properties.
fn text_of(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value["content"].as_str()).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn added_token(content: String, entry: &Value) -> AddedToken {
    let is = |key: &str| entry[key].as_bool();
    let special = is("special").unwrap_or(false);
    AddedToken::from(content, special)
        .lstrip(is("lstrip").unwrap_or(false))
        .rstrip(is("rstrip").unwrap_or(false))
        .single_word(is("single_word").unwrap_or(false))
        .normalized(is("normalized").unwrap_or(!special))
}
