//! Settings of a config.json that change no state of a trained decoder: how it is trained, how text is generated, which tokens are special, how an
//! implementation goes about the same arithmetic. Whatever is neither here nor asked for by the architecture is refused.

use serde_json::Value;

/// Exact names.
const KEYS: &[&str] = &[
    // Provenance and dialect.
    "_commit_hash",
    "_name_or_path",
    "architectures",
    "auto_map",
    "dtype",
    "model_type",
    "name_or_path",
    "tokenizer_class",
    "torch_dtype",
    "transformers_version",
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
    "gradient_checkpointing",
    "hidden_dropout",
    "hidden_dropout_prob",
    "init_std",
    "initializer_range",
    "layerdrop",
    "pretraining_tp",
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
    "summary_activation",
    "summary_first_dropout",
    "summary_proj_to_labels",
    "summary_type",
    "summary_use_proj",
    "task_specific_params",
    // Another order of the same arithmetic, or none at all in a decoder that is not split over machines.
    "_attn_implementation",
    "_attn_implementation_autoset",
    "attention_softmax_in_fp32",
    "attn_implementation",
    "bias_dropout_fusion",
    "is_decoder",
    "masked_softmax_fusion",
    "offset_alibi",
    "reorder_and_upcast_attn",
    "skip_bias_add",
    "skip_bias_add_qkv",
    "slow_but_exact",
    "tie_encoder_decoder",
    "use_bfloat16",
];

/// Whether a key changes no state, whatever its value.
pub(super) fn is_harmless(key: &str) -> bool {
    KEYS.contains(&key)
}

/// Whether a value switches off whatever its key means: false, 0 or nothing.
pub(super) fn is_off(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(on) => !on,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::String(_) => false,
    }
}
