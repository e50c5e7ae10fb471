//! Which keys of a config.json may be ignored. Each architecture declares those it reads and those it
//! ignores; here is what all of them ignore: how a model is trained, how text is generated, which tokens are
//! special, how an implementation computes the same arithmetic. Any other key is refused.

use serde_json::Value;

/// The keys of config.json that one architecture knows, in lists, so that relatives share one.
#[derive(Debug, Clone, Copy)]
pub struct ConfigKeys {
    /// Keys that its `spec` reads, in all their spellings. A config can make it read fewer of them; one that
    /// is there and was not read is refused.
    pub read: &'static [&'static [&'static str]],
    /// Keys that the reference implementation ignores, or that change no state of a trained decoder.
    pub ignored: &'static [&'static [&'static str]],
}

impl ConfigKeys {
    /// Whether `key` is among those it ignores.
    pub fn ignores(&self, key: &str) -> bool {
        self.ignored.iter().any(|list| list.contains(&key))
    }
}

/// Keys that no architecture reads, or that change no state of any.
const IGNORED_BY_ALL: &[&str] = &[
    // Provenance, and notes of other tools.
    "_commit_hash",
    "_name_or_path",
    "architectures",
    "auto_map",
    "dtype",
    "model_type",
    "name_or_path",
    "tokenizer_class",
    "torch_dtype",
    "transformers.js_config",
    "transformers_version",
    "unsloth_fixed",
    "unsloth_version",
    // Special tokens.
    "bos_token_id",
    "cls_token_id",
    "decoder_start_token_id",
    "eos_token_id",
    "mask_token_id",
    "pad_token_id",
    "prefix",
    "sep_token_id",
    "unk_token_id",
    // Training: dropout acts on no measurement.
    "activation_dropout",
    "attention_dropout",
    "attention_probs_dropout_prob",
    "attn_pdrop",
    "classifier_dropout",
    "dropout",
    "embd_pdrop",
    "embed_dropout",
    "embedding_dropout",
    "custom_pipelines",
    "gradient_checkpointing",
    "hidden_dropout",
    "hidden_dropout_prob",
    "init_std",
    "initializer_range",
    "layerdrop",
    "resid_dropout",
    "resid_pdrop",
    "residual_dropout",
    // Generation and what a call returns.
    "bad_words_ids",
    "begin_suppress_tokens",
    "cache_implementation",
    "chunk_size_feed_forward",
    "diversity_penalty",
    "do_sample",
    "early_stopping",
    "encoder_no_repeat_ngram_size",
    "exponential_decay_length_penalty",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "length_penalty",
    "max_length",
    "min_length",
    "no_repeat_ngram_size",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "output_past",
    "output_scores",
    "remove_invalid_values",
    "repetition_penalty",
    "return_dict",
    "return_dict_in_generate",
    "suppress_tokens",
    "temperature",
    "tf_legacy_loss",
    "top_k",
    "top_p",
    "torchscript",
    "typical_p",
    "use_cache",
    // Heads that are not a language model's.
    "_num_labels",
    "finetuning_task",
    "id2label",
    "label2id",
    "num_labels",
    "problem_type",
    "task_specific_params",
    // How the same arithmetic is carried out.
    "_attn_implementation",
    "_attn_implementation_autoset",
    "attn_implementation",
    "is_decoder",
    "tie_encoder_decoder",
    "use_bfloat16",
];

/// Settings that most or all architectures here lack. Switched off they ask for nothing; switched on they are
/// refused, unless the architecture reads them.
const REFUSED_UNLESS_OFF: &[&str] = &[
    "_remove_final_layer_norm",
    "add_cross_attention",
    "alibi",
    "apply_residual_connection_post_layernorm",
    "attention_chunk_size",
    "attn_logit_softcapping",
    "clip_qkv",
    "cross_attention_hidden_size",
    "dual_chunk_attention_config",
    "final_logit_softcapping",
    "is_encoder_decoder",
    "mlp_bias",
    "moe_num_experts",
    "n_routed_experts",
    "new_decoder_architecture",
    "num_experts",
    "num_local_experts",
    "partial_rotary_factor",
    "pruned_heads",
    "qk_layernorm",
    "quantization_config",
    "rope_parameters",
    "rope_scaling",
    "scale_attn_by_inverse_layer_idx",
    "sliding_window",
    "use_bidirectional_attention",
    "use_mrope",
    "use_qk_norm",
    "use_sliding_window",
];

/// Whether every architecture ignores this key with this value.
pub(super) fn is_ignored_by_all(key: &str, value: &Value) -> bool {
    let full = |kind: &Value| kind == "full_attention";
    match key {
        // What every decoder here does.
        "is_causal" => value == true,
        "layer_types" => value.as_array().is_some_and(|types| types.iter().all(full)),
        _ => IGNORED_BY_ALL.contains(&key) || (REFUSED_UNLESS_OFF.contains(&key) && is_off(value)),
    }
}

/// Whether a value switches off whatever its key means: false, 0 or nothing.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::String(_) => false,
    }
}
