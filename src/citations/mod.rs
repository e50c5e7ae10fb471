//! Lists the references to cite: the tool, the paper that defines the measured quantity, and the publications
//! of estimators and methods. A new reference needs an entry in `references.bib`; a new estimator or
//! candidate needs a row in `registry.rs`.

mod citation;
mod registry;

pub use self::citation::Citation;
pub use self::registry::{PAPER, TOOL, all, of_candidate, of_estimator, with_keys};
