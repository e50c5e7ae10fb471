//! Which files of a model are needed.

/// Which files of a model are needed; others may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequiredFiles {
    /// Its weights: token ids are given.
    Weights,
    /// Its weights and its tokenizer.
    WeightsAndTokenizer,
}
