//! The table of architectures, and the choice of one by `model_type`.

use serde_json::Value;

use super::architecture::Architecture;
use super::config::Config;
use super::config_keys::ConfigKeys;
use super::{
    bloom, falcon, gemma, gemma2, gemma3, gpt_neo, gpt_neox, gpt2, gptj, granite, llama, mistral, olmo,
    olmo2, opt, phi, phi3, qwen2, qwen3, smollm3, stablelm, starcoder2,
};
use crate::error::Result;
use crate::model::spec::Spec;

/// The architectures surmise can open.
pub static ALL: &[&dyn Architecture] = &[
    &gpt2::Gpt2,
    &gpt_neo::GptNeo,
    &gptj::GptJ,
    &gpt_neox::GptNeoX,
    &opt::Opt,
    &bloom::Bloom,
    &falcon::Falcon,
    &llama::Llama,
    &mistral::Mistral,
    &qwen2::Qwen2,
    &qwen3::Qwen3,
    &gemma::Gemma,
    &gemma2::Gemma2,
    &gemma3::Gemma3,
    &olmo::Olmo,
    &olmo2::Olmo2,
    &phi::Phi,
    &phi3::Phi3,
    &stablelm::StableLm,
    &starcoder2::Starcoder2,
    &granite::Granite,
    &smollm3::SmolLm3,
];

/// The architecture of a config, by its `model_type`, and what the config asks for.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) if `model_type` is missing or names an architecture that is not in
/// [`ALL`], for a key that is missing or malformed, and for every key that transformers reads with a value
/// that the decoder does not do. A key that it does not read is not seen here: [`unread_keys`] names those.
///
/// [`unread_keys`]: super::unread_keys()
pub fn read(config: &Config) -> Result<(&'static dyn Architecture, Spec)> {
    let model_type = config.text("model_type")?;
    let Some(architecture) = ALL.iter().copied().find(|a| a.model_type() == model_type) else {
        let known: Vec<_> = ALL.iter().map(|a| a.model_type()).collect();
        let known = known.join(", ");
        return Err(config.refusal(format!(
            "model_type `{model_type}` is not supported; take a model of one of these: {known}"
        )));
    };
    let Some(keys) = ConfigKeys::of(model_type) else {
        return Err(config.refusal(format!("the keys of model_type `{model_type}` are not known")));
    };
    let seen = config.only(|key| keys.knows(key));
    let spec = architecture.spec(&seen)?;
    if let Some(fault) = spec.fault() {
        return Err(config.fault(fault));
    }
    match seen.first_unread_key(|key, value| keys.asks_for_nothing(key, value)) {
        Some((key, Value::Object(_))) => config.unsupported(key, "{..}"),
        Some((key, value)) => config.unsupported(key, value),
        None => Ok((architecture, spec)),
    }
}
