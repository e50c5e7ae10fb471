//! Lists the architectures that are supported in GGUF files.

use super::experts::{gpt_oss, granite_moe, olmoe, qwen2_moe, qwen3_moe};
use super::falcon::falcon;
use super::form::GgufForm;
use super::gemma::{gemma2, gemma3};
use super::scales::{clip, granite};
use super::variants::{
    bloom, cohere, cohere2, exaone4, llama, mpt, olmo2, parallel_neox, parallel_stablelm, smollm3, starcoder,
    window,
};

/// The supported architectures.
pub(super) static FORMS: &[GgufForm] = &[
    GgufForm {
        name: "llama",
        model_type: "llama",
        also: &["mistral", "mixtral"],
        is_interleaved: true,
        rest: llama,
        ..GgufForm::USUAL
    },
    GgufForm { name: "qwen2", model_type: "qwen2", ..GgufForm::USUAL },
    GgufForm { name: "qwen3", model_type: "qwen3", ..GgufForm::USUAL },
    GgufForm { name: "gemma", model_type: "gemma", ..GgufForm::USUAL },
    GgufForm { name: "gemma2", model_type: "gemma2", rest: gemma2, ..GgufForm::USUAL },
    GgufForm { name: "gemma3", model_type: "gemma3_text", rest: gemma3, ..GgufForm::USUAL },
    GgufForm {
        name: "gpt2",
        model_type: "gpt2",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        d_mlp: "n_inner",
        has_kv_heads: false,
        ..GgufForm::USUAL
    },
    GgufForm {
        name: "gptneox",
        model_type: "gpt_neox",
        epsilon: "layer_norm_eps",
        has_rms_norms: false,
        has_kv_heads: false,
        rest: parallel_neox,
        ..GgufForm::USUAL
    },
    GgufForm {
        name: "bloom",
        model_type: "bloom",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        d_mlp: "",
        has_kv_heads: false,
        rest: bloom,
        ..GgufForm::USUAL
    },
    GgufForm {
        name: "falcon",
        model_type: "falcon",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        d_mlp: "ffn_hidden_size",
        has_kv_heads: true,
        rest: falcon,
        ..GgufForm::USUAL
    },
    GgufForm {
        name: "phi2",
        model_type: "phi",
        epsilon: "layer_norm_eps",
        has_rms_norms: false,
        ..GgufForm::USUAL
    },
    GgufForm { name: "phi3", model_type: "phi3", rest: window, ..GgufForm::USUAL },
    GgufForm {
        name: "starcoder2",
        model_type: "starcoder2",
        epsilon: "norm_epsilon",
        has_rms_norms: false,
        rest: window,
        ..GgufForm::USUAL
    },
    GgufForm {
        name: "stablelm",
        model_type: "stablelm",
        epsilon: "layer_norm_eps",
        has_rms_norms: false,
        rest: parallel_stablelm,
        ..GgufForm::USUAL
    },
    GgufForm {
        name: "olmo",
        model_type: "olmo",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        is_interleaved: true,
        rest: clip,
        ..GgufForm::USUAL
    },
    GgufForm { name: "olmo2", model_type: "olmo2", also: &["olmo3"], rest: olmo2, ..GgufForm::USUAL },
    GgufForm {
        name: "granite",
        model_type: "granite",
        is_interleaved: true,
        rest: granite,
        ..GgufForm::USUAL
    },
    GgufForm {
        name: "smollm3",
        model_type: "smollm3",
        is_interleaved: true,
        rest: smollm3,
        ..GgufForm::USUAL
    },
    GgufForm { name: "qwen2vl", model_type: "qwen2", ..GgufForm::USUAL },
    GgufForm { name: "qwen3vl", model_type: "qwen3", ..GgufForm::USUAL },
    GgufForm { name: "qwen2moe", model_type: "qwen2_moe", rest: qwen2_moe, ..GgufForm::USUAL },
    GgufForm { name: "qwen3moe", model_type: "qwen3_moe", rest: qwen3_moe, ..GgufForm::USUAL },
    GgufForm { name: "olmoe", model_type: "olmoe", rest: olmoe, ..GgufForm::USUAL },
    GgufForm {
        name: "granitemoe",
        model_type: "granitemoe",
        also: &["granitemoeshared"],
        is_interleaved: true,
        rest: granite_moe,
        ..GgufForm::USUAL
    },
    GgufForm { name: "gpt-oss", model_type: "gpt_oss", rest: gpt_oss, ..GgufForm::USUAL },
    GgufForm {
        name: "command-r",
        model_type: "cohere",
        epsilon: "layer_norm_eps",
        has_rms_norms: false,
        rest: cohere,
        ..GgufForm::USUAL
    },
    GgufForm {
        name: "cohere2",
        model_type: "cohere2",
        epsilon: "layer_norm_eps",
        has_rms_norms: false,
        rest: cohere2,
        ..GgufForm::USUAL
    },
    GgufForm { name: "chatglm", model_type: "glm", ..GgufForm::USUAL },
    GgufForm { name: "glm4", model_type: "glm4", ..GgufForm::USUAL },
    GgufForm { name: "exaone", model_type: "exaone", ..GgufForm::USUAL },
    GgufForm { name: "exaone4", model_type: "exaone4", rest: exaone4, ..GgufForm::USUAL },
    GgufForm {
        name: "nemotron",
        model_type: "nemotron",
        epsilon: "norm_eps",
        has_rms_norms: false,
        ..GgufForm::USUAL
    },
    GgufForm {
        name: "jais2",
        model_type: "jais2",
        epsilon: "layer_norm_eps",
        has_rms_norms: false,
        ..GgufForm::USUAL
    },
    GgufForm { name: "hunyuan-dense", model_type: "hunyuan_v1_dense", ..GgufForm::USUAL },
    GgufForm { name: "internlm2", model_type: "internlm2", is_interleaved: true, ..GgufForm::USUAL },
    GgufForm { name: "ernie4_5", model_type: "ernie4_5", ..GgufForm::USUAL },
    GgufForm { name: "seed_oss", model_type: "seed_oss", ..GgufForm::USUAL },
    GgufForm { name: "arcee", model_type: "arcee", is_interleaved: true, ..GgufForm::USUAL },
    GgufForm {
        name: "starcoder",
        model_type: "gpt_bigcode",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        d_mlp: "n_inner",
        rest: starcoder,
        ..GgufForm::USUAL
    },
    GgufForm {
        name: "mpt",
        model_type: "mpt",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        d_mlp: "",
        has_kv_heads: false,
        rest: mpt,
        ..GgufForm::USUAL
    },
];

/// Whether a key of the metadata begins with the name of an architecture.
pub(in crate::model) fn is_key(key: &str) -> bool {
    key.split_once('.').is_some_and(|(name, _)| names().any(|known| known == name))
}

/// The names that GGUF files use for a `model_type`.
#[cfg(test)]
pub(in crate::model) fn names_of(model_type: &str) -> Vec<&'static str> {
    let holds = |form: &&GgufForm| form.model_type == model_type || form.also.contains(&model_type);
    FORMS.iter().filter(holds).map(|form| form.name).collect()
}

/// The names of all architectures in GGUF files.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|form| form.name)
}
