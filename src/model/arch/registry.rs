//! The table of architectures, and the choice of one by `model_type`.

use serde_json::Value;

use super::architecture::Architecture;
use super::config::Config;
use super::{
    bloom, config_keys, falcon, gemma, gemma2, gemma3, gpt_neo, gpt_neox, gpt2, gptj, granite, llama,
    mistral, olmo, olmo2, opt, phi, phi3, qwen2, qwen3, smollm3, stablelm, starcoder2,
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
/// [`ALL`], for a key that is missing or malformed, and for every key that the architecture neither reads nor
/// ignores.
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
    let keys = architecture.keys();
    match config
        .first_unread_key(|key, value| keys.ignores(key) || config_keys::is_ignored_by_all(key, value))
    {
        Some((key, Value::Object(_))) => config.unsupported(key, "{..}"),
        Some((key, value)) => config.unsupported(key, value),
        None => Ok((architecture, spec)),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_key_that_an_architecture_reads_is_declared() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let mut seen: Vec<&str> = vec![];
        for folder in std::fs::read_dir(golden).expect("tests/golden") {
            for file in ["config.json", "config.hub.json"] {
                let path = folder.as_ref().expect("a folder").path().join(file);
                let Ok(bytes) = std::fs::read(&path) else { continue };
                let config = Config::parse(&path, &bytes).expect("a config");
                let (architecture, _) = read(&config).expect("an architecture");
                let keys = architecture.keys();
                for key in config.asked().iter().filter(|key| *key != "model_type") {
                    let declared = keys.read.iter().any(|list| list.contains(&key.as_str()));
                    assert!(declared, "{}: {key} is read and not declared", architecture.model_type());
                }
                seen.push(architecture.model_type());
            }
        }
        assert!(ALL.iter().all(|architecture| seen.contains(&architecture.model_type())), "{seen:?}");
    }

    #[test]
    fn no_key_is_both_read_and_ignored_by_an_architecture() {
        for architecture in ALL {
            let keys = architecture.keys();
            for key in keys.read.iter().copied().flatten().filter(|key| keys.ignores(key)) {
                // Gemma 2 and 3 start from Llama, which reads it, and then replace what it says.
                assert_eq!(*key, "hidden_act", "{}", architecture.model_type());
            }
        }
    }
}
