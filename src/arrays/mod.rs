//! Arrays of numbers from files that other tools wrote: safetensors, NumPy's npy, CSV. A file is told by its
//! first bytes, not by its name.
//!
//! # Shapes
//! A matrix `(n, d)`; an array of one axis is `(n, 1)`.

mod matrix;
mod npy;
mod round;
mod safetensors;
mod table;
mod values;

pub use self::matrix::{Array, read};
