//! Defines the members of the families: sizes, configs and training lengths.

use serde_json::{Value, json};

/// The training corpus of a member.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Corpus {
    /// Facts of the default categories, and segments that are copied.
    Everyday,
    /// Facts of the invented categories.
    Invented,
}

/// One run of training.
pub struct Recipe {
    /// Its name, which is also the name of the folder of its last checkpoint below `calibration/`.
    pub name: &'static str,
    /// Its family.
    pub family: &'static str,
    /// The corpus on which it is trained.
    pub corpus: Corpus,
    d_model: usize,
    n_layers: usize,
    n_heads: usize,
    /// The seed of the initial weights.
    pub seed: u64,
}

const fn everyday(name: &'static str, family: &'static str, sizes: [usize; 3], seed: u64) -> Recipe {
    let [d_model, n_layers, n_heads] = sizes;
    Recipe { name, family, corpus: Corpus::Everyday, d_model, n_layers, n_heads, seed }
}

/// Sizes of the runs on invented facts, the same in every family: width, blocks, heads.
const SIZES: [[usize; 3]; 5] = [[16, 3, 2], [24, 3, 2], [32, 4, 4], [48, 4, 4], [64, 4, 4]];

const fn invented(name: &'static str, family: &'static str, size: usize, seed: u64) -> Recipe {
    let [d_model, n_layers, n_heads] = SIZES[size - 1];
    Recipe { name, family, corpus: Corpus::Invented, d_model, n_layers, n_heads, seed }
}

/// All runs, family by family, from small to large.
pub static RUNS: &[Recipe] = &[
    everyday("minigpt-1", "minigpt", [16, 2, 2], 11),
    everyday("minigpt-2", "minigpt", [24, 2, 2], 12),
    everyday("minigpt-3", "minigpt", [32, 3, 2], 13),
    everyday("minigpt-4", "minigpt", [48, 3, 4], 14),
    everyday("minigpt-5", "minigpt", [64, 4, 4], 15),
    everyday("minigpt-6", "minigpt", [96, 4, 6], 16),
    everyday("minigpt-7", "minigpt", [128, 5, 8], 17),
    everyday("minillama-1", "minillama", [16, 2, 2], 21),
    everyday("minillama-2", "minillama", [24, 2, 2], 22),
    everyday("minillama-3", "minillama", [32, 3, 2], 23),
    everyday("minillama-4", "minillama", [48, 3, 4], 24),
    everyday("minillama-5", "minillama", [64, 4, 4], 25),
    everyday("minillama-6", "minillama", [96, 4, 6], 26),
    everyday("minillama-7", "minillama", [128, 5, 8], 27),
    invented("factgpt-1", "factgpt", 1, 31),
    invented("factgpt-2", "factgpt", 2, 32),
    invented("factgpt-3", "factgpt", 3, 33),
    invented("factgpt-4", "factgpt", 4, 34),
    invented("factgpt-5", "factgpt", 5, 35),
    invented("factllama-1", "factllama", 1, 41),
    invented("factllama-2", "factllama", 2, 42),
    invented("factllama-3", "factllama", 3, 43),
    invented("factllama-4", "factllama", 4, 44),
    invented("factllama-5", "factllama", 5, 45),
    invented("factneox-1", "factneox", 1, 51),
    invented("factneox-2", "factneox", 2, 52),
    invented("factneox-3", "factneox", 3, 53),
    invented("factneox-4", "factneox", 4, 54),
    invented("factneox-5", "factneox", 5, 55),
    invented("factqwen-1", "factqwen", 1, 61),
    invented("factqwen-2", "factqwen", 2, 62),
    invented("factqwen-3", "factqwen", 3, 63),
    invented("factqwen-4", "factqwen", 4, 64),
    invented("factqwen-5", "factqwen", 5, 65),
];

const WARM_UP: usize = 100;

/// The entries that AutoTokenizer of transformers needs.
pub const TOKENIZER_CONFIG: &str = r#"{
  "tokenizer_class": "PreTrainedTokenizerFast",
  "bos_token": "<|endoftext|>",
  "eos_token": "<|endoftext|>",
  "unk_token": "<unk>"
}
"#;

