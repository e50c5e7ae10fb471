//! How a run is graded: the grader, the normalisation of texts, and the texts that end an answer.

use serde::{Deserialize, Serialize};

use super::normalisation::Normalisation;
use crate::collect::tasks::Grader;

/// How a run is graded.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grading {
    /// The grader.
    pub grader: Grader,
    /// What is made equal first.
    pub normalisation: Normalisation,
    /// Texts that end an answer.
    pub stops: Vec<String>,
}
