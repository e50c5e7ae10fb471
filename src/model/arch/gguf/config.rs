//! Converts the metadata of a GGUF file to a config.json.

use serde_json::{Value, json};

use super::form::{ConfigMap, GgufForm};
use super::keys::Keys;
use super::{kind, rope};
use crate::error::Result;
use crate::model::arch::config_keys::ConfigKeys;
use crate::model::weights::gguf::Gguf;

/// Keys of an architecture that do not affect the states.
const IGNORED_KEYS: [&str; 8] = [
    "vocab_size",
    "tensor_data_layout",
    "pooling_type",
    "rope.scaling.finetuned",
    "expert_used_count",
    "rope.dimension_sections",
    "attention.group_norm_groups",
    "n_deepstack_layers",
];

/// Keys that can affect the states, each with the value that has no effect. If the conversion of an
/// architecture does not read the key, any other value is an error.
const STATES: [(&str, f64); 19] = [
    ("expert_count", 0.0),
    ("leading_dense_block_count", 0.0),
    ("attention.causal", 1.0),
    ("logit_scale", 1.0),
    ("residual_scale", 1.0),
    ("embedding_scale", 1.0),
    ("attention.scale", 0.0),
    ("attention.output_scale", 0.0),
    ("attention.clamp_kqv", 0.0),
    ("attention.max_alibi_bias", 0.0),
    ("attention.sliding_window", 0.0),
    ("attention.shared_kv_layers", 0.0),
    ("attention.temperature_length", 0.0),
    ("attention.temperature_scale", 0.0),
    ("attn_logit_softcapping", 0.0),
    ("final_logit_softcapping", 0.0),
    ("rope.scaling.alpha", 0.0),
    ("embedding_length_per_layer_input", 0.0),
    ("altup.num_inputs", 0.0),
];

/// Returns the config.json that describes the same decoder as the metadata of a file. Keys that are not
/// converted are copied with the prefix of their architecture, so that they are reported as unread.
///
/// # Errors
/// [`Error::Config`](crate::Error::Config) for a file that is not a model, for metadata that are missing or
/// have the wrong type, and for unsupported settings.
pub(in crate::model) fn config(gguf: &Gguf) -> Result<Value> {
    let form = kind::form(gguf)?;
    let keys = Keys::new(gguf, form.name);
    let mut config = ConfigMap::new();
    let mut set = |key: &str, value: Value| drop(config.insert(key.into(), value));
    set("model_type", form.model_type.into());
    let Some([vocab_size, _]) = gguf.shape(EMBEDDING) else {
        return Err(keys.fault(format!("has no tensor `{EMBEDDING}`; give a file with a complete model")));
    };
    set("vocab_size", (*vocab_size).into());
    let (d_model, n_heads) = (keys.required("embedding_length")?, keys.required("attention.head_count")?);
    set("hidden_size", d_model.into());
    set("num_hidden_layers", keys.required("block_count")?.into());
    set("num_attention_heads", n_heads.into());
    set("max_position_embeddings", keys.required("context_length")?.into());
    set("tie_word_embeddings", gguf.shape("output.weight").is_none().into());
    let n_kv_heads = keys.size("attention.head_count_kv")?.unwrap_or(n_heads);
    if form.has_kv_heads {
        set("num_key_value_heads", n_kv_heads.into());
    } else if n_kv_heads != n_heads {
        return Err(keys.unsupported("attention.head_count_kv", n_kv_heads));
    }
    let epsilon =
        if form.has_rms_norms { "attention.layer_norm_rms_epsilon" } else { "attention.layer_norm_epsilon" };
    if let Some(epsilon) = keys.number(epsilon)? {
        set(form.epsilon, epsilon.into());
    }
    let d_mlp = keys.required("feed_forward_length")?;
    if !form.d_mlp.is_empty() {
        set(form.d_mlp, d_mlp.into());
    } else if d_mlp != 4 * d_model {
        return Err(keys.unsupported("feed_forward_length", d_mlp));
    }
    let shared = d_model.checked_div(n_heads).unwrap_or_default();
    let head_dim = keys.size("attention.key_length")?.unwrap_or(shared);
    if let Some(width) = keys.size("attention.value_length")?.filter(|width| *width != head_dim) {
        return Err(keys.unsupported("attention.value_length", width));
    }
    let known = ConfigKeys::of(form.model_type);
    if known.is_some_and(|known| known.knows("head_dim")) {
        set("head_dim", head_dim.into());
    } else if head_dim != shared {
        return Err(keys.unsupported("attention.key_length", head_dim));
    }
    if known.is_some_and(|known| known.knows("rope_parameters")) {
        set("rope_parameters", rope::parameters(&keys, head_dim)?);
    }
    if let Some(id) = gguf.metadata().size("tokenizer.ggml.bos_token_id")? {
        set("bos_token_id", id.into());
    }
    let ends =
        ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"].map(|key| gguf.metadata().size(key));
    let [eos, eot] = ends;
    set("eos_token_id", eos?.into_iter().chain(eot?).collect());
    biases(&keys, form, &mut config);
    (form.rest)(&keys, &mut config)?;
    for (key, value) in keys.unread() {
        let own = &key[form.name.len() + 1..];
        let (number, is_off) = (as_number(&value), STATES.iter().find(|(name, _)| *name == own));
        match is_off {
            Some((_, off)) if number != Some(*off) => return Err(keys.unsupported(own, value)),
            Some(_) => {}
            None if IGNORED_KEYS.contains(&own) => {}
            None => drop(config.insert(key.into(), value)),
        }
    }
    Ok(Value::Object(config))
}

pub(super) const EMBEDDING: &str = "token_embd.weight";

/// Sets the keys that switch biases on or off in a config.json of this architecture, according to the bias
/// tensors in the file.
fn biases(keys: &Keys, form: &GgufForm, config: &mut ConfigMap) {
    let has = |name: &str| keys.gguf().shape(name).is_some();
    let of_attention = has("blk.0.attn_q.bias") || has("blk.0.attn_qkv.bias");
    let switches = [
        ("attention_bias", of_attention),
        ("use_qkv_bias", of_attention),
        ("qkv_bias", of_attention),
        ("attention_out_bias", has("blk.0.attn_output.bias")),
        ("mlp_bias", has("blk.0.ffn_up.bias")),
        ("use_bias", of_attention),
        ("bias", of_attention),
    ];
    let Some(known) = ConfigKeys::of(form.model_type) else { return };
    for (key, is_on) in switches.into_iter().filter(|(key, _)| known.knows(key)) {
        config.insert(key.into(), json!(is_on));
    }
}

fn as_number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_bool().map(|on| f64::from(u8::from(on))))
}
