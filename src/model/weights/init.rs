//! Defines the initial values of parameters before training.

/// Initial values of a parameter before training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Independent normal values with mean 0 and this standard deviation.
    Normal(f64),
    /// All 1 (norm weights).
    Ones,
    /// All 0 (biases).
    Zeros,
}
