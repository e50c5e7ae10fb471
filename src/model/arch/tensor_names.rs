//! The names and layout of tensors in published files: one table for each architecture.

/// The layout of the maps to queries, keys and values.
#[derive(Debug, Clone, Copy)]
pub enum Qkv {
    /// In three tensors.
    Split([&'static str; 3]),
    /// In one: all queries, all keys, all values.
    Concat(&'static str),
    /// In one: the queries of the first key head, its key and its value, those of the second ...
    Grouped(&'static str),
}

/// The layout of the maps into an MLP. A spec without gate does not use the gate's name.
#[derive(Debug, Clone, Copy)]
pub enum MlpIn {
    /// Gate and up in two tensors.
    Split {
        /// Name of the gate.
        gate: &'static str,
        /// Name of the other.
        up: &'static str,
    },
    /// In one: gate, then up.
    Concat(&'static str),
}

/// The layout of the maps of experts.
#[derive(Debug, Clone, Copy)]
pub enum ExpertMaps {
    /// In three tensors for each expert, `list.N.gate` and so on.
    Each {
        /// The list of experts.
        list: &'static str,
        /// Gate, up and down.
        maps: [&'static str; 3],
    },
    /// In three for all, `(n_experts, out, in)`: gate, up and down (GGUF).
    Apart {
        /// Gate, up and down.
        maps: [&'static str; 3],
        /// Whether each has a bias, `(n_experts, out)`.
        has_biases: bool,
    },
    /// In two for all, `(n_experts, out, in)`: gate, then up; down. These are full names.
    Stacked([&'static str; 2]),
    /// In two for all, `(n_experts, in, out)`, with biases: gate and up alternate; down. These are full
    /// names, and those of the biases end in `_bias`.
    Alternating([&'static str; 2]),
}

/// The names of a mixture of experts.
#[derive(Debug, Clone, Copy)]
pub struct ExpertNames {
    /// The router.
    pub router: &'static str,
    /// The bias of the choice, by its full name.
    pub choice_bias: &'static str,
    /// Whether it is a matrix of one row.
    pub is_choice_bias_row: bool,
    /// The experts.
    pub maps: ExpertMaps,
    /// Gate, up and down of the expert of all tokens; without a name for the gate, gate and up are in one.
    pub shared: [&'static str; 3],
    /// The map to its gate.
    pub shared_gate: &'static str,
}

impl ExpertNames {
    /// The names of most mixtures.
    pub(super) const USUAL: Self = Self {
        router: "mlp.gate",
        choice_bias: "mlp.gate.e_score_correction_bias",
        is_choice_bias_row: false,
        maps: ExpertMaps::Each { list: "mlp.experts", maps: ["gate_proj", "up_proj", "down_proj"] },
        shared: ["mlp.shared_expert.gate_proj", "mlp.shared_expert.up_proj", "mlp.shared_expert.down_proj"],
        shared_gate: "mlp.shared_expert_gate",
    };
}

/// The tensor names of an architecture. They stand without `.weight` and `.bias`; those within a block
/// without `blocks` and number.
#[derive(Debug, Clone, Copy)]
pub struct TensorNames {
    /// The prefix of every name but the head's, in the spellings that are published; the one that fits
    /// is found by the embedding.
    pub prefixes: &'static [&'static str],
    /// The embedding.
    pub embedding: &'static str,
    /// Its norm.
    pub embedding_norm: &'static str,
    /// Its maps to the residual stream and back.
    pub projections: [&'static str; 2],
    /// Learned positions.
    pub positions: &'static str,
    /// The list of blocks.
    pub blocks: &'static str,
    /// Norm of attention.
    pub attention_norm: &'static str,
    /// Its second norm in a sandwich.
    pub attention_post_norm: &'static str,
    /// Queries, keys and values.
    pub qkv: Qkv,
    /// Norms of queries and keys.
    pub qk_norms: [&'static str; 2],
    /// The scores of heads beside those of their keys.
    pub sinks: &'static str,
    /// The map from heads to stream.
    pub output: &'static str,
    /// Norm of the MLP.
    pub mlp_norm: &'static str,
    /// Its second norm in a sandwich.
    pub mlp_post_norm: &'static str,
    /// Maps into the MLP.
    pub mlp_in: MlpIn,
    /// Out of it.
    pub mlp_out: &'static str,
    /// Those of a mixture of experts.
    pub experts: ExpertNames,
    /// Norm before the head.
    pub final_norm: &'static str,
    /// The head, which has no prefix.
    pub head: &'static str,
    /// The maps of blocks are stored `(in, out)` (Conv1D).
    pub transposed: bool,
    /// The weights of layer norms are stored less 1.
    pub norms_less_one: bool,
}

/// What stands before the names of a text model that is a part of another one.
const OUTER: [&str; 5] = ["", "language_model.", "model.language_model.", "model.text_model.", "text_model."];

/// Where the tensors of an architecture are in a collection.
#[derive(Debug, Clone)]
pub struct TensorPrefixes {
    /// The prefix of every name but the head's.
    pub prefix: String,
    /// The name of the head.
    pub head: String,
}

impl TensorNames {
    /// The prefix and the head's name in a collection that `has` some names; the published ones if nothing
    /// fits.
    pub fn place(&self, has: &dyn Fn(&str) -> bool) -> TensorPrefixes {
        let all = || OUTER.iter().flat_map(|outer| self.prefixes.iter().map(move |prefix| (*outer, *prefix)));
        // Of two tied tensors a file may hold either, so that a norm tells the prefix where there is no
        // embedding.
        let of_part =
            |part: &str| all().find(|(outer, prefix)| has(&format!("{outer}{prefix}{part}.weight")));
        let found = of_part(self.embedding).or_else(|| of_part(self.final_norm));
        let (outer, prefix) = found.or_else(|| all().next()).unwrap_or_default();
        let inner = format!("{outer}{}", self.head);
        let head = if has(&format!("{inner}.weight")) { inner } else { self.head.to_owned() };
        TensorPrefixes { prefix: format!("{outer}{prefix}"), head }
    }
}
