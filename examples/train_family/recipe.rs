//! The members of the family: sizes, configs and training lengths.

use serde_json::{Value, json};

/// One member.
pub struct Recipe {
    /// Its folder below `calibration/`.
    pub name: &'static str,
    /// Its family.
    pub family: &'static str,
    d_model: usize,
    n_layers: usize,
    n_heads: usize,
    /// Of the initial weights.
    pub seed: u64,
}

const fn member(name: &'static str, family: &'static str, sizes: [usize; 3], seed: u64) -> Recipe {
    Recipe { name, family, d_model: sizes[0], n_layers: sizes[1], n_heads: sizes[2], seed }
}

/// The two families, from small to large: width, blocks, heads.
pub static MEMBERS: &[Recipe] = &[
    member("minigpt-1", "minigpt", [16, 2, 2], 11),
    member("minigpt-2", "minigpt", [24, 2, 2], 12),
    member("minigpt-3", "minigpt", [32, 3, 2], 13),
    member("minigpt-4", "minigpt", [48, 3, 4], 14),
    member("minigpt-5", "minigpt", [64, 4, 4], 15),
    member("minigpt-6", "minigpt", [96, 4, 6], 16),
    member("minigpt-7", "minigpt", [128, 5, 8], 17),
    member("minillama-1", "minillama", [16, 2, 2], 21),
    member("minillama-2", "minillama", [24, 2, 2], 22),
    member("minillama-3", "minillama", [32, 3, 2], 23),
    member("minillama-4", "minillama", [48, 3, 4], 24),
    member("minillama-5", "minillama", [64, 4, 4], 25),
    member("minillama-6", "minillama", [96, 4, 6], 26),
    member("minillama-7", "minillama", [128, 5, 8], 27),
];

/// Every member sees the same number of tokens.
pub const STEPS: usize = 3000;
const WARM_UP: usize = 100;

/// What AutoTokenizer of transformers asks for.
pub const TOKENIZER_CONFIG: &str = r#"{
  "tokenizer_class": "PreTrainedTokenizerFast",
  "bos_token": "<|endoftext|>",
  "eos_token": "<|endoftext|>",
  "unk_token": "<unk>"
}
"#;

impl Recipe {
    /// The config.json of this member.
    pub fn config(&self, vocab_size: usize) -> Value {
        let (d, heads) = (self.d_model, self.n_heads);
        if self.family == "minigpt" {
            // Wider than the customary 0.02: with learned positions, these widths and few steps it was seen
            // to recall more than twice as many facts.
            return json!({
                "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": vocab_size,
                "n_embd": d, "n_layer": self.n_layers, "n_head": heads, "n_positions": 64, "n_inner": null,
                "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "initializer_range": 0.08,
                "tie_word_embeddings": true, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0,
                "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float16"
            });
        }
        json!({
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": vocab_size,
            "hidden_size": d, "num_hidden_layers": self.n_layers, "num_attention_heads": heads,
            "num_key_value_heads": heads / 2, "head_dim": d / heads,
            "intermediate_size": (8 * d / 3).next_multiple_of(8),
            "max_position_embeddings": 64, "rope_theta": 10000.0, "rope_scaling": null, "hidden_act": "silu",
            "rms_norm_eps": 1e-5, "initializer_range": 0.02, "attention_bias": false, "mlp_bias": false,
            "tie_word_embeddings": true, "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float16"
        })
    }

    /// Warm-up, then a cosine down to a tenth. Narrow models take larger steps.
    pub fn learning_rate(&self, step: usize, n_steps: usize) -> f64 {
        let top = 0.006 * (32.0 / self.d_model as f64).sqrt();
        if step < WARM_UP {
            return top * (step + 1) as f64 / WARM_UP as f64;
        }
        let progress = (step - WARM_UP) as f64 / (n_steps - WARM_UP) as f64;
        top * (0.1 + 0.45 * (1.0 + (std::f64::consts::PI * progress).cos()))
    }
}
