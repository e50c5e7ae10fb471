//! Reads the text part of multimodal models (text and images). The config of the text part is in
//! `text_config`, and its tensors have a prefix. The image part is ignored. For inputs without images, a
//! multimodal model computes the same states as its text part. This also applies to models whose rotary
//! positions have three components (mrope), because the three components of a text token are equal.

use serde_json::Value;

use super::config::Config;
use super::config_keys::ConfigKeys;
use crate::error::Result;

/// A kind of multimodal model whose text part can be measured.
#[derive(Debug)]
pub struct Multimodal {
    /// `model_type` in config.json.
    pub model_type: &'static str,
    /// One line for `surmise list architectures`.
    pub summary: &'static str,
    /// Default `model_type` of `text_config`.
    text: &'static str,
    /// Whether the keys of the text part are at the top level if there is no `text_config`.
    is_flat: bool,
    /// Default of `tie_word_embeddings` for the whole model.
    is_tied: bool,
    /// Whether `tie_word_embeddings` of the text part also applies to the whole model.
    ties_by_text: bool,
}

const fn nested(model_type: &'static str, text: &'static str, summary: &'static str) -> Multimodal {
    Multimodal { model_type, summary, text, is_flat: false, is_tied: false, ties_by_text: false }
}

/// The supported kinds of multimodal models.
pub static MULTIMODAL: &[Multimodal] = &[
    Multimodal { is_tied: true, ..nested("gemma3", "gemma3_text", "Gemma 3 with images (text part)") },
    Multimodal {
        ties_by_text: true,
        ..nested("llava", "llama", "LLaVA (text part, which may have any architecture of this list)")
    },
    Multimodal {
        is_flat: true,
        ties_by_text: true,
        ..nested("qwen2_vl", "qwen2_vl_text", "Qwen2-VL (text part)")
    },
    Multimodal {
        is_flat: true,
        ties_by_text: true,
        ..nested("qwen2_5_vl", "qwen2_5_vl_text", "Qwen2.5-VL (text part)")
    },
    nested("qwen3_vl", "qwen3_vl_text", "Qwen3-VL (text part)"),
    nested("mistral3", "mistral", "Mistral Small 3.1 with images (text part)"),
    nested("idefics3", "llama", "Idefics3 (text part)"),
    nested("smolvlm", "llama", "SmolVLM (text part)"),
];

/// Text parts whose `model_type` is not an architecture in the registry: their `model_type`, the architecture
/// that computes them, and the default rotary base.
const TEXT_PARTS: [(&str, &str, f64); 3] =
    [("qwen2_vl_text", "qwen2", 1e6), ("qwen2_5_vl_text", "qwen2", 1e6), ("qwen3_vl_text", "qwen3", 5e5)];

/// The `model_type` of the architecture that computes the given `model_type`.
pub(super) fn architecture_of(model_type: &str) -> &str {
    TEXT_PARTS.iter().find(|(part, ..)| *part == model_type).map_or(model_type, |(_, of, _)| of)
}

/// The text part of a config.
pub(super) struct TextPart {
    pub(super) whole: &'static Multimodal,
    /// The config of the text part, with the defaults of its config class.
    pub(super) config: Config,
    /// The key of the text part; `None` if its keys are at the top level.
    pub(super) key: Option<&'static str>,
}

/// The text part of a multimodal config; `None` for any other config.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) if the text part is missing or malformed.
pub(super) fn text_part(config: &Config) -> Result<Option<TextPart>> {
    let model_type = config.text("model_type")?;
    let Some(whole) = MULTIMODAL.iter().find(|whole| whole.model_type == model_type) else { return Ok(None) };
    let (text, key) = match config.object("text_config")? {
        Some(text) => (text, Some("text_config")),
        None if whole.is_flat => (config.clone(), None),
        None => return Err(config.fault("key `text_config` is missing")),
    };
    let kind = match key {
        Some(_) => text.text_or("model_type", whole.text)?.to_owned(),
        None => whole.text.to_owned(),
    };
    let mut part = text.with("model_type", kind.clone().into());
    if let Some(keys) = ConfigKeys::of(&kind) {
        part = keys.defaults().fold(part, |part, (key, value)| part.with_absent(key, value));
    }
    if let Some((.., theta)) = TEXT_PARTS.iter().find(|(part, ..)| *part == kind) {
        part = part.with_absent("rope_theta", &Value::from(*theta));
    }
    let tied = config.flag_or("tie_word_embeddings", whole.is_tied)?
        || (whole.ties_by_text && part.flag_or("tie_word_embeddings", false)?);
    part = part.with("tie_word_embeddings", tied.into());
    if let Some(quantised) = config.get("quantization_config") {
        part = part.with_absent("quantization_config", quantised);
    }
    Ok(Some(TextPart { whole, config: part, key }))
}

/// The config for the tokenizer. For a multimodal model, this is the config of the text part, with the
/// special tokens of the whole model if its config names them. For any other model, this is the config
/// itself.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) if the text part is missing or malformed.
pub fn text_config(config: &Config) -> Result<Config> {
    let Some(TextPart { config: part, .. }) = text_part(config)? else { return Ok(config.clone()) };
    Ok(["bos_token_id", "eos_token_id"].into_iter().fold(part, |part, key| match config.get(key) {
        Some(id) => part.with(key, id.clone()),
        None => part,
    }))
}