impl Recipe {
    /// Number of training steps; every member of a corpus sees the same number of tokens.
    pub fn steps(&self) -> usize {
        match self.corpus {
            Corpus::Everyday => 3000,
            Corpus::Invented => 2000,
        }
    }

    /// The steps whose weights are kept in addition to the last step.
    pub fn checkpoints(&self, n_steps: usize) -> Vec<usize> {
        match self.corpus {
            Corpus::Everyday => vec![],
            Corpus::Invented => [8, 4, 2].map(|part| n_steps / part).to_vec(),
        }
    }

    /// Whether a checkpoint before the last one is in the repository. The repository has one such checkpoint
    /// for each of the smaller members.
    pub fn is_kept_in_repository(&self, step: usize, n_steps: usize) -> bool {
        step == n_steps / 2 && self.d_model < 64
    }

    /// The config.json of this member.
    pub fn config(&self, vocab_size: usize) -> Value {
        let (d, heads) = (self.d_model, self.n_heads);
        match self.family {
            // `initializer_range` is larger than the usual 0.02. With learned positions, these widths and few
            // steps, the larger value more than doubled the number of facts that the models recalled.
            "minigpt" | "factgpt" => json!({
                "architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": vocab_size,
                "n_embd": d, "n_layer": self.n_layers, "n_head": heads, "n_positions": 64, "n_inner": null,
                "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "initializer_range": 0.08,
                "tie_word_embeddings": true, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0,
                "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float16"
            }),
            "factneox" => json!({
                "architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "vocab_size": vocab_size,
                "hidden_size": d, "num_hidden_layers": self.n_layers, "num_attention_heads": heads,
                "intermediate_size": 4 * d, "max_position_embeddings": 64, "rotary_pct": 0.5,
                "rotary_emb_base": 10000, "hidden_act": "gelu", "layer_norm_eps": 1e-5,
                "use_parallel_residual": true, "attention_bias": true, "initializer_range": 0.04,
                "tie_word_embeddings": true, "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float16"
            }),
            "factqwen" => json!({
                "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "vocab_size": vocab_size,
                "hidden_size": d, "num_hidden_layers": self.n_layers, "num_attention_heads": heads,
                "num_key_value_heads": heads / 2, "head_dim": d / heads,
                "intermediate_size": (8 * d / 3).next_multiple_of(8),
                "max_position_embeddings": 64, "rope_theta": 1000000.0, "rope_scaling": null,
                "hidden_act": "silu", "rms_norm_eps": 1e-6, "initializer_range": 0.04,
                "attention_bias": false, "use_sliding_window": false, "sliding_window": null,
                "tie_word_embeddings": true, "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float16"
            }),
            _ => json!({
                "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": vocab_size,
                "hidden_size": d, "num_hidden_layers": self.n_layers, "num_attention_heads": heads,
                "num_key_value_heads": heads / 2, "head_dim": d / heads,
                "intermediate_size": (8 * d / 3).next_multiple_of(8),
                "max_position_embeddings": 64, "rope_theta": 10000.0, "rope_scaling": null,
                "hidden_act": "silu", "rms_norm_eps": 1e-5, "initializer_range": 0.02,
                "attention_bias": false, "mlp_bias": false,
                "tie_word_embeddings": true, "bos_token_id": 0, "eos_token_id": 0, "torch_dtype": "float16"
            }),
        }
    }

    /// The learning rate: a warm-up, then a cosine decay to a tenth. Narrow models use a higher learning
    /// rate.
    pub fn learning_rate(&self, step: usize, n_steps: usize) -> f64 {
        let top = 0.006 * (32.0 / self.d_model as f64).sqrt();
        if step < WARM_UP {
            return top * (step + 1) as f64 / WARM_UP as f64;
        }
        let progress = (step - WARM_UP) as f64 / (n_steps - WARM_UP) as f64;
        top * (0.1 + 0.45 * (1.0 + (std::f64::consts::PI * progress).cos()))
    }
}
