//! Lists the parts of a model that a caller requires.

/// The parts of a model that a caller requires. Other files may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredFiles {
    /// Only the weights, for callers that have token ids.
    Weights,
    /// The weights and the tokenizer.
    WeightsAndTokenizer,
}
