//! Groups the settings of attention in one block.

use candle_core::Tensor;

use super::spec::Spec;

/// The settings of one attention operation. Queries, keys, values and the batch, which defines the paths of
/// its tokens, are passed separately.
#[derive(Clone, Copy)]
pub(super) struct AttentionForm<'a> {
    /// The spec, for head sizes, scale, softcap and ALiBi slopes.
    pub(super) spec: &'a Spec,
    /// Width of the sliding window: the number of last tokens of its path that a token attends to. If absent,
    /// the token attends to its whole path.
    pub(super) window: Option<usize>,
    /// Attention sinks, `(n_heads)`: one learned score per head that enters the softmax in addition to the
    /// scores of the keys.
    pub(super) sinks: Option<&'a Tensor>,
}
