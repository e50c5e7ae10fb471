//! Defines how a run is graded: the grader, the normalisation of texts, and the stop sequences.

use serde::{Deserialize, Serialize};

use super::grader::Grader;
use super::normalisation::Normalisation;
use super::version1::normal;
use crate::error::{Error, Result};

/// The settings of grading.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Grading {
    /// The grader.
    pub grader: Grader,
    /// Normalisation of texts before they are compared.
    pub normalisation: Normalisation,
    /// Stop sequences. Answers are truncated at the first stop sequence before they are compared.
    pub stops: Vec<String>,
}

impl Grading {
    /// Checks that the version of the normalisation supports the grader.
    ///
    /// # Errors
    /// [`Error::Parameter`] if it does not, or if the version is unknown.
    pub fn check(&self) -> Result<()> {
        let fault = |reason: String| Err(Error::Parameter { name: "--normalisation", reason });
        match self.normalisation.version {
            1 => {}
            2 => return Ok(()),
            other => return fault(format!("must be 1 or 2, but is {other}")),
        }
        let steps = self.grader.steps();
        let known = |name: &str| normal::GRADERS.contains(&name);
        match steps.iter().find(|step| !known(step.rule.name())) {
            None if steps.len() == 1 => Ok(()),
            None => fault(
                "1 supports only one grader at a time; give one grader, or use --normalisation 2".into(),
            ),
            Some(step) => fault(format!(
                "1 does not support the grader {}, only {}; use --normalisation 2",
                step.rule.name(),
                normal::GRADERS.join(", ")
            )),
        }
    }
}
