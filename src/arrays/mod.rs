//! Reads arrays of numbers from files of other tools: safetensors, NumPy's npy, and CSV. The first bytes of a
//! file, rather than its name, determine its format.
//!
//! # Shapes
//! A matrix is `(n, d)`; an array with one axis is read as `(n, 1)`.

mod matrix;
mod npy;
mod round;
mod safetensors;
mod table;
mod values;

pub use self::matrix::{Array, read};
