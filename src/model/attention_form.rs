//! Groups the settings of attention in one block.

use candle_core::Tensor;

use super::spec::Spec;

/// The settings of attention other than queries, keys, values and paths.
#[derive(Clone, Copy)]
pub(super) struct AttentionForm<'a> {
    /// The spec, for head sizes, scale, softcap and ALiBi slopes.
    pub(super) spec: &'a Spec,
    /// Number of last tokens of its path that a token attends to; all of them if absent.
    pub(super) window: Option<usize>,
    /// One learned score per head in addition to the scores of the keys, `(n_heads)`.
    pub(super) sinks: Option<&'a Tensor>,
}
