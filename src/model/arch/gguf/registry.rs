//! The table of architectures in GGUF files.

use super::experts::{gpt_oss, granite_moe, olmoe, qwen2_moe, qwen3_moe};
use super::falcon::falcon;
use super::form::Form;
use super::gemma::{gemma2, gemma3};
use super::scales::{clip, granite};
use super::variants::{
    bloom, cohere, cohere2, exaone4, llama, mpt, olmo2, parallel_neox, parallel_stablelm, smollm3, starcoder,
    window,
};

/// The architectures that are read.
pub(super) static FORMS: &[Form] = &[
    Form {
        name: "llama",
        model_type: "llama",
        also: &["mistral", "mixtral"],
        is_interleaved: true,
        rest: llama,
        ..Form::USUAL
    },
    Form { name: "qwen2", model_type: "qwen2", ..Form::USUAL },
    Form { name: "qwen3", model_type: "qwen3", ..Form::USUAL },
    Form { name: "gemma", model_type: "gemma", ..Form::USUAL },
    Form { name: "gemma2", model_type: "gemma2", rest: gemma2, ..Form::USUAL },
    Form { name: "gemma3", model_type: "gemma3_text", rest: gemma3, ..Form::USUAL },
    Form {
        name: "gpt2",
        model_type: "gpt2",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        d_mlp: "n_inner",
        has_kv_heads: false,
        ..Form::USUAL
    },
    Form {
        name: "gptneox",
        model_type: "gpt_neox",
        epsilon: "layer_norm_eps",
        has_rms_norms: false,
        has_kv_heads: false,
        rest: parallel_neox,
        ..Form::USUAL
    },
    Form {
        name: "bloom",
        model_type: "bloom",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        d_mlp: "",
        has_kv_heads: false,
        rest: bloom,
        ..Form::USUAL
    },
    Form {
        name: "falcon",
        model_type: "falcon",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        d_mlp: "ffn_hidden_size",
        has_kv_heads: true,
        rest: falcon,
        ..Form::USUAL
    },
    Form { name: "phi2", model_type: "phi", epsilon: "layer_norm_eps", has_rms_norms: false, ..Form::USUAL },
    Form { name: "phi3", model_type: "phi3", rest: window, ..Form::USUAL },
    Form {
        name: "starcoder2",
        model_type: "starcoder2",
        epsilon: "norm_epsilon",
        has_rms_norms: false,
        rest: window,
        ..Form::USUAL
    },
    Form {
        name: "stablelm",
        model_type: "stablelm",
        epsilon: "layer_norm_eps",
        has_rms_norms: false,
        rest: parallel_stablelm,
        ..Form::USUAL
    },
    Form {
        name: "olmo",
        model_type: "olmo",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        is_interleaved: true,
        rest: clip,
        ..Form::USUAL
    },
    Form { name: "olmo2", model_type: "olmo2", also: &["olmo3"], rest: olmo2, ..Form::USUAL },
    Form { name: "granite", model_type: "granite", is_interleaved: true, rest: granite, ..Form::USUAL },
    Form { name: "smollm3", model_type: "smollm3", is_interleaved: true, rest: smollm3, ..Form::USUAL },
    Form { name: "qwen2vl", model_type: "qwen2", ..Form::USUAL },
    Form { name: "qwen3vl", model_type: "qwen3", ..Form::USUAL },
    Form { name: "qwen2moe", model_type: "qwen2_moe", rest: qwen2_moe, ..Form::USUAL },
    Form { name: "qwen3moe", model_type: "qwen3_moe", rest: qwen3_moe, ..Form::USUAL },
    Form { name: "olmoe", model_type: "olmoe", rest: olmoe, ..Form::USUAL },
    Form {
        name: "granitemoe",
        model_type: "granitemoe",
        also: &["granitemoeshared"],
        is_interleaved: true,
        rest: granite_moe,
        ..Form::USUAL
    },
    Form { name: "gpt-oss", model_type: "gpt_oss", rest: gpt_oss, ..Form::USUAL },
    Form {
        name: "command-r",
        model_type: "cohere",
        epsilon: "layer_norm_eps",
        has_rms_norms: false,
        rest: cohere,
        ..Form::USUAL
    },
    Form {
        name: "cohere2",
        model_type: "cohere2",
        epsilon: "layer_norm_eps",
        has_rms_norms: false,
        rest: cohere2,
        ..Form::USUAL
    },
    Form { name: "chatglm", model_type: "glm", ..Form::USUAL },
    Form { name: "glm4", model_type: "glm4", ..Form::USUAL },
    Form { name: "exaone", model_type: "exaone", ..Form::USUAL },
    Form { name: "exaone4", model_type: "exaone4", rest: exaone4, ..Form::USUAL },
    Form {
        name: "nemotron",
        model_type: "nemotron",
        epsilon: "norm_eps",
        has_rms_norms: false,
        ..Form::USUAL
    },
    Form { name: "internlm2", model_type: "internlm2", is_interleaved: true, ..Form::USUAL },
    Form { name: "ernie4_5", model_type: "ernie4_5", ..Form::USUAL },
    Form { name: "seed_oss", model_type: "seed_oss", ..Form::USUAL },
    Form { name: "arcee", model_type: "arcee", is_interleaved: true, ..Form::USUAL },
    Form {
        name: "starcoder",
        model_type: "gpt_bigcode",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        d_mlp: "n_inner",
        rest: starcoder,
        ..Form::USUAL
    },
    Form {
        name: "mpt",
        model_type: "mpt",
        epsilon: "layer_norm_epsilon",
        has_rms_norms: false,
        d_mlp: "",
        has_kv_heads: false,
        rest: mpt,
        ..Form::USUAL
    },
];

/// Whether a key is one of an architecture's metadata.
pub(in crate::model) fn is_key(key: &str) -> bool {
    key.split_once('.').is_some_and(|(name, _)| names().any(|known| known == name))
}

/// The names in GGUF files of the models of one `model_type`.
#[cfg(test)]
pub(in crate::model) fn names_of(model_type: &str) -> Vec<&'static str> {
    let holds = |form: &&Form| form.model_type == model_type || form.also.contains(&model_type);
    FORMS.iter().filter(holds).map(|form| form.name).collect()
}

/// Their names in GGUF files.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|form| form.name)
}
