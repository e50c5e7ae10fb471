//! What to cite: the tool, the paper whose quantity it measures, and the estimators and methods that it uses.
//! A new reference is an entry of `references.bib`; a new estimator or candidate has a row in `registry.rs`.

mod citation;
mod registry;

pub use self::citation::Citation;
pub use self::registry::{PAPER, TOOL, all, of_candidate, of_estimator, with_keys};
