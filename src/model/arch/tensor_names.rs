//! Defines the form in which an architecture lists the names and layouts of its tensors.

/// The layout of the maps to queries, keys and values.
#[derive(Debug, Clone, Copy)]
pub enum Qkv {
    /// Three tensors.
    Split([&'static str; 3]),
    /// One tensor: all queries, all keys, all values.
    Concat(&'static str),
    /// One tensor: for each key head, its queries, its key and its value.
    Grouped(&'static str),
}

/// The layout of the maps into an MLP. If the spec has no gate, the name of the gate is not used.
#[derive(Debug, Clone, Copy)]
pub enum MlpIn {
    /// Gate and up in two tensors.
    Split {
        /// Name of the gate.
        gate: &'static str,
        /// Name of up.
        up: &'static str,
    },
    /// One tensor: gate, then up.
    Concat(&'static str),
}

/// The layout of the maps of experts.
#[derive(Debug, Clone, Copy)]
pub enum ExpertMaps {
    /// Three tensors per expert, `list.N.gate` and so on.
    Each {
        /// The list of experts.
        list: &'static str,
        /// Gate, up and down.
        maps: [&'static str; 3],
    },
    /// Three tensors for all experts, each `(n_experts, out, in)`: gate, up and down (GGUF).
    Apart {
        /// Gate, up and down.
        maps: [&'static str; 3],
        /// Whether each tensor has a bias, `(n_experts, out)`.
        has_biases: bool,
    },
    /// Two tensors for all experts, each `(n_experts, out, in)`. The first contains gate, then up; the second
    /// contains down. No suffix is added to these names.
    Stacked([&'static str; 2]),
    /// Two tensors for all experts, each `(n_experts, in, out)`, with biases. In the first, the outputs of
    /// gate and up alternate; the second contains down. No suffix is added to these names. The names of the
    /// biases have the suffix `_bias`.
    Alternating([&'static str; 2]),
}

/// The names of a mixture of experts.
#[derive(Debug, Clone, Copy)]
pub struct ExpertNames {
    /// The router.
    pub router: &'static str,
    /// The bias that affects the choice of experts. No suffix is added to this name.
    pub choice_bias: &'static str,
    /// Whether the file stores this bias as a matrix with one row.
    pub is_choice_bias_row: bool,
    /// The experts.
    pub maps: ExpertMaps,
    /// Gate, up and down of the shared expert. If the gate has no name, the tensor of up contains gate, then
    /// up.
    pub shared: [&'static str; 3],
    /// The map to the gate of the shared expert.
    pub shared_gate: &'static str,
}

impl ExpertNames {
    /// The tensor names of most mixtures.
    pub(super) const USUAL: Self = Self {
        router: "mlp.gate",
        choice_bias: "mlp.gate.e_score_correction_bias",
        is_choice_bias_row: false,
        maps: ExpertMaps::Each { list: "mlp.experts", maps: ["gate_proj", "up_proj", "down_proj"] },
        shared: ["mlp.shared_expert.gate_proj", "mlp.shared_expert.up_proj", "mlp.shared_expert.down_proj"],
        shared_gate: "mlp.shared_expert_gate",
    };
}

/// The tensor names of an architecture, without the suffixes `.weight` and `.bias`. A name within a block is
/// relative: the full name begins with `blocks` and the number of the block.
#[derive(Debug, Clone, Copy)]
pub struct TensorNames {
    /// The possible prefixes of all names except the name of the head. The first prefix with which the file
    /// contains the embedding is used.
    pub prefixes: &'static [&'static str],
    /// The embedding.
    pub embedding: &'static str,
    /// Norm of the embedding.
    pub embedding_norm: &'static str,
    /// Maps from the embedding to the residual stream and back.
    pub projections: [&'static str; 2],
    /// Learned positions.
    pub positions: &'static str,
    /// The list of blocks.
    pub blocks: &'static str,
    /// Norm of attention.
    pub attention_norm: &'static str,
    /// Second norm of attention in a sandwich block.
    pub attention_post_norm: &'static str,
    /// Queries, keys and values.
    pub qkv: Qkv,
    /// Query-key normalisation (QK norm): the norms of queries and keys.
    pub qk_norms: [&'static str; 2],
    /// Attention sinks: one learned score per head.
    pub sinks: &'static str,
    /// The map from the heads' outputs to the stream.
    pub output: &'static str,
    /// Norm of the MLP.
    pub mlp_norm: &'static str,
    /// Second norm of the MLP in a sandwich block.
    pub mlp_post_norm: &'static str,
    /// Maps into the MLP.
    pub mlp_in: MlpIn,
    /// Map out of the MLP.
    pub mlp_out: &'static str,
    /// Names of a mixture of experts.
    pub experts: ExpertNames,
    /// Norm before the head.
    pub final_norm: &'static str,
    /// The head, which has no prefix.
    pub head: &'static str,
    /// Whether the maps of blocks are stored as `(in, out)` (Conv1D).
    pub transposed: bool,
    /// Whether the weights of layer norms are stored minus 1.
    pub norms_less_one: bool,
}

/// Prefixes that multimodal models put before the prefixes of their text part.
const OUTER: [&str; 5] = ["", "language_model.", "model.language_model.", "model.text_model.", "text_model."];

/// The prefixes of an architecture's tensors in one checkpoint.
#[derive(Debug, Clone)]
pub struct TensorPrefixes {
    /// The prefix of all names except the name of the head.
    pub prefix: String,
    /// The name of the head.
    pub head: String,
}

impl TensorNames {
    /// Finds the prefix and the name of the head in a checkpoint. `has` returns whether the checkpoint
    /// contains a name. If the checkpoint contains neither the embedding nor the final norm under any prefix,
    /// returns the first prefix.
    pub fn place(&self, has: &dyn Fn(&str) -> bool) -> TensorPrefixes {
        let all = || OUTER.iter().flat_map(|outer| self.prefixes.iter().map(move |prefix| (*outer, *prefix)));
        // A file with tied weights may contain only the embedding or only the head. Without an embedding, the
        // name of the final norm determines the prefix.
        let of_part =
            |part: &str| all().find(|(outer, prefix)| has(&format!("{outer}{prefix}{part}.weight")));
        let found = of_part(self.embedding).or_else(|| of_part(self.final_norm));
        let (outer, prefix) = found.or_else(|| all().next()).unwrap_or_default();
        let inner = format!("{outer}{}", self.head);
        let head = if has(&format!("{inner}.weight")) { inner } else { self.head.to_owned() };
        TensorPrefixes { prefix: format!("{outer}{prefix}"), head }
    }
}
