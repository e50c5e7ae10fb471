//! The table of architectures in GGUF files.

use super::falcon::falcon;
use super::form::Form;
use super::gemma::{gemma2, gemma3};
use super::scales::{clip, granite};
use super::variants::{llama, parallel_neox, parallel_stablelm, smollm3, window};

/// The architectures that are read.
pub(super) static FORMS: &[Form] = &[
    Form { name: "llama", model_type: "llama", is_interleaved: true, rest: llama, ..Form::USUAL },
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
        rest: super::variants::bloom,
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
    Form { name: "olmo2", model_type: "olmo2", ..Form::USUAL },
    Form { name: "granite", model_type: "granite", is_interleaved: true, rest: granite, ..Form::USUAL },
    Form { name: "smollm3", model_type: "smollm3", is_interleaved: true, rest: smollm3, ..Form::USUAL },
];

/// Their names in GGUF files.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FORMS.iter().map(|form| form.name)
}
