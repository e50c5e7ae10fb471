//! The settings of the attention of one block.

use candle_core::Tensor;

use super::spec::Spec;

/// What attention needs beside queries, keys, values and paths.
#[derive(Clone, Copy)]
pub(super) struct AttentionForm<'a> {
    /// Heads, scale, cap and slopes.
    pub(super) spec: &'a Spec,
    /// A token sees the last so many tokens of its path.
    pub(super) window: Option<usize>,
    /// `(n_heads)`, a score beside those of the keys.
    pub(super) sinks: Option<&'a Tensor>,
}
