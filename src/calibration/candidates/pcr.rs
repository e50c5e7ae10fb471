//! Principal component regression: regression on the first scores (Jolliffe 1982).

use ndarray::{Array1, s};

use super::{Candidate, Formula, PRIOR, Train};
use crate::error::Result;

/// Rows needed beyond the components: a constant, and two to tell an error by.
const ROWS_BEYOND: usize = 3;

/// Regression on a fixed number of components.
#[derive(Debug)]
pub(crate) struct Pcr {
    pub(crate) name: &'static str,
    pub(crate) components: usize,
}

impl Candidate for Pcr {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fit(&self, train: &Train) -> Result<Option<Formula>> {
        let (n, k) = train.scores.dim();
        if k < self.components || n < self.components + ROWS_BEYOND {
            return Ok(None);
        }
        let spread: Vec<f64> = train.basis.variances[..self.components].iter().map(|v| v.sqrt()).collect();
        let scores = &train.scores.slice(s![.., ..self.components]) / &Array1::from(spread.clone());
        let penalty = if train.link.is_bounded() { PRIOR } else { 0.0 };
        let line = train.regress(&scores, penalty)?;
        let slopes: Vec<f64> = line[1..].iter().zip(&spread).map(|(b, sd)| b / sd).collect();
        Ok(Some(Formula {
            penalty,
            ..train.formula(line[0], &train.on_features(&slopes), &train.basis.divisor)
        }))
    }
}
