//! One architecture per file: its published config.json becomes a [`Spec`], its tensor names become
//! [`Names`]. A new architecture is one file here and one row in [`ALL`]. Whatever a config asks for and the
//! decoder cannot do is refused by name: ignored, it would give wrong states without an error.

mod bloom;
mod config;
mod falcon;
mod gemma;
mod gemma2;
mod gemma3;
mod gpt2;
mod gpt_neo;
mod gpt_neox;
mod gptj;
mod granite;
mod ignored_keys;
mod layers;
mod llama;
mod mistral;
mod names;
mod olmo;
mod olmo2;
mod opt;
mod phi;
mod phi3;
mod qwen2;
mod qwen3;
mod rotary;
mod smollm3;
mod stablelm;
mod starcoder2;

use serde_json::Value;

pub use self::config::Config;
pub use self::names::Names;
use super::parts::Parts;
use super::spec::Spec;
use super::weights::Source;
use crate::error::Result;

/// What an architecture knows: how to read its config and where its tensors are.
pub trait Architecture: Sync {
    /// `model_type` in config.json.
    fn model_type(&self) -> &'static str;
    /// One line for `surmise list architectures`.
    fn summary(&self) -> &'static str;
    /// The spec a config.json asks for, in any of its published spellings.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a missing or malformed key and for anything the decoder
    /// cannot do.
    fn spec(&self, config: &Config) -> Result<Spec>;
    /// What its tensors are called, and how fused ones are laid out.
    fn names(&self, spec: &Spec) -> Names;
    /// Takes every tensor from `source` and lays it out as the decoder wants it: linear maps as `(out, in)`.
    ///
    /// # Errors
    /// Whatever `source` finds wrong.
    fn parts(&self, spec: &Spec, source: &dyn Source) -> Result<Parts> {
        self.names(spec).parts(spec, source)
    }
}

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
/// [`Error::Config`](crate::Error::Config) if the key is missing or names an architecture that is not in
/// [`ALL`], for a key that is missing or malformed, and for every setting that the architecture does not
/// know, unless it is known to change no state.
pub fn read(config: &Config) -> Result<(&'static dyn Architecture, Spec)> {
    let model_type = config.text("model_type")?;
    let Some(architecture) = ALL.iter().copied().find(|a| a.model_type() == model_type) else {
        let known: Vec<_> = ALL.iter().map(|a| a.model_type()).collect();
        let known = known.join(", ");
        return Err(config.refusal(format!(
            "model_type `{model_type}` is not supported; take a model of one of these: {known}"
        )));
    };
    let spec = architecture.spec(config)?;
    if let Some(fault) = spec.fault() {
        return Err(config.fault(fault));
    }
    match config.unasked(ignored_keys::changes_nothing) {
        Some((key, Value::Object(_))) => config.unsupported(key, "{..}"),
        Some((key, value)) => config.unsupported(key, value),
        None => Ok((architecture, spec)),
    }
}
