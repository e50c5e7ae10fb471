//! The names and layout of tensors in published files: one table for each architecture.

/// The layout of the maps to queries, keys and values.
#[derive(Debug, Clone, Copy)]
pub enum Qkv {
    /// In three tensors.
    Split([&'static str; 3]),
    /// In one: all queries, all keys, all values.
    Concat(&'static str),
    /// In one: query, key and value of the first head, of the second ...
    PerHead(&'static str),
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
    /// Norm before the head.
    pub final_norm: &'static str,
    /// The head, which has no prefix.
    pub head: &'static str,
    /// The maps of blocks are stored `(in, out)` (Conv1D).
    pub transposed: bool,
}
