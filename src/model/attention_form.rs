//! Groups the settings of attention in one block.

use candle_core::Tensor;

use super::spec::Spec;

/// The settings of one attention operation. They do not include queries, keys, values and the batch. The
/// batch defines the path of each token: the tokens that it may attend to, in order, with the token itself
/// last.
#[derive(Clone, Copy)]
pub(super) struct AttentionForm<'a> {
    /// The spec, for head sizes, scale, softcap and ALiBi slopes.
    pub(super) spec: &'a Spec,
    /// Width of the sliding window: a token attends only to the last `window` tokens of its path. If absent,
    /// a token attends to its whole path.
    pub(super) window: Option<usize>,
    /// Attention sinks, `(n_heads)`: one learned score per head that enters the softmax in addition to the
    /// scores of the keys.
    pub(super) sinks: Option<&'a Tensor>,
}
