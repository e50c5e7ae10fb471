//! What a model is fetched for.

/// What a model is fetched for; what it does not need may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Its weights: token ids are given.
    Weights,
    /// Its weights and its tokenizer.
    Text,
}
