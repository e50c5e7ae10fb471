//! Emergence against states whose information is known, and on small models.

pub mod semantic_estimate;
pub mod semantic_falsifiers;
pub mod semantic_measure;
