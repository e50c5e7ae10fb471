//! How a run is graded: the grader, the normalisation of texts, and the stop sequences.

use serde::{Deserialize, Serialize};

use super::normalisation::Normalisation;
use crate::collect::tasks::Grader;

/// How a run is graded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grading {
    /// The grader.
    pub grader: Grader,
    /// Normalisation of texts before they are compared.
    pub normalisation: Normalisation,
    /// Stop sequences, at which answers are cut before they are compared.
    pub stops: Vec<String>,
}
