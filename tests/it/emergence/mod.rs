//! Emergence of states with known information, and of small models.

pub mod semantic_estimate;
pub mod semantic_falsifiers;
pub mod semantic_measure;
