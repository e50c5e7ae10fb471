//! Lists the architectures, and selects one by `model_type`.

use serde_json::Value;

use super::architecture::Architecture;
use super::config::Config;
use super::config_keys::ConfigKeys;
use super::multimodal::{self, MULTIMODAL};
use super::{
    arcee, bloom, cohere, cohere2, cwm, dots1, ernie4_5, ernie4_5_moe, exaone, exaone4, falcon, flex_olmo,
    gemma, gemma2, gemma3, glm, glm4, glm4_moe, gpt_bigcode, gpt_neo, gpt_neox, gpt_oss, gpt2, gptj, granite,
    granitemoe, granitemoeshared, helium, hunyuan_v1_dense, hunyuan_v1_moe, hyperclovax, internlm2,
    internlm3, iquestcoder, jais2, llama, minimax_m2, ministral, ministral3, mistral, mixtral, mpt, nemotron,
    olmo, olmo2, olmo3, olmoe, opt, phi, phi3, qwen2, qwen2_moe, qwen3, qwen3_moe, seed_oss, smollm3,
    stablelm, starcoder2, unsupported, vaultgemma,
};
use crate::error::Result;
use crate::model::spec::Spec;

/// The supported architectures.
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
    &mixtral::Mixtral,
    &qwen2_moe::Qwen2Moe,
    &qwen3_moe::Qwen3Moe,
    &olmoe::Olmoe,
    &granitemoe::GraniteMoe,
    &gpt_oss::GptOss,
    &olmo3::Olmo3,
    &gpt_bigcode::GptBigCode,
    &mpt::Mpt,
    &cohere::Cohere,
    &cohere2::Cohere2,
    &arcee::Arcee,
    &cwm::Cwm,
    &ernie4_5::Ernie45,
    &exaone::Exaone,
    &exaone4::Exaone4,
    &glm::Glm,
    &glm4::Glm4,
    &helium::Helium,
    &iquestcoder::IQuestCoder,
    &jais2::Jais2,
    &ministral::Ministral,
    &ministral3::Ministral3,
    &seed_oss::SeedOss,
    &vaultgemma::VaultGemma,
    &flex_olmo::FlexOlmo,
    &granitemoeshared::GraniteMoeShared,
    &hyperclovax::HyperClovaX,
    &internlm2::InternLm2,
    &internlm3::InternLm3,
    &nemotron::Nemotron,
    &dots1::Dots1,
    &ernie4_5_moe::Ernie45Moe,
    &glm4_moe::Glm4Moe,
    &hunyuan_v1_dense::HunYuanDense,
    &hunyuan_v1_moe::HunYuanMoe,
    &minimax_m2::MiniMaxM2,
];

/// Every supported `model_type`.
fn known() -> String {
    let whole = MULTIMODAL.iter().map(|whole| whole.model_type);
    let known: Vec<_> = ALL.iter().map(|a| a.model_type()).chain(whole).collect();
    known.join(", ")
}

/// The architecture that the `model_type` of a config names, and the spec that the config describes.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) if `model_type` is missing or not in [`ALL`], if a key is missing
/// or malformed, or if a key that transformers reads has a value that the decoder does not support. For keys
/// that transformers does not read, see [`unread_keys`].
///
/// [`unread_keys`]: super::unread_keys()
pub fn read(config: &Config) -> Result<(&'static dyn Architecture, Spec)> {
    match multimodal::text_part(config)? {
        Some(part) => read_decoder(&part.config),
        None => read_decoder(config),
    }
}

fn read_decoder(config: &Config) -> Result<(&'static dyn Architecture, Spec)> {
    let model_type = config.text("model_type")?;
    let name = multimodal::architecture_of(model_type);
    let Some(architecture) = ALL.iter().copied().find(|a| a.model_type() == name) else {
        return Err(config.refusal(unsupported::reason(model_type, &known())));
    };
    let Some(keys) = ConfigKeys::of(model_type) else {
        return Err(config.refusal(format!(
            "surmise has no list of keys for model_type `{model_type}`; use another model"
        )));
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
