//! Whole studies: the demonstration on the embedded family, and the blind test.

pub mod blind;
pub mod demo;
