//! Tests of emergence on states with known information and on small models.

pub mod semantic_estimate;
pub mod semantic_falsifiers;
pub mod semantic_measure;
